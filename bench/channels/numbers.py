"""Numbers in the names of channels: read in one way, written in one way."""

from __future__ import annotations

import re


def whole(text: str, low: int, high: int) -> int:
    """A whole number from low to high.

    Raises:
        ValueError: for anything else.
    """
    if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise ValueError(text)
    return int(text)


def real(text: str, low: float, high: float) -> float:
    """A decimal number from low to high.

    Raises:
        ValueError: for anything else, `nan` and `inf` among it.
    """
    if not re.fullmatch(r"([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})(e-[0-9]{1,2})?", text):
        raise ValueError(text)
    value = float(text)
    if not low <= value <= high:
        raise ValueError(text)
    return value


def written(value: float) -> str:
    """The shortest text that reads back as this number, so that equal channels have equal names."""
    return repr(float(value)).removesuffix(".0")
