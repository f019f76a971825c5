"""Which files are photos: by their ending, or else by their first bytes."""

from __future__ import annotations

import io
import os
import warnings
from functools import cache

import PIL.Image

from bench.containers import contained, has_known_signature
from bench.errors import patiently

from .places import of_the_entry

_HEIF = {".heic", ".heif", ".hif", ".heics", ".heifs"}
_NO_PHOTOS = {"BUFR", "EPS", "FITS", "GRIB", "HDF5", "MPEG", "PDF", "WMF"}
"""Formats that Pillow names but cannot read, or only with other programs: films, maps and drawings."""


def no_photo(file: os.DirEntry[str]) -> str:
    """Why a file is no photo; empty if it is a photo, whole or broken.

    A file with the ending of a photo is a photo: decoding it says what is wrong with it. Any other file is
    opened, and its first bytes decide.

    Raises:
        OSError: The file cannot be looked at just now.
    """
    try:
        if not file.is_file():
            return "a link to nothing" if file.is_symlink() else "neither a file nor a folder"
    except OSError as error:
        return _refused(error)
    if os.path.splitext(file.name)[1].lower() in _endings():  # noqa: PTH122 - a Path each takes twice as long
        return ""
    try:
        with patiently(lambda: open(file.path, "rb")) as content:  # noqa: PTH123 - as above
            head = content.read(16)
            if head[4:11] in (b"ftyphei", b"ftyphev"):
                return ""  # HEIC, whether or not this machine can decode it
            content.seek(0)
            photo = io.BytesIO(contained(content.read()).picture) if has_known_signature(head) else content
            with warnings.catch_warnings(action="ignore"), PIL.Image.open(photo, formats=_signed()):
                return ""
    except PIL.Image.DecompressionBombError:
        return ""  # a photo of too many pixels: decoding refuses it
    except PIL.UnidentifiedImageError:
        return "not a photo in any format that Pillow reads"
    except Exception as error:  # noqa: BLE001 - readers of broken files raise whatever they come across
        if isinstance(error, OSError) and error.errno is not None:
            return _refused(error)
        return f"not a photo: {' '.join(str(error).split())}"


def _refused(error: OSError) -> str:
    """Why a file that the system does not let us look at is left out.

    Raises:
        OSError: The same error, if it is one of the moment.
    """
    if not of_the_entry(error):
        raise error
    return f"cannot be read: {error.strerror}"


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
