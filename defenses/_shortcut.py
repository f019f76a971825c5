"""A mask that a network learns in the place of a face. Private to this folder."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_CHANNELS = (3, 16, 32, 64)
_RATE, _MOMENTUM = 0.025, 0.9
"""How the authors train their network."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Finds one mask with which photos of one person are easy to tell from photos of other people.

    A small network that knows nothing, and the mask, lower the same loss by turns: the error of telling the
    person's masked faces from the others' clean ones.

    Attributes:
        limit: The largest change of a value, in 1/255.
        rounds: The most turns.
        train: Steps of the network in a turn, before the one of the mask.
        step: The step of the mask, in 1/255.
        stop: The share of errors at which the turns end.
    """

    limit: float
    rounds: int
    train: int
    step: float
    stop: float

    def mask(self, own: torch.Tensor, others: torch.Tensor, key: str) -> torch.Tensor:
        """The mask: float [3, size, size], in 1/255.

        Args:
            own: Aligned faces of the person: float [n, 3, size, size] in 0 to 255.
            others: Aligned faces of other people, alike.
            key: What the first weights of the network are drawn from.
        """
        import torch

        usual = torch.get_num_threads()
        torch.set_num_threads(1)  # sums are added in another order by another number of threads
        try:
            return self._learned(own, others, Network(key))
        finally:
            torch.set_num_threads(usual)

    def _learned(self, own: torch.Tensor, others: torch.Tensor, network: Network) -> torch.Tensor:
        import torch

        mask = torch.zeros_like(own[0])
        for _ in range(self.rounds):
            for _ in range(self.train):
                network.learn(own + mask, others)
            if self.stop and network.errors(own + mask, others) < self.stop:
                break
            mask.requires_grad_(True)
            (slope,) = torch.autograd.grad(network.loss(own + mask, others), mask)
            mask = (mask.detach() - self.step * slope.sign()).clamp(-self.limit, self.limit)
        return mask.detach()


class Network:
    """Three convolutions and a score, from random weights.

    Args:
        key: What the weights are drawn from.
    """

    def __init__(self, key: str) -> None:
        import torch

        draw = torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(key.encode()).digest()[:7]))

        def weights(*shape: int) -> torch.Tensor:
            scale = math.sqrt(2 / math.prod(shape[1:]))
            return (torch.randn(shape, generator=draw) * scale).requires_grad_(True)

        self._layers = [weights(out, into, 3, 3) for into, out in pairwise(_CHANNELS)]
        self._head = weights(1, _CHANNELS[-1])
        self._optimiser = torch.optim.SGD([*self._layers, self._head], _RATE, _MOMENTUM)

    def scores(self, faces: torch.Tensor) -> torch.Tensor:
        """How much faces look like the person's: [n], above 0 for the person.

        Args:
            faces: float [n, 3, size, size] in 0 to 255.
        """
        import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

        x = F.avg_pool2d(faces / 127.5 - 1, 2)
        for layer in self._layers:
            x = F.relu(F.group_norm(F.conv2d(x, layer, stride=2, padding=1), 1))
        return F.linear(x.mean((2, 3)), self._head)[:, 0]

    def loss(self, own: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """The logistic loss, in which the person weighs as much as all others."""
        import torch.nn.functional as F  # noqa: N812

        return F.softplus(-self.scores(own)).mean() + F.softplus(self.scores(others)).mean()

    def learn(self, own: torch.Tensor, others: torch.Tensor) -> None:
        """Take one step towards telling the person from others."""
        self._optimiser.zero_grad()
        self.loss(own, others).backward()
        self._optimiser.step()

    def errors(self, own: torch.Tensor, others: torch.Tensor) -> float:
        """The share of faces on the wrong side, in which the person weighs as much as all others."""
        import torch

        with torch.no_grad():
            wrong = (self.scores(own) <= 0).float().mean() + (self.scores(others) > 0).float().mean()
        return float(wrong) / 2
