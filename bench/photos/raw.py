"""RAW files of cameras: what they hold of a picture that anybody can show is a preview, and not the photo."""

from __future__ import annotations

from collections.abc import Iterator

REASON = "a RAW file: a program that develops it can export a photo, the preview in it is none"

_TIFF = {b"II*\0": "little", b"MM\0*": "big"}
_OTHERS = (
    (0, b"FUJIFILMCCD-RAW"),
    (0, b"FOVb"),  # Sigma
    (0, b"\0MRM"),  # Minolta
    (0, b"IIU\0"),  # Panasonic
    (0, b"IIRO"),  # Olympus, and the next two
    (0, b"IIRS"),
    (0, b"MMOR"),
    (4, b"ftypcrx "),  # Canon, since 2018
)
"""Where a file has which bytes, if it is a RAW file that is no plain TIFF."""

_REDUCED, _PHOTOMETRIC, _DNG = 254, 262, 50706
_SENSOR = (32803, 34892)  # the colours of a filter over the sensor, and linear ones before they are developed
_MOST_TAGS = 1000


def is_raw(data: bytes) -> bool:
    """Whether a file is what a camera's sensor saw, with or without a preview in front of it.

    Most RAW files are TIFF files. They are told by what they say of their first picture: that it is a reduced
    version of another one, or that its numbers are a sensor's. The name of the file does not matter.
    """
    if any(data.startswith(mark, place) for place, mark in _OTHERS):
        return True
    if data[:4] not in _TIFF:
        return False
    if data[8:10] == b"CR":  # Canon, until 2018
        return True
    tags = dict(_tags(data))
    reduced = tags.get(_REDUCED, 0) & 1 == 1
    return _DNG in tags or reduced or tags.get(_PHOTOMETRIC, 0) in _SENSOR


def _tags(data: bytes) -> Iterator[tuple[int, int]]:
    """Tag -> its number, or the first bytes of it, of the first picture of a TIFF file."""
    little = _TIFF[data[:4]] == "little"

    def number(start: int, size: int) -> int:
        return int.from_bytes(data[start : start + size], "little" if little else "big")

    start = number(4, 4)
    for i in range(min(number(start, 2), _MOST_TAGS)):
        entry = start + 2 + 12 * i
        short = number(entry + 2, 2) == 3
        yield number(entry, 2), number(entry + 8, 2 if short else 4)
