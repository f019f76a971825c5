"""Parameters within their ranges. Private to this folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from bench.errors import UserError

Ranges = Mapping[str, tuple[float, float]]
"""Parameter -> the least and the largest number that it takes."""

COUNT = (1, math.inf)
SHARE = (0, 1)
SIZE = (0, math.inf)


def check_ranges(plugin: Any, ranges: Ranges) -> None:
    """See that every parameter is in its range.

    Raises:
        UserError: One is not.
    """
    for name in (field.name for field in fields(plugin) if field.name in ranges):
        value, (low, high) = getattr(plugin, name), ranges[name]
        if not low <= value <= high:
            takes = f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
            raise UserError(f"parameter {name}={value:g} is out of range; it takes {takes}.")
