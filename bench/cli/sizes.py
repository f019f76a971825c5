"""Sizes of files, as they are typed and printed."""

from __future__ import annotations

from bench.errors import UserError
from bench.plan.words import either

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def read_size(option: str, text: str) -> int:
    """Bytes, of a number and a unit such as `500MB` or `1.5 GB`.

    Args:
        option: Where it was given.
        text: What was given.

    Raises:
        UserError: It is no size.
    """
    number, unit = text.strip()[:-2].strip(), text.strip()[-2:].upper()
    try:
        size = float(number) * _UNITS[unit]
        if not 0 <= size < float("inf"):
            raise ValueError
        return int(size)
    except (KeyError, ValueError) as error:
        raise UserError(
            f"{option} {text!r} is no size. Type a number with {either(_UNITS)}, such as 20GB."
        ) from error


def in_units(size: int) -> str:
    """Bytes for the eye, such as `1.4 GB`."""
    for unit in reversed(_UNITS):
        if size >= _UNITS[unit]:
            return f"{size / _UNITS[unit]:.1f} {unit}"
    return f"{size} B"
