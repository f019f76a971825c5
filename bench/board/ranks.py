"""Ranks of all rows of a board: each pair of a track is compared, and Holm's correction covers the board.

A reader looks over the whole board for rows that differ, so that one false finding among all of its pairs has
to be rare. Fewer folders on the command line ask fewer questions, and each is then answered more sharply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.board.chosen import Chosen
from bench.board.figures import FIGURES
from bench.board.outcomes import Met
from bench.types import Floats
from bench.uncertainty.paired import Comparison, Rank, compare_rows, holm, ranks_of

By = Literal["chosen", "max"]
"""What rows are ranked by: the attacker's own choice, or the strongest of all attackers."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The place of a row in its track, and the figure that decided it."""

    rank: Rank
    by: By


def placed(
    tracks: Sequence[tuple[str, Sequence[str], Mapping[str, Met], Mapping[str, Chosen]]],
) -> tuple[list[dict[str, Placed]], int]:
    """The places of all rows that are ranked, track by track; and how many pairs were compared.

    A track is ranked by the attacker's own choice where any of its rows has one. A row without one, or whose
    chosen attacker is weak, then has no place: its CFR-max is no CFR-chosen, and is not compared with any.

    Args:
        tracks: for each track its figure, the rows that may be compared, what each row's cells come to, and
            the attacker's own choices.
    """
    compared = [_compared(*track) for track in tracks]
    every = [(i, pair) for i, (_, pairs, _) in enumerate(compared) for pair in pairs]
    corrected = dict(zip(every, holm([compared[i][1][pair].p for i, pair in every]).tolist(), strict=True))
    places = []
    for i, (names, pairs, by) in enumerate(compared):
        ranks = ranks_of(names, pairs, {pair: corrected[i, pair] for pair in pairs}) if pairs else {}
        places.append({name: Placed(rank, by) for name, rank in ranks.items()})
    return places, len(every)


def _compared(
    figure: str, whole: Sequence[str], met: Mapping[str, Met], chosen: Mapping[str, Chosen]
) -> tuple[list[str], dict[tuple[str, str], Comparison], By]:
    by: By = "chosen" if chosen else "max"
    if chosen:
        whole = [name for name in whole if name in chosen and not chosen[name].choice.weak]
    outcomes = {name: _harm(figure, met[name], chosen.get(name)) for name in whole}
    several = len(outcomes) > 1 and next(iter(outcomes.values())).shape[-1] > 1
    return list(outcomes), compare_rows(outcomes) if several else {}, by


def _harm(figure: str, met: Met, chosen: Chosen | None) -> Floats:
    """What is done to each user at worst: [attacker, draw, user], larger is worse."""
    at_worst = [chosen.at_worst] if chosen else list(met.at_worst.values())
    stacked: Floats = np.stack(at_worst)
    return stacked if FIGURES[figure].clusters else 1 - stacked
