"""An opened data set of files: its photos, their digests, and reading them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from bench.types import Box, Catalogue, DatasetCard, Image

from .digests import UNREADABLE, digests


@dataclass(frozen=True)
class PhotoFiles:
    """Photos that are files: an opened data set, see `bench.protocols.Dataset`.

    Making it reads no file. `card` and `digest` read contents, and `read` reads one batch of photos.

    Attributes:
        about: The card without its revision and its counts, which depend on the photos.
        home: The folder `BENCH_HOME`.
        paths: Photo name -> path of the file, sorted by name.
        missing: Photo name -> why a photo that one would expect is not in the data set.
        boxes: As in `Catalogue`.
        notes: Further lines that the revision depends on, such as the boxes of faces.
    """

    about: DatasetCard
    home: str
    paths: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    boxes: Mapping[str, Box] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def card(self) -> DatasetCard:
        """The data set's card; its revision is the digest of every photo's name and content."""
        contents = self.digests(list(self.paths))
        lines = [f"{name} {contents[name]}\n" for name in self.paths] + [f"{note}\n" for note in self.notes]
        # names may hold bytes that are no text in the file system's encoding
        revision = hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
        used = self.catalogue()
        return replace(
            self.about,
            revision=revision,
            identities=len(set(used.identities)),
            photos=len(used.photos),
        )

    @cached_property
    def people(self) -> dict[str, str]:
        """Photo name -> person: the first part of the name, up to the first `/`."""
        return {name: name.partition("/")[0] for name in self.paths}

    def catalogue(self) -> Catalogue:
        """Every photo and the person on it, without the photos that are left out."""
        return self._catalogue

    @cached_property
    def _catalogue(self) -> Catalogue:
        out = {**self.missing, **self.left_out()}
        used = [name for name in self.paths if name not in out]
        return Catalogue(tuple(used), tuple(self.people[name] for name in used), out, self.boxes)

    def left_out(self) -> dict[str, str]:
        """Photo name -> why a photo of the folder is not used."""
        return {}

    def digests(self, names: Sequence[str]) -> dict[str, str]:
        """Photo name -> hex sha256 of its file; `UNREADABLE` for a file that cannot be read."""
        by_path = digests([self.paths[name] for name in names], self.home)
        return {name: by_path[self.paths[name]] for name in names}

    def digest(self, photo: str) -> str:
        """Hex sha256 of the file; `UNREADABLE` for a file that cannot be read."""
        return self.digests([photo])[photo]

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """The files. A file that cannot be read is `b""`: `bench.photos.decode` reports it as unreadable."""
        return [_content(self.paths[photo]) for photo in photos]

    def repeated(self) -> dict[str, list[str]]:
        """Content digest -> the names of all photos with this content, if there are several.

        Only files of equal size are read.
        """
        by_size: dict[int, list[str]] = {}
        for name, path in self.paths.items():
            by_size.setdefault(_size(path), []).append(name)
        same = [name for size, names in by_size.items() if size > 0 and len(names) > 1 for name in names]
        by_content: dict[str, list[str]] = {}
        for name, digest in self.digests(sorted(same)).items():
            by_content.setdefault(digest, []).append(name)
        return {d: names for d, names in by_content.items() if len(names) > 1 and d != UNREADABLE}


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""  # documented above: the run goes on, and the photo's outcome says so


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - thousands of these
    except OSError:
        return 0
