"""What tells curves apart: as few words as all that records say of themselves allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from bench.board.further import further
from bench.board.tracks import differing, identity
from bench.records.record import CellRecord, Named

_PARTS: Mapping[str, Callable[[CellRecord], Named]] = {
    "dataset": lambda r: r.dataset,
    "defense": lambda r: r.defense,
    "encoder": lambda r: r.encoder,
    "attacker": lambda r: r.attacker,
    "adaptation": lambda r: r.adaptation,
}
"""What has parameters in which two of one name can differ."""

_CALIBRATED = ("dataset", "encoder", "detector", "attacker", "level", "draw", "seed")
"""What decides how an attacker is tuned: on calibration people nothing depends on what users do."""


def curve_names(records: Sequence[CellRecord], axis: str) -> dict[str, str]:
    """Cell -> the name of the curve that it is a point of.

    Args:
        records: of all curves.
        axis: of the curves; its values are in no name.
    """
    parts = {name: _part_names(records, part) for name, part in _PARTS.items()}
    words: dict[str, dict[str, str]] = {}
    for record in records:
        about = {
            "dataset": parts["dataset"][record.cell],
            "scenario": record.scenario.name,
            "defense": parts["defense"][record.cell],
            "surrogate": "+".join(s.name for s in record.surrogate),
            "budget": record.budget,
            "channel": record.channel,
            "encoder": parts["encoder"][record.cell],
            "detector": record.detector.name,
            "attacker": parts["attacker"][record.cell],
            "level": record.level,
            "adaptation": parts["adaptation"][record.cell],
            "dose": f"dose {record.dose:g}",
            "distractors": f"{record.distractors} strangers",
            "draw": f"draw {record.draw}",
            "seed": f"seed {record.seed}",
            **{name: f"{name} {value}" for name, value in further(record).items()},
            **{name: f"{size} {name}" for name, size in record.scenario.parameters.items()},
        }
        if axis == "calibration":
            about = {key: about[key] for key in _CALIBRATED}
        words[record.cell] = {key: text for key, text in about.items() if key != axis}
    varying = {
        key for about in words.values() for key in about if len({w.get(key) for w in words.values()}) > 1
    }
    return {
        cell: ", ".join(text for key, text in about.items() if key in varying and text) or "all"
        for cell, about in words.items()
    }


def _part_names(records: Sequence[CellRecord], part: Callable[[CellRecord], Named]) -> dict[str, str]:
    """Cell -> a part's name, with the parameters in which those of one name differ."""
    variants: dict[str, dict[str, Named]] = defaultdict(dict)
    for record in records:
        variants[part(record).name].setdefault(identity(part(record)), part(record))
    names = {
        key: named.name + differing(named, list(alike.values()))
        for alike in variants.values()
        for key, named in alike.items()
    }
    return {record.cell: names[identity(part(record))] for record in records}
