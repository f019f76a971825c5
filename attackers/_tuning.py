"""Choosing a threshold on calibration identities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.errors import UserError


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
    best = scores >= scores.max() - 1e-12
    edges = np.flatnonzero(np.diff(np.concatenate(([False], best, [False])).astype(np.int8)))
    starts, stops = edges[::2], edges[1::2]
    widest = int(np.argmax(stops - starts))
    return int((starts[widest] + stops[widest] - 1) // 2)
