"""The one face in each photo, found once for each content.

The photo that comes in is the file as it is after the channel; no clean landmark gets here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bench.faces import detectors
from bench.machine.progress import Progress
from bench.parameters import Plain
from bench.photos.collection import Photos
from bench.photos.decode import UnreadablePhoto
from bench.photos.read_ahead import chunks
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.types import Box, Face, Folders, Image

if TYPE_CHECKING:
    from bench.faces.detect import Detector

CHUNK = {"cpu": 64, "cuda": 256}
"""Photos worked on at a time, by device; of large ones fewer (`bench.photos.read_ahead`). A kill loses no
more."""


@dataclass(frozen=True)
class Faces:
    """What was found in photos.

    Attributes:
        faces: For each photo its face, or None.
        unreadable: Position of a photo -> why it could not be decoded.
    """

    faces: tuple[Face | None, ...]
    unreadable: dict[int, str]


class FaceFinder:
    """Detects faces with one detector, once for each content.

    Attributes:
        name: The detector, one of `bench.faces.detectors.names`.
    """

    def __init__(
        self,
        folders: Folders,
        cache: Cache,
        device: str,
        progress: Progress,
        name: str = detectors.USUAL,
    ) -> None:
        """Store; the detector is loaded when a face is not in the cache.

        Args:
            folders: Where weights lie.
            cache: What was found before.
            device: `cpu`, `cuda`, `cuda:1`.
            progress: Told of every chunk.
            name: The detector.
        """
        self._folders, self._cache, self._device, self._progress = folders, cache, device, progress
        self.name = name

    def with_detector(self, name: str) -> FaceFinder:
        """The same finder with another detector."""
        return FaceFinder(self._folders, self._cache, self._device, self._progress, name)

    @cached_property
    def detector(self) -> Detector:
        """The face detector, on this run's device."""
        from bench.faces.detect import Detector

        return Detector(self._device, name=self.name, folders=self._folders)

    @property
    def chunk(self) -> int:
        """How many photos are worked on at a time."""
        return CHUNK[self._device.partition(":")[0]]

    def find(self, photos: Photos, what: str) -> Faces:
        """Find the face in every photo.

        Args:
            photos: As whoever looks gets them.
            what: For the progress line.
        """
        keys = self.keys(photos)
        rows = self.rows(keys)
        missing = [i for i, key in enumerate(keys) if key not in rows]
        with self._progress.stage(f"detect {what}", len(missing)) as advance:
            for part in chunks(photos.read, missing, self.chunk):
                self.detect(dict(part), photos, keys, rows)
                advance(len(part))
        return read_faces([rows[key] for key in keys])

    def keys(self, photos: Photos) -> list[str]:
        """The key of each photo's face: its content, the box that is said of it, and what detects."""
        stamp = self.stamp
        return [
            digest("face", stamp, content, *([box] if box else []))
            for content, box in zip(photos.digests, photos.stated_boxes, strict=True)
        ]

    @cached_property
    def stamp(self) -> str:
        """A digest of what detects: the detector's parameters, its code and the kind of device.

        Imports do not lead to a detector, so its module is named here.
        """
        code = stage_code(__name__, detectors.lookup(self.name).module)
        return digest([detector_parameters(self.name), self._device.partition(":")[0], *code])

    def rows(self, keys: Sequence[str]) -> dict[str, bytes]:
        """What is in the cache of some keys."""
        return self._cache.rows("face", keys)

    def detect(
        self,
        images: Mapping[int, Image | UnreadablePhoto],
        photos: Photos,
        keys: Sequence[str],
        rows: dict[str, bytes],
    ) -> None:
        """Detect in those photos that have no row yet, and put their rows into `rows` and the cache.

        Args:
            images: Some decoded photos: position in `photos` -> pixels, or why there are none.
            photos: The whole collection.
            keys: The key of each photo of the collection.
            rows: Key -> row.
        """
        wanted = [i for i in images if keys[i] not in rows]
        readable = [(i, image) for i in wanted if not isinstance(image := images[i], UnreadablePhoto)]
        new = {
            keys[i]: json.dumps({"unreadable": image.reason}).encode()
            for i in wanted
            if isinstance(image := images[i], UnreadablePhoto)
        }
        if readable:
            boxes: list[Box | None] = [photos.stated_boxes[i] for i, _ in readable]
            faces = self.detector.detect([image for _, image in readable], boxes)
            for (i, _), face in zip(readable, faces, strict=True):
                new[keys[i]] = json.dumps({"face": asdict(face) if face else None}).encode()
        self._cache.put_rows("face", new)
        rows |= new


def detector_parameters(name: str = detectors.USUAL) -> dict[str, Plain]:
    """Everything that decides what is detected, but for the device; without loading the detector."""
    return detectors.parameters(name)


def read_faces(rows: Sequence[bytes]) -> Faces:
    """Read what the cache holds of faces, in order."""
    read = [_read(row) for row in rows]
    return Faces(
        tuple(face for face, _ in read),
        {i: reason for i, (_, reason) in enumerate(read) if reason is not None},
    )


def _read(row: bytes) -> tuple[Face | None, str | None]:
    value = json.loads(row)
    if "unreadable" in value:
        return None, str(value["unreadable"])
    face = value["face"]
    if face is None:
        return None, None
    landmarks = tuple((x, y) for x, y in face["landmarks"])
    return Face(tuple(face["box"]), landmarks, face["score"], face["found"]), None
