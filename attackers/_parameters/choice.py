"""How a parameter is chosen on calibration identities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from bench.errors import UserError

Value = TypeVar("Value")

DISTANCES = tuple(step / 40 for step in range(2, 37))
"""The candidates for a cosine distance: .05, .075, … .9."""


def check_calibration(people: npt.ArrayLike, photos: int) -> None:
    """See that calibration identities can tell a good threshold from a bad one.

    Args:
        people: int [photo], the person on each photo.
        photos: The number of photos.

    Raises:
        UserError: unless there are at least two people, and at least one of them has two photos.
        ValueError: unless `people` names one person for each photo.
    """
    owners = np.asarray(people)
    if owners.shape != (photos,):
        raise ValueError(f"people must name one person for each of {photos} photos, got shape {owners.shape}")
    counts = np.unique(owners, return_counts=True)[1]
    if counts.size < 2 or counts.max() < 2:
        most = int(counts.max()) if counts.size else 0
        raise UserError(
            f"an attacker is tuned on at least 2 calibration identities, one of them with 2 photos; "
            f"this split has {counts.size} with at most {most} each. "
            "Take fewer --users, or a data set with more people."
        )


def best(grid: Sequence[Value], score: Callable[[Value], float]) -> Value:
    """The candidate with the best score; of a plateau of the best, its middle.

    Args:
        grid: The candidates, in order.
        score: The score of a candidate; a larger score is better.
    """
    return grid[middle_of_best([score(value) for value in grid])]


def middle_of_best(values: Sequence[float]) -> int:
    """The position of the middle of the widest plateau of the best value.

    A threshold in the middle of a plateau survives a small shift of the distances. Of plateaus of one width
    the first is taken, and of two middles the lower.

    Args:
        values: The candidates' scores; a larger score is better.

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
