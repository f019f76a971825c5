"""A network with one hidden layer, trained on the labelled photos."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from bench.errors import UserError
from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.rows import Floats32
from ._identify.enrolled import Enrolled, Scorer, held_out
from ._identify.openset import OpenSet
from ._parameters.choice import best, check_calibration
from ._parameters.ranges import check_least

if TYPE_CHECKING:
    import torch

_BATCH = 128
_RATE = 3e-3


@dataclass(frozen=True)
class Mlp(OpenSet):
    """Ranks people by their probability under a network with one hidden layer of rectified linear units.

    The network is trained by Adam on cross-entropy with weight decay, on the CPU whatever the run's device:
    the same gallery gives the same network.

    Attributes:
        width: The number of hidden units; None takes the best of `grid` on calibration identities.
        grid: The candidates for width.
        epochs: The number of passes over the gallery.
        decay: The weight decay, as a ridge in the gradient.
        seed: The seed of the first weights and of the order of the photos.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="network with one hidden layer on embeddings; its width tuned on calibration identities",
        source="Rumelhart, Hinton and Williams, Nature 323, 1986; Adam: Kingma and Ba, ICLR 2015",
    )

    width: int | None = None
    grid: tuple[int, ...] = (128, 256)
    epochs: int = 60
    decay: float = 1e-5
    seed: int = 0

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        check_least(self.name, "width", self.width, 1, 256)
        check_least(self.name, "grid", min(self.grid, default=0), 1, 256)
        check_least(self.name, "epochs", self.epochs, 1, 60)
        check_least(self.name, "seed", self.seed, 0, 0)
        if not 0 <= self.decay < np.inf:
            raise UserError(f"{self.name}: decay {self.decay} must be 0 or more. Try decay=1e-5.")

    def tuned(self, embeddings: Embeddings, people: Labels) -> Self:
        """A copy with the width of `grid` that names most held-out photos."""
        if self.width is not None:
            return self
        check_calibration(people, len(embeddings))
        split = held_out(embeddings, people)
        width = best(
            self.grid, lambda width: split.rank_one(replace(self, width=width).fitted(split.gallery))
        )
        return replace(self, width=width)

    def fitted(self, gallery: Enrolled) -> Scorer:
        """The log-probability of each person, 0 or less."""
        if self.width is None:
            raise ValueError(f"{self.name} is not tuned yet: calibrate it, or give width")
        import torch

        layers = _trained(gallery, self.width, self.epochs, self.decay, self.seed)

        def score(probes: Floats32) -> Floats32:
            with torch.no_grad():
                scores = torch.log_softmax(_forward(torch.from_numpy(probes), layers), dim=1)
            return np.asarray(scores.numpy(), np.float32)

        return score


def _forward(rows: torch.Tensor, layers: list[torch.Tensor]) -> torch.Tensor:
    """The scores [photo, person] of unit rows; coordinates are brought to about unit variance first."""
    import torch

    first, bias, second = layers
    return torch.relu((rows * rows.shape[1] ** 0.5) @ first + bias) @ second


def _trained(gallery: Enrolled, width: int, epochs: int, decay: float, seed: int) -> list[torch.Tensor]:
    """The first weights [dimension, width], the bias [width], the second weights [width, person]."""
    import torch

    random = torch.Generator().manual_seed(seed)
    rows, person = torch.from_numpy(gallery.rows), torch.from_numpy(gallery.person)
    dimensions, people = rows.shape[1], gallery.people.size
    layers = [
        torch.randn(dimensions, width, generator=random) * (2 / dimensions) ** 0.5,  # He et al. 2015
        torch.zeros(width),
        torch.randn(width, people, generator=random) * (1 / width) ** 0.5,
    ]
    for layer in layers:
        layer.requires_grad_()
    optimiser = torch.optim.Adam(layers, lr=_RATE, weight_decay=decay)
    for _ in range(epochs):
        for batch in torch.randperm(len(rows), generator=random).split(_BATCH):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(_forward(rows[batch], layers), person[batch])
            loss.backward()
            optimiser.step()
    return [layer.detach() for layer in layers]


PLUGIN = Mlp
