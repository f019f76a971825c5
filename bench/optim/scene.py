"""One wave of photos on the device: what each crop sees of them, their embeddings, and their release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch

from bench.optim.patches import Patch, stacked
from bench.optim.perturbation import Perturbation
from bench.optim.surrogate import Surrogate
from bench.protocols import Encoder
from bench.types import Crop, Image

Part = tuple[int, torch.Tensor]
"""Photos of one stack: its number, and int64 [n] rows of it on the device."""


class Lens(Protocol):
    """What lies between photos and the crops of them."""

    def photo(self, part: Part, levels: torch.Tensor) -> torch.Tensor:
        """Varied photos, float [n, 3, height, width] in levels."""

    def shake(self, part: Part, crop: int) -> torch.Tensor | None:
        """A map of crop pixels to put after the alignment, float64 [n, 3, 3]; None for none."""

    def points(self, part: Part, crop: int) -> torch.Tensor | None:
        """Where each pixel of the crop looks, float64 [n, size, size, 2]; None for itself."""

    def view(self, part: Part, crop: int, view: torch.Tensor) -> torch.Tensor:
        """Varied crops, float [n, 3, size, size] in [0, 1]."""


class Scene:
    """Photos of one call that are in memory together.

    Args:
        patches: The patch of each photo.
        crops: The distinct crops of the surrogates.
        surrogates: The networks, each with the position of its crop.
        batch: How many photos a forward pass takes.
        device: Where everything is computed.
    """

    def __init__(
        self,
        patches: Sequence[Patch],
        crops: Sequence[Crop],
        surrogates: Sequence[tuple[int, Surrogate]],
        batch: int,
        device: torch.device,
    ) -> None:
        self.patches, self.crops, self.surrogates = patches, crops, surrogates
        self.batch, self.device = batch, device
        self.stacks = stacked(patches, crops, device)
        self.spoilt = torch.zeros((len(surrogates) + 1, len(patches)), dtype=torch.bool, device=device)
        """bool [surrogate, photo]: where a gradient or an embedding on the way was not finite. The last row
        is of everything but the surrogates, such as a penalty."""
        # on the host, so that sorting photos into batches never waits for the device
        self._where = torch.zeros((len(patches), 2), dtype=torch.int64)
        for s, stack in enumerate(self.stacks):
            members = torch.tensor(stack.members)
            self._where[members, 0], self._where[members, 1] = s, torch.arange(len(members))

    def clean(self, encoders: Sequence[Encoder]) -> list[torch.Tensor]:
        """Embeddings of the clean photos, [photo, dimensions] of each encoder, by its own exact runtime."""
        banks: list[list[torch.Tensor]] = [[] for _ in encoders]
        order = []
        for photos in self.batches(torch.ones(len(self.patches), dtype=torch.bool)):
            parts = self.parts(photos)
            views = self.views(parts, self.originals(parts))
            for bank, encoder, (c, _) in zip(banks, encoders, self.surrogates, strict=True):
                bank.append(encoder.embed(views[c]).to(self.device))
            order.append(photos)
        back = torch.cat(order).argsort().to(self.device)
        return [torch.cat(bank)[back] for bank in banks]

    def originals(self, parts: Sequence[Part]) -> list[torch.Tensor]:
        """The clean photos of each part, float in levels."""
        return [self.stacks[s].original[rows].float() for s, rows in parts]

    def released(self, perturbation: Perturbation) -> list[Image]:
        """The patches as they are published: uint8 [height, width, 3], in the order of the patches."""
        out: dict[int, Image] = {}
        for s, stack in enumerate(self.stacks):
            for rows in torch.arange(len(stack.members), device=self.device).split(self.batch):
                levels = perturbation.pixels(s, rows).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
                for row, pixels in zip(rows.tolist(), levels, strict=True):
                    photo = stack.members[row]
                    height, width = self.patches[photo].region.shape
                    out[photo] = np.ascontiguousarray(pixels[:height, :width])
        return [out[photo] for photo in range(len(self.patches))]

    def views(
        self, parts: Sequence[Part], levels: Sequence[torch.Tensor], lens: Lens | None = None
    ) -> list[torch.Tensor]:
        """What each crop sees of some photos: [n, 3, size, size] in [0, 1], part after part.

        Args:
            parts: The photos.
            levels: Their pixels, part by part.
            lens: What lies in between; None for nothing.
        """
        seen: list[list[torch.Tensor]] = [[] for _ in self.crops]
        for part, own in zip(parts, levels, strict=True):
            s, rows = part
            pixels = (own if lens is None else lens.photo(part, own)) / 255
            for c, views in enumerate(seen):
                if lens is None:
                    views.append(self.stacks[s].crop(c, rows, pixels))
                else:
                    view = self.stacks[s].crop(c, rows, pixels, lens.shake(part, c), lens.points(part, c))
                    views.append(lens.view(part, c, view))
        return [torch.cat(views) for views in seen]

    def embed(self, perturbation: Perturbation, which: torch.Tensor, into: Sequence[torch.Tensor]) -> None:
        """Embed the photos marked in bool [photo] as they would be released, exactly aligned."""
        with torch.no_grad():
            for photos in self.batches(which):
                parts = self.parts(photos)
                views = self.views(parts, [perturbation.pixels(s, rows) for s, rows in parts])
                for i, ((c, surrogate), bank) in enumerate(zip(self.surrogates, into, strict=True)):
                    self.keep(bank, i, photos.to(self.device), surrogate.embed(views[c]))

    def keep(self, bank: torch.Tensor, surrogate: int, photos: torch.Tensor, rows: torch.Tensor) -> None:
        """Put embeddings of some photos into a bank, but for those that are not finite, which are marked.

        The losses of other photos look at the bank: what one photo spoils must not reach them.

        Args:
            bank: [photo, dimensions], changed in place.
            surrogate: Whose embeddings they are.
            photos: int64 [n] on the device, which photos they are.
            rows: [n, dimensions].
        """
        good = torch.isfinite(rows).all(1)
        self.spoilt[surrogate, photos] |= ~good
        bank[photos] = torch.where(good[:, None], rows, bank[photos])

    def finite(self, surrogate: int, photos: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        """The gradients [n, 3, height, width] of some photos; one that is not finite is marked, and zero.

        Args:
            surrogate: Whose gradients they are; -1 for the sum of everything.
            photos: int64 [n] on the device, which photos they are of.
            slope: The gradients.
        """
        good = torch.isfinite(slope).flatten(1).all(1)
        self.spoilt[surrogate, photos] |= ~good
        return torch.where(good[:, None, None, None], slope, 0)

    def batches(self, which: torch.Tensor, *, apart: bool = False) -> Iterator[torch.Tensor]:
        """Positions of the marked photos on the host, those of one stack together, a batch at a time.

        Args:
            which: bool [photo].
            apart: Whether photos of different stacks are in different batches.
        """
        photos = which.cpu().nonzero()[:, 0]
        if len(photos):
            photos = photos[self._where[photos, 0].argsort(stable=True)]
            counts = self._where[photos, 0].unique_consecutive(return_counts=True)[1].tolist()
            for group in photos.split(counts) if apart else [photos]:
                yield from group.split(self.batch)

    def parts(self, photos: torch.Tensor) -> list[Part]:
        """The photos of one batch, stack by stack; their order stays."""
        where = self._where[photos]
        stacks = where[:, 0].unique_consecutive().tolist()
        return [(s, where[where[:, 0] == s, 1].to(self.device)) for s in stacks]
