"""An opened data set of files: its photos, their digests, and reading them."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from bench.errors import cannot_read, patiently
from bench.types import Box, Catalogue, DatasetCard, Image

from .boxes import Boxes
from .digests import digests, forget, stamp_of


@dataclass(frozen=True)
class PhotoFiles:
    """Photos that are files: an opened data set, see `bench.protocols.Dataset`.

    Making it reads no file. `card` and `digest` read contents, and `read` reads one batch of photos.

    Attributes:
        about: The card without its revision and its counts, which depend on the photos.
        home: The folder `BENCH_HOME`.
        paths: Photo name -> path of the file, sorted by name.
        missing: Photo name -> why a photo that one would expect is not in the data set.
        stored_boxes: Photo name -> x0, y0, x1, y1 of the face in pixels of the file.
        notes: Further lines that the revision depends on, such as the boxes of faces.
    """

    about: DatasetCard
    home: str
    paths: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    stored_boxes: Mapping[str, Box] = field(default_factory=dict)
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
        boxes = Boxes(self.stored_boxes, self._content) if self.stored_boxes else {}
        return Catalogue(tuple(used), tuple(self.people[name] for name in used), out, boxes)

    def left_out(self) -> dict[str, str]:
        """Photo name -> why a photo is not used.

        Of a file that a person has several times, one is used. A file that two people have is not used,
        unless different boxes say who is where on it.
        """
        out: dict[str, str] = {}
        for names in self.repeated().values():
            by_box: dict[Box | None, list[str]] = {}
            for name in names:
                by_box.setdefault(self.stored_boxes.get(name), []).append(name)
            for same in by_box.values():
                out |= self._all_but_one(same)
        return out

    def _all_but_one(self, names: Sequence[str]) -> dict[str, str]:
        people = {self.people[name] for name in names}
        if len(people) > 1:
            why = f"the same file lies in the folders of {len(people)} people: who is on it?"
            return dict.fromkeys(names, why)
        first, *others = sorted(names)
        return dict.fromkeys(others, f"the same file as {first}")

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {}

    def digests(self, names: Sequence[str]) -> dict[str, str]:
        """Photo name -> hex sha256 of its file, as it was when it was first asked for.

        Raises:
            PassingError: A file cannot be read.
        """
        new = [name for name in names if name not in self._digests]
        if new:
            by_path = digests([self.paths[name] for name in new], self.home)
            self._digests.update((name, by_path[self.paths[name]]) for name in new)
        return {name: self._digests[name] for name in names}

    def digest(self, photo: str) -> str:
        """Hex sha256 of the file, as it was when it was first asked for.

        Raises:
            PassingError: The file cannot be read.
        """
        return self.digests([photo])[photo]

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """The files, as they are now.

        Raises:
            OSError: A file cannot be read.
        """
        return [Path(self.paths[photo]).read_bytes() for photo in photos]

    def forget(self, photo: str) -> None:
        """Drop the digest that is kept of a file: its content turned out to be another one."""
        forget(self.paths[photo], self.home)

    def _content(self, photo: str) -> bytes:
        """The file that the digest is of.

        Raises:
            PassingError: The file cannot be read, or is another one now.
        """
        sha256, path = self.digest(photo), self.paths[photo]

        def read() -> bytes:
            content = Path(path).read_bytes()
            if hashlib.sha256(content).hexdigest() != sha256:
                raise OSError(errno.EBUSY, "it is no longer the file that it was when the run began", path)
            return content

        try:
            return patiently(read)
        except OSError as error:
            raise cannot_read(error, path) from error

    def repeated(self) -> dict[str, list[str]]:
        """Content digest -> the names of all photos with this content, if there are several.

        Only files of equal size are read.
        """
        by_size: dict[int, list[str]] = {}
        for name, path in self.paths.items():
            size = stamp_of(path)[1]
            by_size.setdefault(size, []).append(name)
        same = [name for size, names in by_size.items() if size > 0 and len(names) > 1 for name in names]
        by_content: dict[str, list[str]] = {}
        for name, digest in self.digests(sorted(same)).items():
            by_content.setdefault(digest, []).append(name)
        return {digest: names for digest, names in by_content.items() if len(names) > 1}
