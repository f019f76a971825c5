"""Numbers in the names of channels: one way to read them, one way to write them."""

from __future__ import annotations

import re


def whole(text: str, low: int, high: int) -> int:
    """Read a whole number from low to high.

    Raises:
        ValueError: The text is anything else.
    """
    if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise ValueError(text)
    return int(text)


def real(text: str, low: float, high: float) -> float:
    """Read a decimal number from low to high.

    Raises:
        ValueError: The text is anything else, such as `nan` or `inf`.
    """
    if not re.fullmatch(r"([0-9]{1,20}(\.[0-9]{0,20})?|\.[0-9]{1,20})(e-[0-9]{1,2})?", text):
        raise ValueError(text)
    value = float(text)
    if not low <= value <= high:
        raise ValueError(text)
    return value


def written(value: float) -> str:
    """Write the shortest text that reads back as this number, so that equal channels have equal names."""
    return repr(float(value)).removesuffix(".0")
