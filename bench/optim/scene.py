"""One wave of photos on the device: embed them, walk down a goal's loss, release them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from bench.optim.diversity import compressed, qualities, shakes, smoothed
from bench.optim.patches import Patch, stacked
from bench.optim.perturbation import Perturbation
from bench.optim.surrogate import Surrogate
from bench.protocols import Descent, Encoder, Objective
from bench.types import Crop, Image


@dataclass(frozen=True, slots=True)
class Walked:
    """What a descent came to.

    Attributes:
        reached: bool [photo], judged on the released pixels by every surrogate.
        gradients: how many gradients of one photo towards one surrogate were taken.
    """

    reached: torch.Tensor
    gradients: int


@dataclass(frozen=True, slots=True)
class _Variation:
    """What each photo goes through before each step's gradient; see `bench.optim.diversity`."""

    shakes: list[torch.Tensor | None]
    qualities: torch.Tensor | None


class Scene:
    """Photos of one call that are in memory together.

    Args:
        patches: one a photo.
        crops: the distinct crops of the surrogates.
        surrogates: networks, each with the position of its crop.
        batch: photos in one forward pass.
        device: where.
    """

    def __init__(
        self,
        patches: Sequence[Patch],
        crops: Sequence[Crop],
        surrogates: Sequence[tuple[int, Surrogate]],
        batch: int,
        device: torch.device,
    ) -> None:
        self.patches, self._crops, self._surrogates = patches, crops, surrogates
        self._batch, self._device = batch, device
        self.stacks = stacked(patches, crops, device)
        self._where = torch.zeros((len(patches), 2), dtype=torch.int64, device=device)
        for s, stack in enumerate(self.stacks):
            self._where[stack.places, 0] = s
            self._where[stack.places, 1] = torch.arange(len(stack.members), device=device)

    def clean(self, encoders: Sequence[Encoder]) -> list[torch.Tensor]:
        """Embeddings of the clean photos, one [photo, dimensions] an encoder, by its own exact runtime."""
        everyone = torch.ones(len(self.patches), dtype=torch.bool, device=self._device)
        rows: list[list[torch.Tensor]] = [[] for _ in encoders]
        order = []
        for photos in self._batches(everyone):
            parts = [
                [stack.crop(c, own, stack.original[own].float() / 255) for c in range(len(self._crops))]
                for stack, own in self._by_stack(photos)
            ]
            views = [torch.cat([part[c] for part in parts]) for c in range(len(self._crops))]
            for found, encoder, (c, _) in zip(rows, encoders, self._surrogates, strict=True):
                found.append(encoder.embed(views[c]).to(self._device))
            order.append(photos)
        back = torch.cat(order).argsort()
        return [torch.cat(found)[back] for found in rows]

    def descend(
        self,
        perturbation: Perturbation,
        objectives: Sequence[Objective],
        clean: Sequence[torch.Tensor],
        descent: Descent,
        seed: int,
        digests: Sequence[str],
    ) -> Walked:
        """Walk until every photo has reached its goal or the steps are spent.

        A loss sees the other photos as they were one step before, so that it does not matter which of
        them share a batch; the goal is judged on all photos as they are now.

        Args:
            perturbation: what is optimised, in place.
            objectives: one a surrogate.
            clean: [photo, dimensions] a surrogate: where the embeddings start.
            descent: how to walk.
            seed: of the run.
            digests: one a photo.
        """
        variation = self._variation(descent, seed, digests)
        exact = descent.jitter == 0 and descent.jpeg == 0
        current = [c.clone() for c in clean]
        everyone = torch.arange(len(self.patches), device=self._device)
        moving = torch.ones(len(self.patches), dtype=torch.bool, device=self._device)
        gradients = 0
        for step in range(descent.steps):
            before = [c.clone() for c in current]
            for photos in self._batches(moving):
                gradients += len(photos) * len(self._surrogates)
                self._gradient(perturbation, photos, objectives, before, current, variation, step, descent)
            if not exact:
                self._embed(perturbation, moving, current)
            moving = perturbation.moving(_judged(objectives, everyone, current))
            if not moving.any():
                break
            perturbation.advance(moving)
        self._embed(perturbation, moving, current)
        return Walked(_judged(objectives, everyone, current), gradients)

    def released(self, perturbation: Perturbation) -> list[Image]:
        """The patches as they are published: uint8 [height, width, 3], in the order of the patches."""
        out: dict[int, Image] = {}
        for s, stack in enumerate(self.stacks):
            for rows in torch.arange(len(stack.members), device=self._device).split(self._batch):
                levels = perturbation.pixels(s, rows).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
                for row, pixels in zip(rows.tolist(), levels, strict=True):
                    photo = stack.members[row]
                    height, width = self.patches[photo].region.shape
                    out[photo] = np.ascontiguousarray(pixels[:height, :width])
        return [out[photo] for photo in range(len(self.patches))]

    def _gradient(
        self,
        perturbation: Perturbation,
        photos: torch.Tensor,
        objectives: Sequence[Objective],
        before: Sequence[torch.Tensor],
        current: Sequence[torch.Tensor],
        variation: _Variation,
        step: int,
        descent: Descent,
    ) -> None:
        """One forward and backward pass of some photos: new embeddings, and gradients absorbed."""
        parts: list[list[torch.Tensor]] = []
        leaves: list[torch.Tensor] = []
        groups = list(self._by_stack(photos))
        for stack, rows in groups:
            leaf = perturbation.pixels(self.stacks.index(stack), rows).requires_grad_(True)
            leaves.append(leaf)
            seen = leaf
            if variation.qualities is not None:
                seen = compressed(leaf, variation.qualities[stack.places[rows], step])
            seen = seen / 255
            parts.append(
                [
                    stack.crop(c, rows, seen, None if s is None else s[stack.places[rows], step])
                    for c, s in enumerate(variation.shakes)
                ]
            )
        views = [torch.cat([part[c] for part in parts]) for c in range(len(self._crops))]
        pulls = [torch.zeros_like(view) for view in views]
        for (c, surrogate), objective, old, new in zip(
            self._surrogates, objectives, before, current, strict=True
        ):
            new[photos], pull = surrogate.gradient(views[c], partial(_loss, objective, photos, old))
            pulls[c] += pull
        for (stack, rows), gradient in zip(groups, torch.autograd.grad(views, leaves, pulls), strict=True):
            perturbation.absorb(self.stacks.index(stack), rows, smoothed(gradient, descent.smoothing))

    def _embed(self, perturbation: Perturbation, which: torch.Tensor, into: Sequence[torch.Tensor]) -> None:
        """Embed some photos as they would be released, exactly aligned."""
        with torch.no_grad():
            for photos in self._batches(which):
                parts = [
                    [
                        stack.crop(c, rows, perturbation.pixels(self.stacks.index(stack), rows) / 255)
                        for c in range(len(self._crops))
                    ]
                    for stack, rows in self._by_stack(photos)
                ]
                views = [torch.cat([part[c] for part in parts]) for c in range(len(self._crops))]
                for (c, surrogate), bank in zip(self._surrogates, into, strict=True):
                    bank[photos] = surrogate.embed(views[c])

    def _batches(self, which: torch.Tensor) -> Iterator[torch.Tensor]:
        """Positions of the marked photos, those of one stack together, a batch at a time."""
        photos = which.nonzero()[:, 0]
        order = self._where[photos, 0].argsort(stable=True)
        if len(photos):
            yield from photos[order].split(self._batch)

    def _by_stack(self, photos: torch.Tensor) -> Iterator[tuple[Any, torch.Tensor]]:
        where = self._where[photos]
        for s in where[:, 0].unique_consecutive().tolist():
            yield self.stacks[s], where[where[:, 0] == s, 1]

    def _variation(self, descent: Descent, seed: int, digests: Sequence[str]) -> _Variation:
        drawn = [shakes(seed, digests, descent.steps, descent.jitter, crop.size) for crop in self._crops]
        quality = qualities(seed, digests, descent.steps, descent.jpeg)
        return _Variation(
            [None if d is None else torch.from_numpy(d).to(self._device) for d in drawn],
            None if quality is None else torch.from_numpy(quality).to(self._device),
        )


def _loss(
    objective: Objective, photos: torch.Tensor, current: torch.Tensor, embeddings: torch.Tensor
) -> torch.Tensor:
    return objective(embeddings, photos, current)[0]


def _judged(
    objectives: Sequence[Objective], photos: torch.Tensor, current: Sequence[torch.Tensor]
) -> torch.Tensor:
    """Which photos have reached the goal for every surrogate: bool [photo]."""
    with torch.no_grad():
        verdicts = [
            objective(bank, photos, bank)[1] for objective, bank in zip(objectives, current, strict=True)
        ]
    return torch.stack(verdicts).all(0)
