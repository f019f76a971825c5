"""Gradients of the loss towards photos: through what a descent varies, and with what it adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch

from bench.descent import Descent, Penalty, Pictures
from bench.optim.diversity import compressed, qualities, shakes, smoothed
from bench.optim.measures import measure_of
from bench.optim.randomness import PhotoMoment, photo_keys
from bench.optim.scene import Part, Scene
from bench.optim.surrogate import Dropped
from bench.optim.variations import variation_of
from bench.optim.warping import lattice
from bench.protocols import Objective

Others = Callable[[int], torch.Tensor]
"""Crop -> the aligned faces of the reference people, [person, 3, size, size] in [0, 1]."""

_ESTIMATE, _DROPOUT, _FIRST = 0, 1, 2
"""Numbers of the parts that draw: the estimate, the dropout, and from `_FIRST` on the variations in order."""


class Draws:
    """Everything random about the gradients of one descent.

    Args:
        scene: The photos.
        descent: What is varied.
        seed: The seed of the run.
        digests: The content digest of each photo.
        others: The reference people, for variations that look at them.
    """

    def __init__(
        self, scene: Scene, descent: Descent, seed: int, digests: Sequence[str], others: Others
    ) -> None:
        self.scene, self.descent, self.others = scene, descent, others
        self.variations = [variation_of(chosen) for chosen in descent.variations]
        self._seed, self._digests = seed, digests
        self._keys = photo_keys(seed, digests).to(scene.device)
        self._shakes: dict[tuple[int, int], torch.Tensor | None] = {}
        self._qualities: dict[int, torch.Tensor | None] = {}

    @property
    def some(self) -> bool:
        """Whether the embeddings of a step are of anything but the photos that would be released."""
        d = self.descent
        return bool(d.jitter or d.jpeg or d.dropout or self.variations or d.estimate)

    def keys(self, part: Part) -> torch.Tensor:
        """The keys of a part's photos: int64 [n]."""
        return self._keys[self.places(part)]

    def places(self, part: Part) -> torch.Tensor:
        """Which photos a part holds: int64 [n]."""
        return self.scene.stacks[part[0]].places[part[1]]

    def shake(self, copy: int, crop: int) -> torch.Tensor | None:
        """Maps of crop pixels, [photo, steps, 3, 3]; None without jitter."""
        if (copy, crop) not in self._shakes:
            d, size = self.descent, self.scene.crops[crop].size
            drawn = shakes(self._seed, self._digests, d.steps, d.jitter, size, copy)
            self._shakes[copy, crop] = None if drawn is None else self._on_device(torch.from_numpy(drawn))
        return self._shakes[copy, crop]

    def quality(self, copy: int) -> torch.Tensor | None:
        """JPEG qualities, [photo, steps]; None without JPEG."""
        if copy not in self._qualities:
            drawn = qualities(self._seed, self._digests, self.descent.steps, self.descent.jpeg, copy)
            self._qualities[copy] = None if drawn is None else self._on_device(torch.from_numpy(drawn))
        return self._qualities[copy]

    def _on_device(self, drawn: torch.Tensor) -> torch.Tensor:
        return drawn.to(self.scene.device)


class VariedLens:
    """What lies between photos and their crops for one gradient of one step; see `bench.optim.scene.Lens`."""

    def __init__(self, draws: Draws, step: int, copy: int) -> None:
        self._draws, self._step, self._copy = draws, step, copy

    def photo(self, part: Part, levels: torch.Tensor) -> torch.Tensor:
        """Through the variations of photos, then through JPEG."""
        landmarks = self._draws.scene.stacks[part[0]].landmarks[part[1]]
        for number, variation in enumerate(self._draws.variations):
            levels = variation.photo(levels, self._moment(part, number, landmarks))
        quality = self._draws.quality(self._copy)
        if quality is not None:
            levels = compressed(levels, quality[self._draws.places(part), self._step])
        return levels

    def shake(self, part: Part, crop: int) -> torch.Tensor | None:
        """As if the face had been found anew."""
        maps = self._draws.shake(self._copy, crop)
        return None if maps is None else maps[self._draws.places(part), self._step]

    def points(self, part: Part, crop: int) -> torch.Tensor | None:
        """Through the variations of where pixels look."""
        if not self._draws.variations:
            return None
        stack, size = self._draws.scene.stacks[part[0]], self._draws.scene.crops[crop].size
        flat = lattice(size, stack.matrices[crop]).view(1, size, size, 2)
        points = flat.expand(len(part[1]), size, size, 2)
        landmarks = stack.landmarks_in(crop, part[1])
        for number, variation in enumerate(self._draws.variations):
            points = variation.points(points, self._moment(part, number, landmarks))
        return points.double()

    def view(self, part: Part, crop: int, view: torch.Tensor) -> torch.Tensor:
        """Through the variations of aligned faces."""
        if not self._draws.variations:
            return view
        landmarks = self._draws.scene.stacks[part[0]].landmarks_in(crop, part[1])
        for number, variation in enumerate(self._draws.variations):
            moment = self._moment(part, number, landmarks, partial(self._draws.others, crop))
            view = variation.view(view, moment)
        return view

    def dropped(self, parts: Sequence[Part], surrogate: int) -> Dropped | None:
        """What the network of one surrogate, by its number, goes without; None for nothing."""
        if not self._draws.descent.dropout:
            return None
        keys = torch.cat([self._draws.keys(part) for part in parts])
        return Dropped(self._draws.descent.dropout, keys, (self._step, self._copy, _DROPOUT, surrogate))

    def _moment(
        self,
        part: Part,
        number: int,
        landmarks: torch.Tensor,
        others: Callable[[], torch.Tensor] | None = None,
    ) -> PhotoMoment:
        keys = self._draws.keys(part)
        return PhotoMoment(keys, self._step, self._copy, _FIRST + number, landmarks, others)


class Slopes:
    """The gradients that a descent absorbs.

    Args:
        draws: Everything random.
        objectives: What each surrogate's embeddings are judged by.
    """

    def __init__(self, draws: Draws, objectives: Sequence[Objective]) -> None:
        self._draws, self._scene, self._descent = draws, draws.scene, draws.descent
        self._objectives = objectives
        self._penalties = [
            WeighedPenalty(penalty, len(self._scene.patches), self._scene.device)
            for penalty in self._descent.penalties
        ]
        count = self._descent.estimate.memory if self._descent.estimate else 0
        self._memory = [
            [torch.zeros(stack.original.shape, device=self._scene.device) for _ in range(count)]
            for stack in self._scene.stacks
        ]
        self.taken = 0
        """How many gradients of one photo towards one surrogate were taken."""

    def at(
        self,
        photos: torch.Tensor,
        levels: Sequence[torch.Tensor],
        step: int,
        before: Sequence[torch.Tensor],
        current: Sequence[torch.Tensor],
    ) -> list[torch.Tensor]:
        """The gradient of one step towards the pixels of each part of a batch.

        Args:
            photos: int64 [n] on the host: One batch of the scene; with an estimate, of one stack.
            levels: The photos as they would be released, part by part.
            step: The number of the step.
            before: [photo, dimensions] of each surrogate: What the loss sees of the other photos.
            current: The same; the embeddings of these photos go into it.
        """
        parts = self._scene.parts(photos)
        calls = 0

        def slope(points: Sequence[torch.Tensor]) -> list[torch.Tensor]:
            nonlocal calls
            lens = VariedLens(self._draws, step, calls)
            calls += 1
            return self._slope(photos, parts, points, lens, before, current if calls == 1 else None)

        if self._descent.estimate is None:
            slopes = slope(levels)
            for _ in range(self._descent.copies - 1):
                for total, more in zip(slopes, slope(levels), strict=True):
                    total += more
            if self._descent.copies > 1:
                slopes = [total / self._descent.copies for total in slopes]
        else:
            slopes = [self._estimated(parts[0], levels[0], step, lambda point: slope([point])[0])]
        slopes = [smoothed(total, self._descent.smoothing) for total in slopes]
        for part, own, total in zip(parts, levels, slopes, strict=True):
            for penalty in self._penalties:
                stack = self._scene.stacks[part[0]]
                leaf = own.detach().requires_grad_(True)
                total += penalty.slope(stack.pictures(part[1], leaf), self._draws.places(part))
        places = [self._draws.places(part) for part in parts]
        return [self._scene.finite(-1, own, slope) for own, slope in zip(places, slopes, strict=True)]

    def _estimated(
        self, part: Part, levels: torch.Tensor, step: int, slope: Callable[[torch.Tensor], torch.Tensor]
    ) -> torch.Tensor:
        assert self._descent.estimate is not None
        stack, rows = self._scene.stacks[part[0]], part[1]
        moment = PhotoMoment(self._draws.keys(part), step, 0, _ESTIMATE, stack.landmarks[rows])
        memory = [kept[rows] for kept in self._memory[part[0]]]
        gradient = self._descent.estimate(stack.pictures(rows, levels), slope, memory, moment)
        for kept, new in zip(self._memory[part[0]], memory, strict=True):
            kept[rows] = new
        return gradient

    def _slope(
        self,
        photos: torch.Tensor,
        parts: Sequence[Part],
        levels: Sequence[torch.Tensor],
        lens: VariedLens,
        before: Sequence[torch.Tensor],
        into: Sequence[torch.Tensor] | None,
    ) -> list[torch.Tensor]:
        """One pass through every surrogate: the gradient towards the pixels of each part."""
        self.taken += len(photos) * len(self._scene.surrogates)
        where = photos.to(self._scene.device)
        leaves = [own.detach().requires_grad_(True) for own in levels]
        views = self._scene.views(parts, leaves, lens)
        pulls = [torch.zeros_like(view) for view in views]
        for i, (c, surrogate) in enumerate(self._scene.surrogates):
            loss = partial(_loss, self._objectives[i], where, before[i])
            embeddings, pull = surrogate.gradient(views[c], loss, lens.dropped(parts, i))
            pulls[c] += self._scene.finite(i, where, pull)
            if into is not None:
                self._scene.keep(into[i], i, where, embeddings)
        return list(torch.autograd.grad(views, leaves, pulls))


class WeighedPenalty:
    """A penalty with the weight that it has for each photo by now."""

    def __init__(self, penalty: Penalty, photos: int, device: torch.device) -> None:
        self._penalty, self._measure = penalty, measure_of(penalty.measure)
        self._weights = torch.full((photos,), penalty.weight, device=device)

    def slope(self, pictures: Pictures, places: torch.Tensor) -> torch.Tensor:
        """The penalty's gradient towards `levels`; the photos' weights become those of the next step."""
        p = self._penalty
        value = self._measure(pictures)
        excess = (value - p.beyond).clamp_min(0) ** p.power
        weights = self._weights[places]
        (slope,) = torch.autograd.grad((weights * excess).sum(), pictures.levels)
        above, below = value > p.beyond * (1 + p.slack), value < p.beyond * (1 - p.slack)
        self._weights[places] = torch.where(
            above, weights * p.adapt, weights / torch.where(below, p.adapt, 1)
        )
        return slope


def _loss(
    objective: Objective, photos: torch.Tensor, current: torch.Tensor, embeddings: torch.Tensor
) -> torch.Tensor:
    return objective(embeddings, photos, current)[0]
