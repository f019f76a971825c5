"""Checks of a file that was asked for: its first bytes, its size and its digests."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from bench.store import lock, weights
from bench.store.sources import Item
from bench.types import Folders

_STARTS = {
    ".zip": (b"PK\x03\x04", b"PK\x05\x06"),
    ".tgz": (b"\x1f\x8b",),
    ".pt": (b"PK\x03\x04", b"\x80"),
    ".onnx": (b"\x08",),
}
"""Suffix -> the first bytes of such files: zip, gzip, PyTorch's zip or pickle, protobuf."""

_PAGE = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--")


def page(start: bytes, content_type: str = "") -> bool:
    """Whether the bytes are a web page, which log-in portals and error pages send in place of a file."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:16].lower()
    return content_type.partition(";")[0].strip().lower() == "text/html" or text.startswith(_PAGE)


def odd_start(file: str, start: bytes) -> str:
    """The fault of the first bytes of a file of this name; empty where there is none."""
    if page(start):
        return "it is a web page"
    suffix = PurePosixPath(file).suffix
    starts = _STARTS.get(suffix, ())
    return f"it does not begin as a {suffix} file does" if starts and not start.startswith(starts) else ""


def problem(path: Path, item: Item, folders: Folders) -> str:
    """The reason why a file is not the wanted one; empty where it is, or where nothing is known against it.

    Args:
        path: The file, wherever it lies.
        item: The file that is wanted.
        folders: The folders; `home` holds the lock with the pinned digests.

    Raises:
        UserError: The file or the lock cannot be read.
    """
    with path.open("rb") as file:
        wrong = odd_start(item.file, file.read(512))
        file.seek(0)
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)) if item.md5 else None
    if wrong:
        return wrong
    sha256 = weights.digest(path)
    pinned = lock.recorded(item.file, folders)
    if item.sha256 and sha256 != item.sha256:
        return f"its sha256 is {sha256}, it should be {item.sha256}"
    if not item.sha256 and pinned and sha256 != pinned:
        held = Path(folders.home) / lock.LOCK
        return f"its sha256 is {sha256}, it was {pinned} when {held} pinned it at its first use"
    if md5 is not None and md5.hexdigest() != item.md5:
        return f"its md5 is {md5.hexdigest()}, it should be {item.md5}"
    return ""
