"""Records -> what a cloak that beats one attacker falls to.

The first column is the attacker that most papers have: DBSCAN through the very encoder that the cloak was
made against. Each other column changes one thing and takes the strongest of what was tried, with its own 95 %
interval over users: it does not know that the strongest was picked, which that of the panel does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.board.tracks import oracle, sizes, weak
from bench.board.user_tables import Users
from bench.channels import divided, parse
from bench.records.record import CellRecord, Metric
from bench.uncertainty.intervals import LEVEL
from bench.uncertainty.paired import holm, mcnemar

COLUMNS = (
    "data set",
    "defense",
    "surrogate",
    "budget",
    "distractors",
    "draw",
    "users",
    "DBSCAN on the surrogate",
    "another clusterer",
    "another encoder",
    "both",
    "a platform",
    "thresholds tuned on cloaks",
    "an encoder that was adapted",
    "a purifier",
    "part of the photos cloaked",
    "anything, same encoder",
    "anything",
    "named among clean photos",
    "named through another encoder",
)
"""Cluster-formation rates, in the last two columns 1 - PSR@1; in brackets whose.

`*`: users fare otherwise than in the first of these columns (exact McNemar, Holm over all cells, p <= .05).
`weak`: nobody who was tried there finds enough people on clean photos, so that a low rate says nothing.
`failed`: so many cells have no result, whatever that would have been.
"""


@dataclass(frozen=True)
class _Step:
    """How far a cell is from DBSCAN on the surrogate, clean photos and all."""

    clusterer: bool
    encoder: bool
    platform: bool
    purifier: bool
    level: bool
    adaptation: bool
    dose: bool

    @property
    def taken(self) -> frozenset[str]:
        return frozenset(name for name, value in vars(self).items() if value)


_STEPS: dict[str, frozenset[str]] = {
    "DBSCAN on the surrogate": frozenset(),
    "another clusterer": frozenset({"clusterer"}),
    "another encoder": frozenset({"encoder"}),
    "both": frozenset({"clusterer", "encoder"}),
    "a platform": frozenset({"platform"}),
    "thresholds tuned on cloaks": frozenset({"level"}),
    "an encoder that was adapted": frozenset({"adaptation"}),
    "a purifier": frozenset({"purifier"}),
    "part of the photos cloaked": frozenset({"dose"}),
}

_NAMED: dict[str, frozenset[str]] = {
    "named among clean photos": frozenset(),
    "named through another encoder": frozenset({"encoder"}),
}


def to_rows(records: Iterable[CellRecord], users: Users) -> list[dict[str, str]]:
    """One row of texts a defense with surrogates, budget and data set; oracles are left out.

    A cell whose attacker was too weak to be evidence still counts where it formed clusters: an attack that
    worked has worked.

    Args:
        records: of any runs.
        users: their per-user tables; a cell without one is not marked.
    """
    found: dict[str, dict[str, list[CellRecord]]] = defaultdict(lambda: defaultdict(list))
    named: dict[str, list[CellRecord]] = defaultdict(list)
    for record in records:
        if record.status != "skipped" and record.surrogate and not oracle(record):
            if record.scenario.name == "introduced":
                found[_users(record)][sizes(record)].append(record)
            elif record.scenario.name == "evasion":
                named[_users(record)].append(record)
    return [
        _texts(introduced, named[people], users)
        for people in dict.fromkeys([*found, *named])
        for introduced in (list(found[people].values()) or [[]])
    ]


def _users(record: CellRecord) -> str:
    """Whose photos, and what was done to them."""
    same = {"dataset", "defense", "surrogate", "budget", "distractors", "seed", "draw", "detector"}
    about = record.model_dump(mode="json", include=same)
    return json.dumps([about, *(record.scenario.parameters.get(key) for key in ("users", "photos"))])


def _texts(introduced: list[CellRecord], named: list[CellRecord], users: Users) -> dict[str, str]:
    first = [*introduced, *named][0]
    texts = {
        "data set": first.dataset.name,
        "defense": first.defense.name,
        "surrogate": "+".join(s.name for s in first.surrogate),
        "budget": first.budget,
        "distractors": str(first.distractors) if first.distractors else "",
        "draw": str(first.draw) if first.draw else "",
        "users": str(first.scenario.parameters.get("users", "")),
    }
    differ = _differ(introduced, users)
    for column, taken in _STEPS.items():
        there = [(r, r.metrics.get("cfr")) for r in introduced if _step(r).taken == taken]
        texts[column] = _strongest(there, _whose(taken), differ)
    whole = [(r, r.metrics.get("cfr")) for r in introduced if not _step(r).dose]
    same = [(r, figure) for r, figure in whole if not _step(r).encoder]
    texts["anything, same encoder"] = _strongest(same, _whole, differ)
    texts["anything"] = _strongest(whole, _whole, differ)
    for column, taken in _NAMED.items():
        there = [
            (r, _turned(r.metrics.get("psr1"))) for r in named if _step(r).taken - {"clusterer"} == taken
        ]
        texts[column] = _strongest(there, _whose(taken | {"clusterer"}))
    return texts


def _differ(cells: Sequence[CellRecord], users: Users) -> frozenset[str]:
    """Cells under which users fare otherwise than under DBSCAN on the surrogate: McNemar's test, by Holm.

    The correction is over all cells, so that the strongest may be picked among them.
    """
    formed = {}
    for record in cells:
        table = users.get(record.cell, {})
        if "formed" in table:
            order = np.argsort([str(user) for user in table["user"]])
            formed[record.cell] = np.asarray(table["formed"], bool)[order]
    base = next((formed.get(record.cell) for record in cells if not _step(record).taken), None)
    if base is None:
        return frozenset()
    others = [record.cell for record in cells if _step(record).taken and record.cell in formed]
    corrected = holm([mcnemar(base, formed[cell]).p for cell in others])
    return frozenset(cell for cell, p in zip(others, corrected, strict=True) if p <= LEVEL)


def _step(record: CellRecord) -> _Step:
    platform, purifier = divided(parse(record.channel))
    return _Step(
        clusterer=record.attacker.name != "dbscan",
        encoder=record.knowledge != "white-box",
        platform=str(platform) != "none",
        purifier=str(purifier) != "none",
        level=record.level != "oblivious",
        adaptation=record.adaptation.name != "none",
        dose=record.dose != 1,
    )


def _whose(taken: frozenset[str]) -> Callable[[CellRecord], str]:
    told: Mapping[str, Callable[[CellRecord], str]] = {
        "clusterer": lambda r: r.attacker.name,
        "encoder": lambda r: r.encoder.name,
        "platform": lambda r: r.channel,
        "purifier": lambda r: r.channel,
        "adaptation": lambda r: r.adaptation.name,
        "dose": lambda r: f"{r.dose:g}",
    }
    return lambda record: ", ".join(told[name](record) for name in sorted(taken) if name in told)


def _whole(record: CellRecord) -> str:
    parts = [record.attacker.name, record.encoder.name]
    parts += [record.channel] if record.channel != "none" else []
    parts += [record.level] if record.level != "oblivious" else []
    parts += [record.adaptation.name] if record.adaptation.name != "none" else []
    return ", ".join(parts)


def _turned(protected: Metric | None) -> Metric | None:
    """The rate at which people were named."""
    if protected is None:
        return None
    value, low, high = (
        None if x is None else 1 - x for x in (protected.value, protected.high, protected.low)
    )
    return protected.model_copy(update={"value": value, "low": low, "high": high})


def _strongest(
    cells: Sequence[tuple[CellRecord, Metric | None]],
    whose: Callable[[CellRecord], str],
    differ: Container[str] = (),
) -> str:
    failed = sum(record.status == "failed" for record, _ in cells)
    lost = [f"{failed} failed"] if failed else []
    known = [(one.value, record, one) for record, one in cells if one and one.value is not None]
    if not known:
        return "".join(f"({text})" for text in lost)
    value, record, figure = max(known, key=lambda one: one[0])
    low, high = ("?" if end is None else f"{end:.2f}" for end in (figure.low, figure.high))
    told = [whose(record)] if value > 0 and whose(record) else []
    told += ["weak"] if all(weak(one) for _, one, _ in known) else []
    mark = "*" if record.cell in differ else ""
    return f"{value:.2f}{mark} [{low}, {high}]" + (f" ({', '.join(told + lost)})" if told + lost else "")
