"""Folders of systems, servers and bins, which are nobody's. They are told by what they have in common."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Sequence

from .places import entries

_STARTS = (".", "#", "@", "$", "~", "__")
"""No name of a person begins so. Bins, snapshots, thumbnails and hidden folders of all systems do."""

_NAMES = re.compile(
    r"lost\+found|found\.\d{3}|recycle[dr]|system volume information|network trash folder|temporary items",
    re.IGNORECASE,
)
"""Names of folders that have nothing in common: of file systems, of old Windows and of old macOS."""

_BIN_OF_WINDOWS = b"645ff040-5081-101b-9f08-00aa002f954e"
"""The class of the recycle bin, which its `desktop.ini` names."""

_HIDDEN_ON_WINDOWS = stat.FILE_ATTRIBUTE_HIDDEN | stat.FILE_ATTRIBUTE_SYSTEM
_READ = 4096


def of_a_system(folder: os.DirEntry[str]) -> str:
    """Why a folder is a system's or a bin, by its name and status; empty for one that may be a person's.

    Raises:
        OSError: The folder cannot be looked at.
    """
    # another width of a sign is the same sign
    name = unicodedata.normalize("NFKC", folder.name).strip()
    start = next(filter(name.startswith, _STARTS), "")
    if start:
        return f"begins with {start!r}, as folders of systems and bins do: rename it if it is a person's"
    if _NAMES.fullmatch(name):
        return "has the name of a system's folder or bin: rename it if it is a person's"
    return "is hidden, as folders of systems are" if is_hidden(folder.stat()) else ""


def is_hidden(status: os.stat_result) -> bool:
    """Whether Windows or macOS hides a file or folder, whatever its name is."""
    on_windows = getattr(status, "st_file_attributes", 0) & _HIDDEN_ON_WINDOWS
    return bool(on_windows or getattr(status, "st_flags", 0) & stat.UF_HIDDEN)


def is_bin(inside: Sequence[os.DirEntry[str]]) -> bool:
    """Whether a folder has the marks of a bin inside: of Windows, or of freedesktop.org's systems.

    Args:
        inside: What the folder holds.

    Raises:
        OSError: A mark cannot be looked at.
    """
    for entry in inside:
        name = entry.name.lower()
        if name == "info2" and entry.is_file():
            return True
        if name == "desktop.ini" and entry.is_file():
            with open(entry.path, "rb") as file:  # noqa: PTH123 - as everywhere here, by the entry's path
                text = file.read(_READ)
            if _BIN_OF_WINDOWS in text.replace(b"\0", b"").lower():  # the file may be UTF-16
                return True
        if name == "info" and entry.is_dir():
            return any(note.name.endswith(".trashinfo") for note in entries(entry.path))
    return False
