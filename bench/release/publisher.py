"""From a user's photos to the files that this user publishes, and what they cost to look at.

Users are cloaked in groups: a group's photos share batches, so a group is computed, stored and repeated as
one. What a defense returns is encoded to 8 bits and measured here, never by the defense itself.
"""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import encoders
from bench.machine.progress import Progress
from bench.metrics.perceptual import perceptual_costs
from bench.parameters import Plain
from bench.photos.decode import UnreadablePhoto, decode, encode_png
from bench.plan.cells import Cell, Chosen, FunctionDefense
from bench.plan.split import Split
from bench.protocols import Dataset, Encoder, Kit
from bench.recognition.observer import DETECT, Observer, Photos, clean
from bench.store.cache import Cache
from bench.store.digests import array_digest, code_digest, digest, plugin_code, versions
from bench.types import Album, Box, Face, Image

if TYPE_CHECKING:
    from bench.optim.engine import CloakingEngine

GROUP = {"cpu": 80, "cuda": 400}
"""Photos cloaked together, by device: whole users, at least one."""

_ENGINE = ("bench.optim", "bench.faces.align", "bench.encoders", "bench.photos.decode")
_LIBRARIES = ("torch", "numpy", "pillow", "pillow-heif", "onnx2torch")


@dataclass(frozen=True)
class Release:
    """What the protected users publish under one defense, user by user.

    Attributes:
        files: the PNG of each photo; empty where the original could not be read.
        digests: of the pixels.
        failed: whether the defense gave nothing for this photo, so that the original is published.
        boxes: of the originals, see `bench.recognition.observer.Photos`.
        seconds: spent cloaking now; 0 for what came from the cache.
        cloaked: photos cloaked in those seconds.
    """

    files: tuple[bytes, ...]
    digests: tuple[str, ...]
    failed: tuple[bool, ...]
    boxes: tuple[Box | None, ...] = ()
    seconds: float = 0.0
    cloaked: int = 0

    def photos(self) -> Photos:
        """As an attacker would get them, were there no channel."""
        return Photos(self.digests, lambda wanted: [self.files[i] for i in wanted], self.boxes)


class Publisher:
    """Cloaks and measures, once for each content."""

    def __init__(
        self, cache: Cache, data: Dataset, split: Split, observer: Observer, device: str, progress: Progress
    ) -> None:
        """Store; nothing is computed yet."""
        self._cache, self._data, self._split = cache, data, split
        self._observer, self._device, self._progress = observer, device, progress
        self._functions: dict[tuple[Any, ...], Release] = {}
        self._reference: Album | None = None
        self._engine: CloakingEngine | None = None

    def release(self, cell: Cell) -> Release:
        """The released photos of all protected users under a cell's defense, surrogates, budget and dose."""
        return self._published(cell, self._split.released, cell.dose)

    def cloaks(self, cell: Cell, people: Sequence[tuple[str, ...]]) -> Release:
        """Photos of other people under a cell's defense: what an attacker makes who can run it."""
        return self._published(cell, people, 1.0)

    def _published(self, cell: Cell, people: Sequence[tuple[str, ...]], dose: float) -> Release:
        own = isinstance(cell.defense.plugin, FunctionDefense)
        memo = (id(cell.defense.plugin), str(cell.budget), cell.seed, dose, digest(people))
        if own and memo in self._functions:
            return self._functions[memo]
        chosen = [self._cloaked(user, dose, cell.seed) for user in people]
        groups = _groups(chosen, GROUP[self._device.partition(":")[0]])
        parts: list[Release] = []
        name = f"cloak {cell.defense.name} {cell.budget} {'+'.join(s.name for s in cell.surrogates)}".strip()
        with self._progress.stage(name, sum(len(user) for group in groups for user in group)) as advance:
            for group in groups:
                parts.append(self._group(cell, group, cached=not own))
                advance(sum(map(len, group)))
        photos = [photo for user in people for photo in user]
        hidden = [photo for user in chosen for photo in user]
        plain = [photo for photo in photos if photo not in set(hidden)] if dose < 1 else []
        parts.append(self._as_they_are(plain))
        place = {photo: i for i, photo in enumerate([*hidden, *plain])}
        order = [place[photo] for photo in photos]
        files = [f for part in parts for f in part.files]
        digests = [d for part in parts for d in part.digests]
        failed = [f for part in parts for f in part.failed]
        joined = Release(
            tuple(files[i] for i in order),
            tuple(digests[i] for i in order),
            tuple(failed[i] for i in order),
            self._clean(people).boxes,
            sum(part.seconds for part in parts),
            sum(part.cloaked for part in parts),
        )
        if own:
            self._functions[memo] = joined
        return joined

    def _cloaked(self, user: Sequence[str], dose: float, seed: int) -> tuple[str, ...]:
        """Which of a user's photos are cloaked, in their order: a share, drawn by content."""
        count = math.ceil(dose * len(user) - 1e-9)
        drawn = sorted(user, key=lambda photo: digest(seed, "dose", self._data.digest(photo)))[:count]
        return tuple(photo for photo in user if photo in drawn)

    def _as_they_are(self, names: Sequence[str]) -> Release:
        """Photos that are published without a cloak, as 8-bit files like all others."""
        files, digests = [], []
        for name, content in zip(names, self._data.read(names), strict=True):
            try:
                image = decode(content)
                files.append(encode_png(image))
                digests.append(array_digest(image))
            except UnreadablePhoto:
                files.append(b"")
                digests.append(digest("unreadable", self._data.digest(name)))
        return Release(tuple(files), tuple(digests), (False,) * len(files))

    def costs(self, release: Release, faces: Sequence[Face | None]) -> list[dict[str, Any] | None]:
        """Perceptual cost of each released photo; None where the original could not be read.

        Args:
            release: what was published.
            faces: found in the clean photos.
        """
        originals = self._clean(self._split.released)
        code = [code_digest("bench.metrics.perceptual", "bench.metrics._ssim"), versions(["numpy", "scipy"])]
        keys = [
            digest("perceptual", code, before, after, face)
            for before, after, face in zip(originals.digests, release.digests, faces, strict=True)
        ]
        rows = self._cache.rows("perceptual", keys)
        missing = [i for i, key in enumerate(keys) if key not in rows and release.files[i]]
        with self._progress.stage("measure", len(missing)) as advance:
            for start in range(0, len(missing), 64):
                chunk = missing[start : start + 64]
                before = [decode(content) for content in originals.read(chunk)]
                after = [decode(release.files[i]) for i in chunk]
                measured = perceptual_costs(before, after, [faces[i] for i in chunk])
                new = {
                    keys[i]: json.dumps(asdict(cost)).encode()
                    for i, cost in zip(chunk, measured, strict=True)
                }
                self._cache.put_rows("perceptual", new)
                rows |= new
                advance(len(chunk))
        return [json.loads(rows[key]) if key in rows else None for key in keys]

    def engine(self) -> CloakingEngine:
        """The cloaking engine, on this run's device."""
        if self._engine is None:
            from bench.optim.engine import CloakingEngine

            self._engine = CloakingEngine(self._device)
        return self._engine

    def _clean(self, people: Sequence[Sequence[str]]) -> Photos:
        """Photos of some people as they are, one person after another."""
        names = [photo for person in people for photo in person]
        return clean(self._data, names, self._split.boxes)

    def _group(self, cell: Cell, users: Sequence[Sequence[str]], *, cached: bool) -> Release:
        photos = self._clean(users)
        who = [[self._data.digest(p) for p in user] for user in users]
        where = [self._clean(part).boxes for part in (users, self._split.reference)]
        key = digest("cloak", *self._stamp(cell), who, *(where if any(where) else []))
        stored = self._cache.file("cloak", key) if cached else None
        if stored is not None:
            return _unpacked(stored)
        seen = self._observer.observe(photos, [], "photos to cloak")
        began = time.monotonic()
        images: list[Image | None] = []
        for content in photos.read(range(len(photos))):
            try:
                images.append(decode(content))
            except UnreadablePhoto:
                images.append(None)
        albums, places, start = [], [], 0
        for user in users:
            here = [i for i in range(start, start + len(user)) if images[i] is not None]
            start += len(user)
            places.append(here)
            albums.append(_album([(images[i], seen.faces[i], photos.digests[i]) for i in here]))
        cloaked = cell.defense.plugin.cloak(albums, self._kit(cell))
        released: list[Image | None] = list(images)
        failed = [False] * len(photos)
        for album, here, given in zip(albums, places, _checked(cell.defense, cloaked, albums), strict=True):
            for original, i, photo in zip(album.photos, here, given, strict=True):
                failed[i] = photo is None
                released[i] = original if photo is None else photo
        from bench.machine.workers import each

        files = each(lambda image: b"" if image is None else encode_png(image), released)
        digests = tuple(
            digest("unreadable", photos.digests[i]) if image is None else array_digest(image)
            for i, image in enumerate(released)
        )
        done = Release(tuple(files), digests, tuple(failed))
        if cached:
            self._cache.put_file("cloak", key, _packed(done))
        return replace(done, seconds=time.monotonic() - began, cloaked=len(photos))

    def _kit(self, cell: Cell) -> Kit:
        if self._reference is None:
            others = self._clean(self._split.reference)
            seen = self._observer.observe(others, [], "reference people")
            rows: list[tuple[Image | None, Face | None, str]] = []
            for i, content in enumerate(others.read(range(len(others)))):
                if i not in seen.unreadable and seen.faces[i] is not None:
                    rows.append((decode(content), seen.faces[i], others.digests[i]))
            self._reference = _album(rows)
        surrogates: tuple[Encoder, ...] = tuple(map(self._observer.encoder, cell.surrogates))
        return Kit(cell.budget, cell.seed, surrogates, self._reference, self.engine(), self._device)

    def _stamp(self, cell: Cell) -> list[Plain | list[list[str]]]:
        if isinstance(cell.defense.plugin, FunctionDefense):
            return []
        return [
            cell.defense.described(),
            plugin_code(type(cell.defense.plugin).__module__),
            [encoders.identity(card) for card in cell.surrogates],
            str(cell.budget),
            cell.seed,
            [[self._data.digest(p) for p in person] for person in self._split.reference],
            cell.detector,
            {str(k): str(v) for k, v in self.engine().resolved().items()},
            code_digest(*_ENGINE, *DETECT),
            dict(versions(_LIBRARIES)),
        ]


def _groups(users: Sequence[tuple[str, ...]], photos: int) -> list[list[tuple[str, ...]]]:
    size = max(1, photos // max(1, len(users[0])))
    return [list(users[i : i + size]) for i in range(0, len(users), size)]


def _album(rows: Sequence[tuple[Image | None, Face | None, str]]) -> Album:
    images = tuple(image for image, _, _ in rows if image is not None)
    return Album(images, tuple(face for _, face, _ in rows), tuple(content for _, _, content in rows))


def _checked(
    defense: Chosen, cloaked: Sequence[Sequence[Image | None]], albums: Sequence[Album]
) -> list[list[Image | None]]:
    """See that a defense returned as many photos, of the same shapes and of 8 bits.

    Raises:
        ValueError: naming what is wrong.
    """
    out: list[list[Image | None]] = []
    if len(cloaked) != len(albums):
        raise ValueError(f"defense {defense.name!r} returned {len(cloaked)} users for {len(albums)}")
    for album, given in zip(albums, cloaked, strict=True):
        if len(given) != len(album.photos):
            raise ValueError(f"defense {defense.name!r} returned {len(given)} photos for {len(album.photos)}")
        out.append([])
        for original, photo in zip(album.photos, given, strict=True):
            if photo is None:
                out[-1].append(None)
                continue
            array = np.asarray(photo)
            if array.shape != original.shape or array.dtype != np.uint8:
                raise ValueError(
                    f"defense {defense.name!r} returned a photo of {array.dtype} {array.shape}; "
                    f"it must be uint8 {original.shape}"
                )
            out[-1].append(array)
    return out


def _packed(release: Release) -> bytes:
    head = json.dumps(
        {
            "sizes": [len(f) for f in release.files],
            "digests": list(release.digests),
            "failed": list(release.failed),
        }
    ).encode()
    return len(head).to_bytes(8, "little") + head + b"".join(release.files)


def _unpacked(content: bytes) -> Release:
    stream = io.BytesIO(content)
    head = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    files = tuple(stream.read(size) for size in head["sizes"])
    return Release(files, tuple(head["digests"]), tuple(head["failed"]))
