"""The cloaking engine: many photos of many users, several surrogates, one budget, on the photo's own pixels.

Each step takes the gradient of a goal's loss through every surrogate's alignment and network, in batches that
may hold anybody's photos; then judges every photo on exactly the 8-bit pixels that would be released. Photos
that have reached the goal stand still, and start again if a later step of another photo undoes it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import numpy.typing as npt
import torch

from bench.adaptations.methods import Adversarial
from bench.errors import UserError
from bench.machine.progress import Progress
from bench.machine.workers import exact_gpu
from bench.metrics.lpips import Lpips
from bench.optim.frame import aligned, laid
from bench.optim.gradients import Draws
from bench.optim.hardening import hardened
from bench.optim.limits import Bounds, bounds_of
from bench.optim.measures import SURROUND, measured_by
from bench.optim.patches import Patch, cut
from bench.optim.perturbation import OwnPixels, Perturbation, UserMask, first_masks
from bench.optim.region import face_region
from bench.optim.scene import Scene
from bench.optim.strongest import strongest
from bench.optim.surrogate import Surrogate, precision_for
from bench.optim.updates import needs_levels
from bench.optim.walk import walk
from bench.protocols import Descent, Encoder, Goal, Ground, Kit
from bench.store.cache import Cache
from bench.types import Album, Budget, Crop, Face, Image

_log = logging.getLogger("bench.optim")


@dataclass(frozen=True, slots=True)
class _Subject:
    """One photo that can be cloaked: whose it is, where it goes, and its patch."""

    user: int
    position: int
    digest: str
    patch: Patch


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one call.

    Attributes:
        photos: What `bench.protocols.Defense.cloak` returns.
        reached: For each album and photo, whether its goal was reached; False where there is no face.
        gradients: How many gradients of one photo towards one surrogate were taken.
    """

    photos: list[list[Image | None]]
    reached: list[list[bool]]
    gradients: int


class CloakingEngine:
    """See `bench.protocols.Engine`.

    Args:
        device: `cpu`, `cuda`, `cuda:1`.
        precision: `auto`, `fp32` or `bf16`: The precision of the surrogates' gradients; photos are float32.
        batch: How many photos a forward pass takes; None: 16 on a CPU (its caches), 64 on a GPU.
        wave: How many megapixels of patches are in memory at a time, about 30 MB each, and 12 MB more for
            each tensor that an update or an estimate remembers beyond one. Users are never split.
        lpips: What LPIPS is measured with, for defenses that need it.
        cache: Keeps hardened surrogates, which take minutes; None keeps them as long as the engine lives.
        progress: Told of their training.
    """

    def __init__(
        self,
        device: str = "cpu",
        *,
        precision: str = "auto",
        batch: int | None = None,
        wave: float = 16.0,
        lpips: Lpips | None = None,
        cache: Cache | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._device = torch.device(device)
        self._precision_given = precision
        self._precision = precision_for(precision, self._device)
        self._batch = batch or (64 if self._device.type == "cuda" else 16)
        self._wave, self._lpips = wave, lpips
        self._cache, self._progress = cache, progress
        self._ready: dict[int, tuple[Encoder, Surrogate]] = {}
        self._reference: dict[tuple[int, tuple[str, ...]], torch.Tensor] = {}
        self._aligned: dict[tuple[Crop, tuple[str, ...]], torch.Tensor] = {}
        self._hardened: dict[tuple[int, tuple[str, ...], Adversarial, int], Encoder] = {}

    def resolved(self) -> dict[str, object]:
        """Every parameter, with what `auto` became on this machine for networks of convolutions."""
        return {
            "device": str(self._device),
            "precision": self._precision,
            "precision_asked": self._precision_given,
            "batch": self._batch,
            "wave_megapixels": self._wave,
        }

    def region(self, photo: Image, face: Face | None) -> npt.NDArray[np.bool_] | None:
        """Where a photo may be changed: bool [height, width]; None where there is no face to align."""
        if face is None:
            return None
        try:
            return face_region(face, photo.shape[0], photo.shape[1])
        except ValueError:  # landmarks in one point, or a face outside the photo: nothing to align
            return None

    def aligned(self, photo: Image, face: Face) -> torch.Tensor:
        """See `bench.protocols.Engine.aligned`."""
        return aligned(photo, face)

    def laid(self, mask: torch.Tensor, photo: Image, face: Face) -> Image:
        """See `bench.protocols.Engine.laid`."""
        return laid(mask, photo, face)

    def strongest(self, photo: Image, face: Face, budget: Budget, change: Callable[[float], Image]) -> Image:
        """See `bench.protocols.Engine.strongest`."""
        return strongest(cut(photo, face, (), SURROUND), bounds_of(budget), change)

    def cloak(
        self, albums: Sequence[Album], kit: Kit, goal: Goal, descent: Descent
    ) -> list[list[Image | None]]:
        """See `bench.protocols.Engine.cloak`."""
        return self.run(albums, kit, goal, descent).photos

    def cloak_universal(
        self, albums: Sequence[Album], kit: Kit, goal: Goal, descent: Descent, *, learn: int
    ) -> list[list[Image | None]]:
        """See `bench.protocols.Engine.cloak_universal`."""
        return self.run(albums, kit, goal, descent, learn=learn).photos

    def run(
        self, albums: Sequence[Album], kit: Kit, goal: Goal, descent: Descent, *, learn: int | None = None
    ) -> Run:
        """Cloak, and say what was reached.

        Args:
            albums: The users' photos.
            kit: Budget, surrogates, reference people and seed.
            goal: What to optimise.
            descent: How to walk.
            learn: None for every photo's own pixels; else one mask a user, learned on this many photos.

        Raises:
            UserError: without surrogates, for a budget that the descent cannot keep, and for a descent that
                is out of range.
        """
        if not kit.surrogates:
            raise UserError("this defense optimises against a surrogate and has none. Name one: --surrogate.")
        if kit.budget.kind != "linf" and needs_levels(descent):
            raise UserError(
                f"this defense needs a budget it can keep, not {kit.budget}. Try --budget linf:8."
            )
        descent.check()
        if descent.hardened:
            copies = [self._hard(encoder, kit, descent.hardened) for encoder in kit.surrogates]
            kit = replace(kit, surrogates=(*kit.surrogates, *copies))
        descent = measured_by(descent, self._lpips)
        bounds = bounds_of(kit.budget, descent.limits)
        parts = bounds.measured or descent.penalties or descent.variations or descent.estimate
        surround = SURROUND if parts else 0
        out: list[list[Image | None]] = [[None] * len(a.photos) for a in albums]
        reached = [[False] * len(a.photos) for a in albums]
        crops = tuple(dict.fromkeys(s.card.crop for s in kit.surrogates))
        gradients = 0
        for subjects in self._waves(_subjects(albums, crops, surround)):
            with nullcontext() if self._device.type == "cpu" else exact_gpu():
                patches, done, spent = self._optimised(subjects, crops, kit, goal, descent, bounds, learn)
            gradients += spent
            for subject, pixels, success in zip(subjects, patches, done, strict=True):
                if pixels is None:
                    continue
                released = albums[subject.user].photos[subject.position].copy()
                height, width = pixels.shape[:2]
                top, left = subject.patch.top, subject.patch.left
                released[top : top + height, left : left + width] = pixels
                out[subject.user][subject.position] = released
                reached[subject.user][subject.position] = success
        return Run(out, reached, gradients)

    def _optimised(
        self,
        subjects: Sequence[_Subject],
        crops: tuple[Crop, ...],
        kit: Kit,
        goal: Goal,
        descent: Descent,
        bounds: Bounds,
        learn: int | None,
    ) -> tuple[list[Image | None], list[bool], int]:
        """Released patches, whether each reached the goal, and how many gradients it took.

        A patch is None where gradients were not finite: of the photo's own pixels, or, where users have
        masks, of all photos that the user's mask was to be learned on.
        """
        if bounds.levels == 0:
            return [s.patch.pixels for s in subjects], [False] * len(subjects), 0
        taught = list(range(len(subjects))) if learn is None else _taught(subjects, learn)
        digests = [subjects[i].digest for i in taught]
        owners = self._owners(subjects)
        scene = self._scene([subjects[i].patch for i in taught], crops, kit.surrogates)
        perturbation: Perturbation
        if learn is None:
            perturbation = OwnPixels(
                scene.stacks, scene.patches, bounds, descent, kit.seed, digests, self._batch
            )
        else:
            masks = first_masks(owners[taught], bounds, descent, kit.seed, digests)
            perturbation = UserMask(scene.stacks, scene.patches, owners[taught], bounds, descent, masks)
        clean = scene.clean(kit.surrogates)
        objectives = [
            goal(Ground(own, owners[taught], self._people(encoder, kit.reference), tuple(digests), kit.seed))
            for own, encoder in zip(clean, kit.surrogates, strict=True)
        ]
        draws = Draws(scene, descent, kit.seed, digests, lambda c: self._faces(crops[c], kit.reference))
        walked = walk(draws, perturbation, objectives, clean)
        _log.info("%d of %d photos reached the goal", int(walked.reached.sum()), len(taught))
        reached = [False] * len(subjects)
        for i, done in zip(taught, walked.reached.tolist(), strict=True):
            reached[i] = done
        failed = _failed(scene.spoilt, owners, taught)
        if any(failed):
            _tell(scene.spoilt, [encoder.card.name for encoder in kit.surrogates], digests)
        if isinstance(perturbation, UserMask):
            scene = self._scene([s.patch for s in subjects], crops, kit.surrogates)
            perturbation = UserMask(scene.stacks, scene.patches, owners, bounds, descent, perturbation.masks)
        released = scene.released(perturbation)
        patches = [None if fails else own for own, fails in zip(released, failed, strict=True)]
        return patches, reached, walked.gradients

    def _scene(self, patches: Sequence[Patch], crops: tuple[Crop, ...], encoders: Sequence[Encoder]) -> Scene:
        ready = [(crops.index(e.card.crop), self._surrogate(e)) for e in encoders]
        return Scene(patches, crops, ready, self._batch, self._device)

    def _owners(self, subjects: Sequence[_Subject]) -> torch.Tensor:
        numbers = {user: i for i, user in enumerate(dict.fromkeys(s.user for s in subjects))}
        return torch.tensor([numbers[s.user] for s in subjects], device=self._device)

    def _surrogate(self, encoder: Encoder) -> Surrogate:
        """The encoder's network, made ready once."""
        if id(encoder) not in self._ready:
            surrogate = Surrogate(encoder, self._device, self._precision_given, self._batch)
            self._ready[id(encoder)] = (encoder, surrogate)
        return self._ready[id(encoder)][1]

    def _hard(self, encoder: Encoder, kit: Kit, radius: float) -> Encoder:
        """A copy of a surrogate that perturbations of reference people mislead less, trained once."""
        self._surrogate(encoder)  # keeps the encoder alive, and with it the meaning of its id
        how = Adversarial(radius=radius)
        key = (id(encoder), kit.reference.digests, how, kit.seed)
        if key not in self._hardened:
            faces = self._faces(encoder.card.crop, kit.reference)
            self._hardened[key] = hardened(encoder, faces, how, kit.seed, self._cache, self._progress)
        return self._hardened[key]

    def _people(self, encoder: Encoder, reference: Album) -> torch.Tensor:
        """Embeddings [person, dimensions] of the reference people who have a face, computed once."""
        self._surrogate(encoder)  # keeps the encoder alive, and with it the meaning of its id
        key = (id(encoder), reference.digests)
        if key not in self._reference:
            crop = encoder.card.crop
            patches = [s.patch for s in _subjects([reference], (crop,))]
            embeddings = [torch.zeros((0, encoder.card.dimensions), device=self._device)]
            if patches:
                embeddings += self._scene(patches, (crop,), [encoder]).clean([encoder])
            self._reference[key] = torch.cat(embeddings)
        return self._reference[key]

    def _faces(self, crop: Crop, reference: Album) -> torch.Tensor:
        """Aligned faces [person, 3, size, size] in [0, 1] of the reference people, cut once.

        Raises:
            UserError: if there are none.
        """
        key = (crop, reference.digests)
        if key not in self._aligned:
            patches = [s.patch for s in _subjects([reference], (crop,))]
            if not patches:
                raise UserError("this defense looks at reference people and there are none.")
            scene = self._scene(patches, (crop,), [])
            faces = torch.zeros((len(patches), 3, crop.size, crop.size), device=self._device)
            for photos in scene.batches(torch.ones(len(patches), dtype=torch.bool)):
                parts = scene.parts(photos)
                (faces[photos.to(self._device)],) = scene.views(parts, scene.originals(parts))
            self._aligned[key] = faces
        return self._aligned[key]

    def _waves(self, subjects: Iterable[_Subject]) -> Iterator[list[_Subject]]:
        """Whole users, as many as fit into memory together; one user is never split."""
        wave: list[_Subject] = []
        size = 0.0
        for user in _by_user(subjects):
            pixels = sum(s.patch.region.size for s in user) / 1e6
            if wave and size + pixels > self._wave:
                yield wave
                wave, size = [], 0.0
            wave, size = wave + user, size + pixels
        if wave:
            yield wave


def _subjects(albums: Sequence[Album], crops: Sequence[Crop], surround: int = 0) -> Iterator[_Subject]:
    """Every photo with a face that can be aligned, album by album."""
    for user, album in enumerate(albums):
        rows = zip(album.photos, album.faces, album.digests, strict=True)
        for position, (photo, face, digest) in enumerate(rows):
            if face is None:
                continue
            try:
                patch = cut(photo, face, crops, surround)
            except ValueError:  # landmarks in one point, or a face outside the photo: nothing to align
                continue
            yield _Subject(user, position, digest, patch)


def _by_user(subjects: Iterable[_Subject]) -> Iterator[list[_Subject]]:
    for _, own in groupby(subjects, key=lambda s: s.user):
        yield list(own)


def _failed(spoilt: torch.Tensor, owners: torch.Tensor, taught: Sequence[int]) -> list[bool]:
    """Whether each photo has no cloak, because no gradient that it depends on was finite throughout.

    Args:
        spoilt: bool [surrogate, taught photo].
        owners: int64 [photo].
        taught: Positions of the photos that gradients were taken of.
    """
    bad = spoilt.any(0).tolist()
    if len(taught) == len(owners):
        return bad
    users = owners.tolist()
    learned = {users[i] for i, own in zip(taught, bad, strict=True) if not own}
    return [user not in learned for user in users]


def _tell(spoilt: torch.Tensor, surrogates: Sequence[str], digests: Sequence[str]) -> None:
    for i in spoilt.any(0).nonzero()[:, 0].tolist():
        (row, *_) = spoilt[:, i].nonzero()[:, 0].tolist()
        of = f"surrogate {surrogates[row]!r}" if row < len(surrogates) else "a penalty"
        _log.warning("photo %s has no cloak: what %s gives on the way is not finite", digests[i], of)


def _taught(subjects: Sequence[_Subject], learn: int) -> list[int]:
    """Positions of the photos that each user's mask is learned on: the first by digest."""
    chosen: list[int] = []
    for _, own in groupby(range(len(subjects)), key=lambda i: subjects[i].user):
        chosen += sorted(sorted(own, key=lambda i: subjects[i].digest)[: max(1, learn)])
    return chosen
