"""Which files are photos: by their ending, or else by their first bytes."""

from __future__ import annotations

import os
import warnings
from functools import cache

import PIL.Image

_HEIF = {".heic", ".heif", ".hif", ".heics", ".heifs"}
_NO_PHOTOS = {"BUFR", "EPS", "FITS", "GRIB", "HDF5", "MPEG", "PDF", "WMF"}
"""Formats that Pillow names but cannot read, or only with other programs: films, maps and drawings."""


def no_photo(file: os.DirEntry[str]) -> str:
    """Why a file is no photo; empty if it is a photo, whole or broken.

    A file with the ending of a photo is a photo: decoding it says what is wrong with it. Any other file is
    opened, and its first bytes decide.
    """
    try:
        if not file.is_file():
            return "a link to nothing" if file.is_symlink() else "neither a file nor a folder"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if os.path.splitext(file.name)[1].lower() in _endings():  # noqa: PTH122 - a Path each takes twice as long
        return ""
    try:
        with open(file.path, "rb") as content:  # noqa: PTH123 - as above
            head = content.read(11)
        if head[4:] in (b"ftyphei", b"ftyphev"):
            return ""  # HEIC, whether or not this machine can decode it
        with warnings.catch_warnings(action="ignore"), PIL.Image.open(file.path, formats=_signed()):
            return ""
    except PIL.Image.DecompressionBombError:
        return ""  # a photo of too many pixels: decoding refuses it
    except PIL.UnidentifiedImageError:
        return "not a photo in any format that Pillow reads"
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        return f"not a photo: {' '.join(str(error).split())}"


@cache
def _formats() -> frozenset[str]:
    PIL.Image.init()
    # Pillow knows HEIF once a library has registered it: what a folder holds must not depend on that
    return frozenset(PIL.Image.OPEN) - _NO_PHOTOS - {"HEIF"}


@cache
def _signed() -> tuple[str, ...]:
    """The formats whose files begin with a signature; any file might pass for one of another format."""
    return tuple(sorted(kind for kind in _formats() if PIL.Image.OPEN[kind][1] is not None))


@cache
def _endings() -> frozenset[str]:
    registered = PIL.Image.registered_extensions()
    return frozenset({ending for ending, kind in registered.items() if kind in _formats()} | _HEIF)
