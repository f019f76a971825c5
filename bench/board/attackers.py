"""Records -> how often each attacker was the strongest: what a panel without it would have missed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from bench.board.tracks import FIGURES, oracle, weak
from bench.records.record import CellRecord

COLUMNS = ("attacker", "figure", "cells", "strongest", "alone", "clean", "flagged", "seconds")
"""Counted are cells of defenses that optimise, met by other attackers too.

`strongest`: in how many it did something and no other did more; where nobody was clustered or named, nobody
was the strongest. `alone`: in how many every other did less. `clean`: its mean rate on clean photos.
`flagged`: in how many it was too weak to be evidence. `seconds`: median of the stage `attack`.
"""


@dataclass
class _Tally:
    cells: int = 0
    strongest: int = 0
    alone: int = 0
    flagged: int = 0
    clean: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def to_rows(records: Iterable[CellRecord]) -> list[dict[str, str]]:
    """One row of texts an attacker and figure, the most often strongest on top; oracles are left out."""
    met: dict[tuple[str, str], list[tuple[CellRecord, float]]] = defaultdict(list)
    for record in records:
        if record.status != "ok" or record.knowledge == "none" or oracle(record):
            continue
        for figure in FIGURES:
            harm = _harm(record, figure)
            if harm is not None:
                met[figure, _meeting(record)].append((record, harm))
    tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    for (figure, _), attacks in met.items():
        if len({record.attacker.name for record, _ in attacks}) < 2:
            continue
        top = max(harm for _, harm in attacks)
        winners = [record for record, harm in attacks if harm == top > 0]
        for record, _ in attacks:
            tally = tallies[record.attacker.name, figure]
            tally.cells += 1
            tally.strongest += record in winners
            tally.alone += winners == [record]
            tally.flagged += weak(record)
            tally.clean.append(_clean(record, figure))
            tally.seconds += [record.cost.seconds["attack"]] if "attack" in record.cost.seconds else []
    order = sorted(
        tallies.items(), key=lambda item: (item[0][1], -item[1].strongest / item[1].cells, item[0])
    )
    return [_texts(name, figure, tally) for (name, figure), tally in order]


def _meeting(record: CellRecord) -> str:
    """Everything that decides a cell but the attacker."""
    same = {"dataset", "scenario", "defense", "surrogate", "encoder", "adaptation", "detector"}
    about = record.model_dump(mode="json", include=same)
    rest = (record.budget, record.channel, record.dose, record.level)
    return json.dumps([about, *rest, record.distractors, record.seed, record.draw], sort_keys=True)


def _harm(record: CellRecord, figure: str) -> float | None:
    metric = record.metrics.get(figure)
    if metric is None or metric.value is None:
        return None
    return metric.value if figure.startswith("cfr") else 1 - metric.value


def _clean(record: CellRecord, figure: str) -> float:
    value = record.metrics[f"{figure}_clean"].value
    assert value is not None
    return value if figure.startswith("cfr") else 1 - value


def _texts(name: str, figure: str, tally: _Tally) -> dict[str, str]:
    return {
        "attacker": name,
        "figure": FIGURES[figure],
        "cells": str(tally.cells),
        "strongest": str(tally.strongest),
        "alone": str(tally.alone),
        "clean": f"{sum(tally.clean) / len(tally.clean):.2f}",
        "flagged": str(tally.flagged) if tally.flagged else "",
        "seconds": f"{median(tally.seconds):.2f}" if tally.seconds else "",
    }
