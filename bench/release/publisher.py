"""From a user's photos to the files that this user publishes, and what they cost to look at.

Users are cloaked in groups: a group's photos share batches, so a group is computed, stored and repeated as
one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench import encoders
from bench.encoders.pool import EncoderPool
from bench.faces import detectors
from bench.faces.finder import FaceFinder, Faces, detector_parameters
from bench.machine.progress import Progress
from bench.metrics.lpips import Lpips
from bench.parameters import Plain
from bench.photos.collection import Photos, clean_photos, in_memory, pixels_or_none
from bench.photos.decode import UnreadablePhoto
from bench.photos.read_ahead import chunks
from bench.plan.chosen import FunctionDefense
from bench.plan.nouns import Cloaking
from bench.plan.split import Split
from bench.protocols import Dataset, Encoder, Kit
from bench.release.cloaking import Originals, album, cloak, publish
from bench.release.costs import CostMeter, Costs
from bench.release.release import Release, pack, put_together, unpack
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.types import Album, Face, Image

if TYPE_CHECKING:
    from bench.optim.engine import CloakingEngine

GROUP = {"cpu": 80, "cuda": 400}
"""Photos cloaked together, by device: whole users, at least one."""

People = Sequence[tuple[str, ...]]
"""Names of photos, person by person."""


class Publisher:
    """Cloaks and measures, once for each content."""

    def __init__(
        self,
        data: Dataset,
        split: Split,
        finder: FaceFinder,
        pool: EncoderPool,
        cache: Cache,
        progress: Progress,
        lpips: Lpips | None = None,
    ) -> None:
        """Store; nothing is computed yet.

        Args:
            data: The data set.
            split: Who publishes, and whom a defense may look at besides.
            finder: Finds the faces in the users' own photos; what an attacker sees is none of its business.
            pool: Has the surrogates.
            cache: Has what was cloaked and measured before.
            progress: Told of every group.
            lpips: Measures LPIPS too; None where there are no weights for it.
        """
        self._data, self._split, self._cache, self._progress = data, split, cache, progress
        self._finder, self._pool = finder, pool
        self._lpips = lpips
        self._meter = CostMeter(cache, progress, lpips)
        self._functions: dict[tuple[Any, ...], Release] = {}
        self._reference: Album | None = None
        self._engine: CloakingEngine | None = None

    def release(self, cloaking: Cloaking) -> Release:
        """The released photos of all protected users."""
        return self._published(cloaking, self._split.released, measured=True)

    def cloaks(self, cloaking: Cloaking, people: People) -> Release:
        """All photos of other people under a defense: what an attacker makes who can run it."""
        return self._published(replace(cloaking, dose=1.0), people, measured=False)

    def groups(self, cloaking: Cloaking) -> list[People]:
        """The groups that `release` cloaks one after another."""
        return self.groups_of([self._chosen(person, cloaking) for person in self._split.released])

    def groups_of(self, people: People) -> list[People]:
        """The groups that people are cloaked in, one after another."""
        return grouped(people, self._pool.device)

    def cloak_group(self, cloaking: Cloaking, group: People) -> None:
        """Cloak one group of `groups`, for `release` to find."""
        self._group(cloaking, group, cached=True, measured=True)

    def cloak_group_of(self, cloaking: Cloaking, group: People) -> None:
        """Cloak one group of `groups_of`, for `cloaks` to find."""
        self._group(replace(cloaking, dose=1.0), group, cached=True, measured=False)

    def costs(self, release: Release) -> Costs:
        """The perceptual cost of each photo of a release of the protected users."""
        originals = self._photos(self._split.released)
        return self._meter.costs(originals, release, self._finder.find(originals, "clean photos").faces)

    def reference_faces(self) -> Faces:
        """The faces of the people whom a defense may look at."""
        return self._finder.find(self._photos(self._split.reference), "reference people")

    def engine(self) -> CloakingEngine:
        """The cloaking engine, on this run's device."""
        if self._engine is None:
            from bench.optim.engine import CloakingEngine

            self._engine = CloakingEngine(
                self._pool.device, lpips=self._lpips, cache=self._cache, progress=self._progress
            )
        return self._engine

    def _published(self, cloaking: Cloaking, people: People, *, measured: bool) -> Release:
        own = isinstance(cloaking.defense.plugin, FunctionDefense)
        memo = (
            id(cloaking.defense.plugin),
            str(cloaking.budget),
            cloaking.seed,
            cloaking.dose,
            cloaking.options,
            digest(people),
        )
        if own and memo in self._functions:
            return self._functions[memo]
        chosen = [self._chosen(person, cloaking) for person in people]
        groups = self.groups_of(chosen)
        parts: list[Release] = []
        with self._progress.stage(_doing(cloaking), sum(map(len, chosen))) as advance:
            for group in groups:
                parts.append(self._group(cloaking, group, cached=not own, measured=measured))
                advance(sum(map(len, group)))
        photos = [photo for person in people for photo in person]
        hidden = [photo for person in chosen for photo in person]
        bare = [photo for photo in photos if photo not in set(hidden)] if cloaking.dose < 1 else []
        parts.append(self._as_they_are(bare))
        place = {photo: i for i, photo in enumerate([*hidden, *bare])}
        whole = put_together(parts, [place[photo] for photo in photos], self._photos(people).boxes)
        if own:
            self._functions[memo] = whole
        return whole

    def _chosen(self, person: Sequence[str], cloaking: Cloaking) -> tuple[str, ...]:
        """Which of a person's photos are cloaked, in their order: a share, drawn by content."""
        count = math.ceil(cloaking.dose * len(person) - 1e-9)
        drawn = sorted(person, key=lambda photo: digest(cloaking.seed, "dose", self._data.digest(photo)))[
            :count
        ]
        return tuple(photo for photo in person if photo in drawn)

    def _as_they_are(self, names: Sequence[str]) -> Release:
        """Photos that are published without a cloak, as 8-bit files like all others."""
        photos = clean_photos(self._data, names)
        parts = [
            publish(
                [None if isinstance(image, UnreadablePhoto) else image for _, image in part],
                [photos.digests[i] for i, _ in part],
                [False] * len(part),
            )
            for part in chunks(photos.read, range(len(names)), GROUP["cpu"])
        ]
        return put_together(parts, range(len(names)), ())

    def _photos(self, people: Sequence[Sequence[str]]) -> Photos:
        """Photos of some people as they are, one person after another."""
        return clean_photos(self._data, [photo for person in people for photo in person], self._split.boxes)

    def _group(self, cloaking: Cloaking, people: People, *, cached: bool, measured: bool) -> Release:
        photos = self._photos(people)
        key = self._key(cloaking, people)
        stored = self._cache.file("cloak", key) if cached else None
        if stored is not None:
            return unpack(stored)
        images = tuple(pixels_or_none(content) for content in photos.read(range(len(photos))))
        faces = self._finder.find(in_memory(photos, images), "photos to cloak").faces
        began = time.monotonic()
        originals = Originals(photos, tuple(map(len, people)), images, faces)
        cloaked = cloak(cloaking, originals, self._kit(cloaking))
        if cached:
            self._cache.put_file("cloak", key, pack(cloaked.release))
        seconds = time.monotonic() - began
        if measured:
            self._meter.measure(photos.digests, cloaked.release.digests, images, cloaked.images, faces)
        return replace(cloaked.release, seconds=seconds, cloaked=len(photos))

    def _kit(self, cloaking: Cloaking) -> Kit:
        if self._reference is None:
            self._reference = self._reference_people()
        outside = getattr(cloaking.defense.plugin, "by_itself", False)
        surrogates: tuple[Encoder, ...] = (
            () if outside else tuple(map(self._pool.encoder, cloaking.surrogates))
        )
        return Kit(
            cloaking.budget, cloaking.seed, surrogates, self._reference, self.engine(), self._pool.device
        )

    def _reference_people(self) -> Album:
        """Photos of people whom a defense may look at, of those in which a face is found."""
        others = self._photos(self._split.reference)
        images = [pixels_or_none(content) for content in others.read(range(len(others)))]
        faces = self._finder.find(in_memory(others, images), "reference people").faces
        rows: list[tuple[Image | None, Face | None, str]] = [
            (image, face, content)
            for image, face, content in zip(images, faces, others.digests, strict=True)
            if face is not None
        ]
        return album(rows)

    def _key(self, cloaking: Cloaking, people: People) -> str:
        """The key of a group's release; of no use for a function, since nobody knows what else it reads."""
        if isinstance(cloaking.defense.plugin, FunctionDefense):
            return ""
        boxes = [self._photos(part).boxes for part in (people, self._split.reference)]
        stamp: list[Plain] = [
            cloaking.defense.described(),
            [encoders.identity(card) for card in cloaking.surrogates],
            str(cloaking.budget),
            cloaking.seed,
            dict(cloaking.options),
            [[self._data.digest(photo) for photo in person] for person in self._split.reference],
            detector_parameters(self._finder.name),
            {str(k): str(v) for k, v in self.engine().resolved().items()},
        ]
        found_by = detectors.lookup(self._finder.name).module
        code = stage_code(
            __name__, found_by, *cloaking.defense.modules, *encoders.modules(cloaking.surrogates)
        )
        content = [[self._data.digest(photo) for photo in person] for person in people]
        measured_by = [self._lpips.sha256] if self._lpips and cloaking.defense.needs_lpips else []
        return digest("cloak", stamp, code, content, *(boxes if any(boxes) else []), *measured_by)


def _doing(cloaking: Cloaking) -> str:
    """What the progress line says: `none` cloaks nothing."""
    return "publish photos as they are" if cloaking.defense.name == "none" else f"cloak {cloaking}"


def grouped(people: People, device: str) -> list[People]:
    """The groups that people are cloaked in: as many whole people as make `GROUP` photos."""
    photos = GROUP[device.partition(":")[0]]
    size = max(1, photos // max(1, len(people[0])))
    return [list(people[i : i + size]) for i in range(0, len(people), size)]
