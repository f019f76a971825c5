"""Documents that are packed with xz.

Records repeat themselves: those of a suite take a fiftieth of their size so.
"""

from __future__ import annotations

import lzma
from typing import Final

from bench.records.parsing import DamagedError

SUFFIX: Final = ".xz"
"""What the name of a packed document ends with."""

LARGEST: Final = 2**30
"""Bytes that a document may have once it is unpacked: about 50,000 cells."""

MEMORY: Final = 2**27
"""Bytes that a file may ask for while it is unpacked; xz's own presets ask for at most 65 MiB."""


def unpacked(content: bytes) -> bytes:
    """A document as it was before it was packed.

    Raises:
        DamagedError: It is no whole xz file, or asks for too much.
    """
    reader = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
    try:
        out = reader.decompress(content, max_length=LARGEST + 1)
    except lzma.LZMAError as error:
        raise DamagedError(f"it cannot be unpacked: {error}") from None
    if len(out) > LARGEST:
        raise DamagedError(f"it is larger than {LARGEST // 2**20} MiB once it is unpacked")
    if not reader.eof:
        raise DamagedError("it cannot be unpacked: it is cut short")
    if reader.unused_data:
        raise DamagedError("it cannot be unpacked: something stands behind its end")
    return out
