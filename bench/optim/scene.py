"""One wave of photos on the device: embed them, walk down a goal's loss, release them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from bench.optim.diversity import compressed, qualities, shakes, smoothed
from bench.optim.patches import Patch, stacked
from bench.optim.perturbation import Perturbation
from bench.optim.surrogate import Surrogate
from bench.protocols import Descent, Encoder, Objective
from bench.types import Crop, Image

Levels = Callable[[int, torch.Tensor], torch.Tensor]
"""Stack and rows -> pixels in levels: float [n, 3, height, width]."""


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

    @property
    def some(self) -> bool:
        """Whether anything varies at all."""
        return self.qualities is not None or any(shake is not None for shake in self.shakes)


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
        # on the host, so that sorting photos into batches never waits for the device
        self._where = torch.zeros((len(patches), 2), dtype=torch.int64)
        for s, stack in enumerate(self.stacks):
            members = torch.tensor(stack.members)
            self._where[members, 0], self._where[members, 1] = s, torch.arange(len(members))

    def clean(self, encoders: Sequence[Encoder]) -> list[torch.Tensor]:
        """Embeddings of the clean photos, one [photo, dimensions] an encoder, by its own exact runtime."""
        found: list[list[torch.Tensor]] = [[] for _ in encoders]
        order = []
        for photos in self._batches(torch.ones(len(self.patches), dtype=torch.bool)):
            views, _ = self._views(photos, lambda s, rows: self.stacks[s].original[rows].float())
            for rows, encoder, (c, _) in zip(found, encoders, self._surrogates, strict=True):
                rows.append(encoder.embed(views[c]).to(self._device))
            order.append(photos)
        back = torch.cat(order).argsort().to(self._device)
        return [torch.cat(rows)[back] for rows in found]

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
        current = [c.clone() for c in clean]
        moving = torch.ones(len(self.patches), dtype=torch.bool, device=self._device)
        gradients = 0
        for step in range(descent.steps):
            before = [c.clone() for c in current]
            for photos in self._batches(moving):
                gradients += len(photos) * len(self._surrogates)
                views, leaves = self._views(photos, perturbation.pixels, variation, step)
                pulls = self._pulls(views, photos.to(self._device), objectives, before, current)
                slopes = torch.autograd.grad(views, list(leaves), pulls)
                for slope, (s, rows) in zip(slopes, leaves.values(), strict=True):
                    perturbation.absorb(s, rows, smoothed(slope, descent.smoothing))
            reached = _judged(objectives, current)
            if variation.some and reached.any():
                # judged on a variation of the photo: look at the very pixels before believing it
                self._embed(perturbation, reached & moving, current)
                reached = _judged(objectives, current)
            moving = perturbation.moving(reached)
            if not moving.any():
                break
            perturbation.advance(moving)
        self._embed(perturbation, moving, current)
        return Walked(_judged(objectives, current), gradients)

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

    def _views(
        self, photos: torch.Tensor, levels: Levels, variation: _Variation | None = None, step: int = 0
    ) -> tuple[list[torch.Tensor], dict[torch.Tensor, tuple[int, torch.Tensor]]]:
        """What each crop sees of some photos, and the pixels it comes from with their stack and rows."""
        leaves: dict[torch.Tensor, tuple[int, torch.Tensor]] = {}
        parts: list[list[torch.Tensor]] = []
        where = self._where[photos]
        for s in where[:, 0].unique_consecutive().tolist():
            rows = where[where[:, 0] == s, 1].to(self._device)
            stack = self.stacks[s]
            leaf = levels(s, rows).requires_grad_(variation is not None)
            leaves[leaf] = (s, rows)
            seen = leaf
            shaken: list[torch.Tensor | None] = [None] * len(self._crops)
            if variation is not None:
                places = stack.places[rows]
                shaken = [None if d is None else d[places, step] for d in variation.shakes]
                if variation.qualities is not None:
                    seen = compressed(leaf, variation.qualities[places, step])
            parts.append([stack.crop(c, rows, seen / 255, shake) for c, shake in enumerate(shaken)])
        return [torch.cat([part[c] for part in parts]) for c in range(len(self._crops))], leaves

    def _pulls(
        self,
        views: Sequence[torch.Tensor],
        photos: torch.Tensor,
        objectives: Sequence[Objective],
        before: Sequence[torch.Tensor],
        current: Sequence[torch.Tensor],
    ) -> list[torch.Tensor]:
        """Gradient of all surrogates' losses towards each crop; their embeddings go into `current`."""
        pulls = [torch.zeros_like(view) for view in views]
        for (c, surrogate), objective, old, new in zip(
            self._surrogates, objectives, before, current, strict=True
        ):
            new[photos], pull = surrogate.gradient(views[c], partial(_loss, objective, photos, old))
            pulls[c] += pull
        return pulls

    def _embed(self, perturbation: Perturbation, which: torch.Tensor, into: Sequence[torch.Tensor]) -> None:
        """Embed some photos as they would be released, exactly aligned."""
        with torch.no_grad():
            for photos in self._batches(which):
                views, _ = self._views(photos, perturbation.pixels)
                for (c, surrogate), bank in zip(self._surrogates, into, strict=True):
                    bank[photos.to(self._device)] = surrogate.embed(views[c])

    def _batches(self, which: torch.Tensor) -> Iterator[torch.Tensor]:
        """Positions of the marked photos on the host, those of one stack together, a batch at a time."""
        photos = which.cpu().nonzero()[:, 0]
        if len(photos):
            yield from photos[self._where[photos, 0].argsort(stable=True)].split(self._batch)

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


def _judged(objectives: Sequence[Objective], current: Sequence[torch.Tensor]) -> torch.Tensor:
    """Which photos have reached the goal for every surrogate: bool [photo]."""
    everyone = torch.arange(len(current[0]), device=current[0].device)
    with torch.no_grad():
        verdicts = [o(bank, everyone, bank)[1] for o, bank in zip(objectives, current, strict=True)]
    return torch.stack(verdicts).all(0)
