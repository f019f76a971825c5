"""Choosing a threshold on calibration identities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bench.errors import UserError

Value = TypeVar("Value")

DISTANCES = tuple(step / 40 for step in range(2, 37))
"""Candidates for a cosine distance: .05, .075, … .9."""


def check_calibration(people: npt.ArrayLike, photos: int) -> None:
    """See that calibration identities can tell a good threshold from a bad one.

    Raises:
        UserError: unless there are two people, and one with two photos.
        ValueError: unless there is one person per photo.
    """
    who = np.asarray(people)
    if who.shape != (photos,):
        raise ValueError(f"people must name one person for each of {photos} photos, got shape {who.shape}")
    counts = np.unique(who, return_counts=True)[1]
    if counts.size < 2 or counts.max() < 2:
        most = int(counts.max()) if counts.size else 0
        raise UserError(
            f"an attacker is tuned on at least 2 calibration identities, one of them with 2 photos; "
            f"this split has {counts.size} with at most {most} each. "
            "Take fewer --users, or a data set with more people."
        )


def check_distance(attacker: str, name: str, value: float | None, grid: Sequence[float]) -> None:
    """See that a cosine distance, or the candidates for it, make sense.

    Raises:
        UserError: unless they do.
    """
    if value is not None and not 0 < value <= 2:
        raise UserError(
            f"{attacker}: {name} {value} is not a cosine distance, 0 < {name} <= 2. Try {name}=0.5."
        )
    if not grid or any(not a < b <= 2 for a, b in pairwise((0.0, *grid))):
        raise UserError(
            f"{attacker}: grid must increase within 0 < {name} <= 2. Leave it out for the default."
        )


def check_least(attacker: str, name: str, value: int | None, least: int, default: int) -> None:
    """See that a count is large enough.

    Raises:
        UserError: unless it is.
    """
    if value is not None and value < least:
        raise UserError(f"{attacker}: {name} {value} is below {least}. Try {name}={default}.")


def best(grid: Sequence[Value], score: Callable[[Value], float]) -> Value:
    """The candidate with the best score; of a plateau of the best, its middle."""
    return grid[middle_of_best([score(value) for value in grid])]


def middle_of_best(values: Sequence[float]) -> int:
    """Where the middle of the widest plateau of the best value lies.

    A threshold in the middle of a plateau survives a small shift of the distances; of plateaus of one width
    the first is taken, and of two middles the lower.

    Raises:
        ValueError: for no values, or NaN.
    """
    scores = np.asarray(values, np.float64)
    if scores.size == 0 or np.isnan(scores).any():
        raise ValueError("every candidate needs a score")
    top = scores >= scores.max() - 1e-12
    edges = np.flatnonzero(np.diff(np.concatenate(([False], top, [False])).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    widest = int(np.argmax(stops - starts))
    return int((starts[widest] + stops[widest] - 1) // 2)
