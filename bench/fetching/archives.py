"""Unpacking of other people's archives: nothing outside the folder, no links, no bombs."""

from __future__ import annotations

import gzip
import hashlib
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

_CHUNK = 2**20
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, EOFError, gzip.BadGzipFile, zlib.error, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of an unpacked archive.

    Attributes:
        members: The most files and folders.
        total: The most bytes unpacked.
        ratio: The most bytes unpacked for each byte of the archive; photos and weights hardly shrink.
        floor: The bytes that every archive may have, whatever its ratio.
    """

    members: int = 200_000
    total: int = 16 * 2**30
    ratio: int = 20
    floor: int = 16 * 2**20


LIMITS = Limits()


class ArchiveError(Exception):
    """The archive is damaged, or not safe to unpack; the message says why."""


def unpack(archive: Path, into: Path, limits: Limits = LIMITS) -> dict[str, str]:
    """Unpack a .zip or a .tgz into an empty folder.

    Files get the mode of any new file. Links and devices are refused, wherever they point.

    Args:
        archive: The archive; its suffix does not matter.
        into: An empty folder.
        limits: The limits of the unpacked archive.

    Returns:
        Hex sha256 of every file, by its path below the folder, written with `/`.

    Raises:
        ArchiveError: The archive is damaged or not safe; `into` then holds a part of it.
        OSError: A file cannot be written.
    """
    allowed = min(limits.total, max(limits.floor, limits.ratio * archive.stat().st_size))
    try:
        members = _zip(archive) if zipfile.is_zipfile(archive) else _tar(archive, allowed)
        return _Unpacked(into, allowed, limits.members).take(members)
    except _DAMAGED as error:
        raise ArchiveError(f"it is damaged ({error})") from error


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    folder: bool
    size: int
    body: IO[bytes] | None = None


@dataclass(slots=True)
class _Unpacked:
    """A folder that is being filled, and what may still go into it."""

    into: Path
    allowed: int
    members: int
    digests: dict[str, str] = field(default_factory=dict)

    def take(self, members: Iterator[_Member]) -> dict[str, str]:
        for count, member in enumerate(members, 1):
            if count > self.members:
                raise ArchiveError(f"it has more than {self.members} members")
            path = _inside(member.name)
            if path is None:
                continue
            target = self.into.joinpath(path)
            try:
                (target if member.folder else target.parent).mkdir(parents=True, exist_ok=True)
                out = None if member.folder else target.open("xb")
            except (FileExistsError, NotADirectoryError) as error:
                raise ArchiveError(f"it has {member.name!r} twice") from error
            if out is not None:
                with out:
                    self.digests[str(path)] = self._fill(out, member)
        return self.digests

    def _fill(self, out: IO[bytes], member: _Member) -> str:
        """Write a member's bytes as long as the limits allow, and give their sha256."""
        if member.size > self.allowed:  # as it says of itself; it is counted all the same
            raise ArchiveError("it unpacks to far more than its own size")
        digest = hashlib.sha256()
        while member.body is not None and (chunk := member.body.read(_CHUNK)):
            self.allowed -= len(chunk)
            if self.allowed < 0:
                raise ArchiveError("it unpacks to far more than its own size")
            digest.update(chunk)
            out.write(chunk)
        return digest.hexdigest()


def _inside(name: str) -> PurePosixPath | None:
    """The path of a member below the folder; None for the folder itself."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\\" in name or any(":" in part for part in parts):
        raise ArchiveError(f"its member {name!r} leads out of the folder")
    if not name.isprintable() or any(len(part.encode()) > 255 for part in parts):
        raise ArchiveError(f"its member {name[:40]!r} has a name that no file should have")
    return PurePosixPath(*parts) if parts else None


def _zip(archive: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ArchiveError(f"its member {info.filename!r} is a link or a device")
            if info.flag_bits & 1:
                raise ArchiveError(f"its member {info.filename!r} is encrypted")
            if info.is_dir():
                yield _Member(info.filename, True, 0)
            else:
                with opened.open(info) as body:
                    yield _Member(info.filename, False, info.file_size, body)


def _tar(archive: Path, allowed: int) -> Iterator[_Member]:
    # tarfile reads a header's own contents into memory, so what it may read is bounded too: twice what may
    # be unpacked leaves room for a header a file
    with gzip.open(archive) as plain:
        metered = _Metered(plain, 2 * allowed)
        with tarfile.open(fileobj=metered, mode="r|") as opened:
            for info in opened:
                if not (info.isreg() or info.isdir()) or info.issparse():
                    raise ArchiveError(f"its member {info.name!r} is a link or a device")
                yield _Member(info.name, info.isdir(), info.size, opened.extractfile(info))
        while metered.read(_CHUNK):  # to the end, where gzip compares its checksum
            pass


class _Metered(io.RawIOBase):
    """A stream that raises an error once its limit is exceeded."""

    def __init__(self, stream: gzip.GzipFile, allowed: int) -> None:
        super().__init__()
        self._stream, self._allowed = stream, allowed

    def readable(self) -> bool:
        """Always true."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read at most `size` bytes."""
        content = self._stream.read(size)
        self._allowed -= len(content)
        if self._allowed < 0:
            raise ArchiveError("it unpacks to far more than its own size")
        return content
