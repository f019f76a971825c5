"""Packs: zip files whose members are stored as they are.

A zip file lists its members and their sizes before any of them is read, and this library's reader makes no
link and no device. Members are not compressed: records and tables are packed in themselves, so that a pack is
as large as what comes out of it, and its bytes are the same on every machine.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from bench.board.escaping import printable
from bench.errors import UserError, cannot_read
from bench.records.parsing import shown
from bench.store.reading import read_whole
from bench.submission.names import known

LARGEST: Final = 2**30
"""Bytes of a pack."""

MOST: Final = 100_000
"""Files of a pack."""

_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = (stat.S_IFREG | 0o644) << 16


def write_pack(files: Mapping[str, bytes]) -> bytes:
    """A pack of some files: the same bytes for the same files, whatever their order.

    Args:
        files: Name -> content.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _TIME)
            member.create_system = 3
            member.external_attr = _MODE
            pack.writestr(member, files[name])
    return out.getvalue()


def read_pack(path: Path) -> dict[str, bytes]:
    """The files of a pack, in memory: nothing is written anywhere.

    Args:
        path: A file that anybody may have made.

    Returns:
        Name -> content.

    Raises:
        UserError: It is no pack, it is too large, or a member is anything but a stored file of a known name.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise cannot_read(error, str(path)) from error
    if size > LARGEST:
        raise refused(path, f"it has {size} bytes, and {LARGEST} are the most")
    try:
        with zipfile.ZipFile(io.BytesIO(read_whole(path))) as pack:
            members = pack.infolist()
            _check(path, members, size)
            return {member.filename: pack.read(member) for member in members}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        raise refused(path, f"it is no whole zip file ({printable(str(error))[:100]})") from error


def refused(path: Path, why: str) -> UserError:
    """Make the error for a pack that is not opened."""
    return UserError(f"{path} is not opened: {why}. 'bench submit RECORDS --out FILE.zip' makes packs.")


def _check(path: Path, members: list[zipfile.ZipInfo], size: int) -> None:
    if len(members) > MOST:
        raise refused(path, f"it has {len(members)} files, and {MOST} are the most")
    names: set[str] = set()
    for member in members:
        wrong = _wrong(member)
        if member.filename in names:
            wrong = "stands in it twice"
        if wrong:
            raise refused(path, f"{shown(member.orig_filename)} {wrong}")
        names.add(member.filename)
    total = sum(member.file_size for member in members)
    if total > size:
        raise refused(path, f"its files claim {total} bytes, and it has {size}")


def _wrong(member: zipfile.ZipInfo) -> str:
    """Why a member is not read, as a predicate; empty for one that is."""
    name, mode = member.orig_filename, member.external_attr >> 16
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts or "\\" in name or ":" in name:
        return "leads out of the pack"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG) or member.is_dir():
        return "is a link, a folder or a device, and not a file"
    if not known(name) or name != member.filename:
        return "is no file of a submission"
    if member.flag_bits & 1:
        return "is encrypted"
    if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
        return "is compressed, and files of a pack are stored as they are"
    return ""
