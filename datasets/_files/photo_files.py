"""What data sets of files have in common: where photos lie, their digests, and reading them."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from bench.errors import UserError
from bench.types import Box, Catalogue, DatasetCard, Folders, Image

from .digests import UNREADABLE, digests


@dataclass(frozen=True)
class PhotoFiles:
    """Photos that are files: an opened data set, see `bench.protocols.Dataset`.

    Nothing is read before it is asked for: names when it is made, content for `card` and `digest`, one batch
    of photos for `read`.

    Attributes:
        about: the card, without what only the photos can tell.
        home: `BENCH_HOME`.
        paths: photo name -> where the file is, sorted by name.
        people: photo name -> person.
        missing: photo name -> why a photo that one would expect here is not among them.
        boxes: as in `Catalogue`.
        notes: further lines that the revision depends on, such as where faces are.
    """

    about: DatasetCard
    home: str
    paths: Mapping[str, str]
    people: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    boxes: Mapping[str, Box] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @cached_property
    def card(self) -> DatasetCard:
        """What it is; its revision is the digest of every photo's name and content."""
        found = self.digests(list(self.paths))
        lines = [*(f"{name} {found[name]}\n" for name in self.paths), *(f"{note}\n" for note in self.notes)]
        # names may hold bytes that are no text in the file system's encoding
        revision = hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
        used = self.catalogue()
        return replace(
            self.about,
            revision=revision,
            identities=len(set(used.identities)),
            photos=len(used.photos),
        )

    def catalogue(self) -> Catalogue:
        """Every photo and who is on it, without those that are left out."""
        return self._catalogue

    @cached_property
    def _catalogue(self) -> Catalogue:
        out = {**self.missing, **self.left_out()}
        used = [name for name in self.paths if name not in out]
        return Catalogue(tuple(used), tuple(self.people[name] for name in used), out, self.boxes)

    def left_out(self) -> dict[str, str]:
        """Photos that are there and not used -> why."""
        return {}

    def digests(self, names: Sequence[str]) -> dict[str, str]:
        """Photo name -> hex sha256 of its file; of nothing, where it cannot be read."""
        found = digests([self.paths[name] for name in names], self.home)
        return {name: found[self.paths[name]] for name in names}

    def digest(self, photo: str) -> str:
        """Hex sha256 of the file; of nothing, where it cannot be read."""
        return self.digests([photo])[photo]

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """The files. One that cannot be read is `b""`, which `bench.photos.decode` reports as unreadable."""
        return [_content(self.paths[photo]) for photo in photos]

    def repeated(self) -> dict[str, list[str]]:
        """Content digest -> the names of all photos with this content, where there are several.

        Only files of equal size are read for it.
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


def entries(folder: str | Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name, whatever order the file system has.

    Raises:
        OSError: if the folder cannot be read.
    """
    with os.scandir(folder) as found:
        return sorted(found, key=lambda entry: entry.name)


def is_folder(asked: str, path: Path) -> bool:
    """Whether a folder is there; False if nothing is.

    Raises:
        UserError: if something else is there, or it cannot be looked at.
    """
    try:
        mode = path.stat().st_mode
    except ValueError:
        return False  # a null character: no name of anything
    except OSError as error:
        # a name that is too long, or below a file, names nothing that could be there
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
            return False
        raise unreadable(asked, error) from error
    if not stat.S_ISDIR(mode):
        raise UserError(f"{asked}: {path} is a file. Name the folder that the photos lie in.")
    return True


def unreadable(asked: str, error: OSError) -> UserError:
    """One line on a folder or file that the system does not let us read."""
    return UserError(
        f"{asked}: cannot read {error.filename}: {error.strerror}. Give yourself the right to read it, "
        "or name another folder."
    )


def places(folders: Folders, *below_data: str, real: Sequence[str] = ()) -> list[Path]:
    """Where a data set may lie: below `BENCH_REAL_DATA` first, then below `BENCH_HOME/data`."""
    lent = [Path(folders.real_data) / name for name in real] if folders.real_data else []
    return [*lent, *(Path(folders.home) / "data" / name for name in below_data)]


def named_folder(asked: str, root: str) -> Path:
    """A folder that the user named, with `~` for the home folder.

    Raises:
        UserError: if it is not there, or is no folder.
    """
    try:
        path = Path(root).expanduser()
    except RuntimeError:  # ~somebody, who has no account here
        path = Path(root)
    if not is_folder(asked, path):
        raise UserError(
            f"{asked}: there is no folder {path}. Check the path; a relative one starts in {Path.cwd()}."
        )
    return path
