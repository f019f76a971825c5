"""HEIC files, as phones write them. Pillow reads them once the extra `heic` is installed."""

from __future__ import annotations

from functools import cache

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
"""The brands of files with pictures coded as HEVC (ISO/IEC 23008-12)."""

MISSING = "HEIC file: pip install 'cloakbench[heic]' to read it"


def is_heif(data: bytes) -> bool:
    """Whether a file says in its first box that it holds HEVC pictures."""
    if data[4:8] != b"ftyp":
        return False
    box = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    # the file's main brand, four bytes of version, and the brands that it is compatible with
    return any(box[i : i + 4] in _BRANDS for i in range(0, len(box), 4) if i != 4)


@cache
def readable() -> bool:
    """Teach Pillow to read HEIC files. The result is False where the extra is not installed.

    The reader applies the rotations that such a file asks for, and leaves no orientation to apply.
    """
    try:
        import pillow_heif
    except ImportError:
        return False  # said in the reason of each photo
    pillow_heif.register_heif_opener(thumbnails=False)
    return True
