"""Files that another tool made of photos: which file is of which photo, and what became of it."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import stat
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from bench.errors import UserError, cannot_read
from bench.photos.decode import UnreadablePhoto, decode, form
from bench.protocols import Dataset
from bench.store.reading import read_text, read_whole
from bench.store.reasons import reason

_BETWEEN = "_-. "
"""What tools put between a photo's name and a word of their own, as in `photo_cloaked.png`."""

UNREADABLE, RESIZED = "unreadable", "resized"
"""Why a file cannot stand in a photo's place."""

_MOST_BYTES = 2**30
"""A larger file is no photo."""


@dataclass(frozen=True)
class Pairs:
    """Which file is of which photo.

    Attributes:
        files: Photo -> the file that a tool made of it. Photos without one are not among the keys.
        renamed: The photos whose file is not called as they are, but for its ending.
        extra: Names of files that are of no photo.
        refused: Name of a file -> why it is not looked at.
    """

    files: Mapping[str, Path]
    renamed: frozenset[str] = frozenset()
    extra: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compared:
    """What a file is beside the photo that it was made of.

    Attributes:
        sha256: The digest of the file.
        fault: `UNREADABLE` or `RESIZED`; empty for a photo of the same size.
        untouched: The share of pixels that are as they were; None for a photo that cannot be compared.
        reencoded: Whether the file is of another format than the photo's.
    """

    sha256: str
    fault: str = ""
    untouched: float | None = None
    reencoded: bool = False


def paired(photos: Sequence[str], folder: Path) -> Pairs:
    """Pair photos with the files of a folder by name.

    A file is a photo's if it has the photo's name; or else the same name but for the ending; or else a name
    that begins with the photo's, with one of `_`, `-`, `.` or a blank behind it. A file with several photos,
    and a photo with several files, are left for a table of pairs.

    Args:
        photos: The names of all photos, such as `Ann/1.jpg`.
        folder: The folder.

    Raises:
        UserError: There is no such folder, or it cannot be read.
    """
    files, refused = _files(folder)
    left = {_composed(photo): photo for photo in photos}
    found: dict[str, Path] = {}
    renamed: set[str] = set()
    for name in [name for name in files if name in left]:
        found[left.pop(name)] = files.pop(name)
    for rule in (_same_stem, _begins_alike):
        for photo, name in rule(list(left), list(files)):
            original = left.pop(photo)
            found[original] = files.pop(name)
            if rule is _begins_alike:
                renamed.add(original)
    return Pairs(found, frozenset(renamed), tuple(sorted(files)), refused)


def from_table(table: Path, photos: Sequence[str], folder: Path) -> Pairs:
    """Pair photos with files by a CSV of two columns, `original` and `cloaked`: names below the two folders.

    Args:
        table: The CSV.
        photos: The names of all photos.
        folder: The folder that the files lie in.

    Raises:
        UserError: The table is not of this form, or names a photo or a file twice or one that is not there.
    """
    files, refused = _files(folder)
    known, here = {_composed(photo): photo for photo in photos}, dict(files)
    found: dict[str, Path] = {}
    for number, original, cloaked in _rows(table):
        if original not in known:
            raise UserError(f"{table}, line {number}: no photo {original!r} below --original.")
        if cloaked not in here:
            why = refused.get(cloaked, "is not there" if cloaked not in files else "is named twice")
            raise UserError(f"{table}, line {number}: file {cloaked!r} below --cloaked {why}.")
        if known[original] in found:
            raise UserError(f"{table}, line {number}: photo {original!r} is named twice.")
        found[known[original]] = here.pop(cloaked)
    renamed = {photo for photo, file in found.items() if file.stem != PurePosixPath(photo).stem}
    return Pairs(found, frozenset(renamed), tuple(sorted(here)), refused)


def _rows(table: Path) -> list[tuple[int, str, str]]:
    """The number of each line of a table of pairs, and the two names on it."""
    try:
        rows = csv.DictReader(io.StringIO(read_text(table)), strict=True)
        if rows.fieldnames is None or not {"original", "cloaked"} <= set(rows.fieldnames):
            raise UserError(f"{table} needs a first line that names its columns: original,cloaked.")
        names = [
            (_composed((row["original"] or "").strip()), _composed((row["cloaked"] or "").strip()))
            for row in rows
        ]
        return [(number, *pair) for number, pair in enumerate(names, 2)]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{table} is no CSV: {reason(error)}.") from error


def compared(data: Dataset, photos: Sequence[str], files: Mapping[str, Path]) -> dict[str, Compared]:
    """Photo -> what its file is.

    Args:
        data: The data set that the photos are of.
        photos: Some photos that have a file.
        files: Photo -> its file.

    Raises:
        PassingError: A file cannot be read just now.
    """
    from bench.machine.workers import each  # loads torch

    def one(photo: str) -> Compared:
        (original,) = data.read([photo])
        return _compared(original, content_of(files[photo]))

    return dict(zip(photos, each(one, photos), strict=True))


def content_of(file: Path) -> bytes:
    """A file's bytes; none of a file that is too large for a photo, or that is no file."""
    try:
        status = file.stat()
    except OSError as error:
        raise cannot_read(error, str(file)) from error
    return read_whole(file) if stat.S_ISREG(status.st_mode) and status.st_size <= _MOST_BYTES else b""


def _compared(original: object, content: bytes) -> Compared:
    sha256 = hashlib.sha256(content).hexdigest()
    try:
        after = decode(content)
    except UnreadablePhoto:
        return Compared(sha256, UNREADABLE)
    reencoded = isinstance(original, bytes) and form(original) != form(content)
    try:
        before = decode(original)  # type: ignore[arg-type]  # a file or pixels, as data sets give them
    except UnreadablePhoto:
        return Compared(sha256, reencoded=reencoded)
    if before.shape != after.shape:
        return Compared(sha256, RESIZED, reencoded=reencoded)
    return Compared(sha256, "", float(np.mean((before == after).all(axis=2))), reencoded)


def _files(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """Name below a folder -> file, and name -> why a file is not looked at; hidden files are passed over."""
    if not folder.is_dir():
        raise UserError(
            f"there is no folder {folder}. Check the path; a relative one starts in {Path.cwd()}."
        )
    root = folder.resolve()
    files: dict[str, Path] = {}
    refused: dict[str, str] = {}
    for name, path in _below(root, root, refused):
        if not path.resolve().is_relative_to(root):
            refused[name] = "is a link that leads out of the folder"
        elif not path.is_file():
            refused[name] = "is no file"
        elif name in files:
            refused[name] = "has the name of another file, but for the spelling of an accent"
        else:
            files[name] = path
    return dict(sorted(files.items())), refused


def _below(folder: Path, root: Path, refused: dict[str, str]) -> Iterator[tuple[str, Path]]:
    try:
        with os.scandir(folder) as inside:
            entries = sorted(inside, key=lambda entry: entry.name)
    except OSError as error:
        raise cannot_read(error, str(folder)) from error
    for entry in entries:
        path = Path(entry.path)
        name = _composed(path.relative_to(root).as_posix())
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(path, root, refused)
        elif entry.is_symlink() and path.is_dir():
            refused[name] = "is a link to a folder"
        else:
            yield name, path


def _same_stem(photos: Sequence[str], files: Sequence[str]) -> list[tuple[str, str]]:
    """Photos and files that are called alike but for the ending, where no two are."""
    return _one_to_one((photo, name) for photo, name in _by_stem(photos, files))


def _by_stem(photos: Sequence[str], files: Sequence[str]) -> Iterator[tuple[str, str]]:
    stems: dict[str, list[str]] = defaultdict(list)
    for photo in photos:
        stems[_stem(photo)].append(photo)
        if PurePosixPath(photo).suffix:
            stems[photo].append(photo)  # `1.jpg` -> `1.jpg.png`
    for name in files:
        yield from ((photo, name) for photo in stems[_stem(name)])


def _begins_alike(photos: Sequence[str], files: Sequence[str]) -> list[tuple[str, str]]:
    """Files whose names begin with that of a photo of their folder, where no two do."""
    in_folder: dict[str, list[str]] = defaultdict(list)
    for photo in photos:
        in_folder[str(PurePosixPath(photo).parent)].append(photo)
    pairs = []
    for name in files:
        near = [photo for photo in in_folder[str(PurePosixPath(name).parent)] if _begins(_stem(name), photo)]
        longest = max((len(_stem(photo)) for photo in near), default=0)
        pairs += [(photo, name) for photo in near if len(_stem(photo)) == longest]
    return _one_to_one(pairs)


def _begins(stem: str, photo: str) -> bool:
    own = _stem(photo)
    return stem.startswith(own) and stem[len(own) : len(own) + 1] in set(_BETWEEN)


def _one_to_one(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs of whose two names neither is in another pair."""
    once = list(dict.fromkeys(pairs))
    photos, names = Counter(photo for photo, _ in once), Counter(name for _, name in once)
    return [(photo, name) for photo, name in once if photos[photo] == names[name] == 1]


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix else name


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
