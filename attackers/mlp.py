"""A network with one hidden layer, trained on the labelled photos."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import torch

from bench.errors import UserError
from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.rows import Floats32
from ._identify.enrolled import Enrolled, Scorer, held_out
from ._identify.openset import OpenSet
from ._parameters.choice import best, check_calibration, check_least

_BATCH = 128
_RATE = 3e-3


@dataclass(frozen=True)
class Mlp(OpenSet):
    """Ranks people by their probability under a network with one hidden layer of rectified linear units.

    Trained by Adam on cross-entropy with weight decay, on the CPU in any run: the same gallery gives the
    same network.

    Attributes:
        open_set: reject probes of which nobody is likely.
        threshold: log-probability of the likeliest person up to which a probe is rejected; None takes it from
            calibration identities.
        far: false accept rate that the threshold is calibrated at.
        width: hidden units; None takes the best of `grid` on calibration identities.
        grid: candidates for width.
        epochs: how often every gallery photo is seen.
        decay: of the weights, as a ridge in the gradient.
        seed: of the first weights and of the order of the photos.
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
        """See `bench.protocols.Clusterer`."""
        super().check()
        check_least("mlp", "width", self.width, 1, 256)
        check_least("mlp", "grid", min(self.grid, default=0), 1, 256)
        check_least("mlp", "epochs", self.epochs, 1, 60)
        check_least("mlp", "seed", self.seed, 0, 0)
        if not 0 <= self.decay < np.inf:
            raise UserError(f"mlp: decay {self.decay} must be 0 or more. Try decay=1e-5.")

    def tuned(self, embeddings: Embeddings, people: Labels) -> Self:
        """A copy with the width of `grid` that names most held-out photos."""
        if self.width is not None:
            return self
        check_calibration(people, len(embeddings))
        split = held_out(embeddings, people)
        width = best(self.grid, lambda one: split.rank_one(replace(self, width=one).fitted(split.gallery)))
        return replace(self, width=width)

    def fitted(self, held: Enrolled) -> Scorer:
        """Log-probability of each person, 0 or less."""
        if self.width is None:
            raise ValueError("mlp is not tuned yet: calibrate it, or give width")
        layers = _trained(held, self.width, self.epochs, self.decay, self.seed)

        def score(probes: Floats32) -> Floats32:
            with torch.no_grad():
                scores = torch.log_softmax(_forward(torch.from_numpy(probes), layers), dim=1)
            return np.asarray(scores.numpy(), np.float32)

        return score


def _forward(rows: torch.Tensor, layers: list[torch.Tensor]) -> torch.Tensor:
    """Scores [photo, person] of unit rows; coordinates are brought to about unit variance first."""
    inside, bias, outside = layers
    return torch.relu((rows * rows.shape[1] ** 0.5) @ inside + bias) @ outside


def _trained(held: Enrolled, width: int, epochs: int, decay: float, seed: int) -> list[torch.Tensor]:
    """Weights inside [dimension, width], bias [width], weights outside [width, person]."""
    source = torch.Generator().manual_seed(seed)
    rows, person = torch.from_numpy(held.rows), torch.from_numpy(held.person)
    dimensions, people = rows.shape[1], held.people.size
    layers = [
        torch.randn(dimensions, width, generator=source) * (2 / dimensions) ** 0.5,  # He et al. 2015
        torch.zeros(width),
        torch.randn(width, people, generator=source) * (1 / width) ** 0.5,
    ]
    for layer in layers:
        layer.requires_grad_()
    walk = torch.optim.Adam(layers, lr=_RATE, weight_decay=decay)
    for _ in range(epochs):
        for batch in torch.randperm(len(rows), generator=source).split(_BATCH):
            walk.zero_grad()
            loss = torch.nn.functional.cross_entropy(_forward(rows[batch], layers), person[batch])
            loss.backward()
            walk.step()
    return [layer.detach() for layer in layers]


PLUGIN = Mlp
