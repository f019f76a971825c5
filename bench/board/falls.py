"""Records -> what a cloak that beats one attacker falls to.

The first column is the attacker that most papers have: DBSCAN through the very encoder that the cloak was
made against. Each other column changes one thing and takes the strongest of what was tried.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bench.channels import divided, parse
from bench.records import CellRecord

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
    "half the photos cloaked",
    "named among clean photos",
)
"""Cluster-formation rates, in the last column 1 - PSR@1; in brackets whose."""


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
    "half the photos cloaked": frozenset({"dose"}),
}


def to_rows(records: Iterable[CellRecord]) -> list[dict[str, str]]:
    """One row of texts a defense with surrogates, budget and data set; oracles are left out.

    A cell whose attacker was too weak to be evidence still counts where it formed clusters: an attack that
    worked has worked.
    """
    found: dict[str, list[CellRecord]] = defaultdict(list)
    for record in records:
        oracle = any(flag.startswith("oracle") for flag in record.flags)
        if record.status == "ok" and record.surrogate and not oracle:
            found[_row(record)].append(record)
    return [_texts(cells) for cells in found.values()]


def _row(record: CellRecord) -> str:
    same = {"dataset", "defense", "surrogate", "budget", "distractors", "seed", "draw"}
    about = record.model_dump(mode="json", include=same)
    return json.dumps(about, sort_keys=True)


def _texts(cells: list[CellRecord]) -> dict[str, str]:
    first = cells[0]
    introduced = [r for r in cells if r.scenario.name == "introduced" and "cfr" in r.metrics]
    named = [r for r in cells if r.scenario.name == "evasion" and "psr1" in r.metrics]
    texts = {
        "data set": first.dataset.name,
        "defense": first.defense.name,
        "surrogate": "+".join(s.name for s in first.surrogate),
        "budget": first.budget,
        "distractors": str(first.distractors) if first.distractors else "",
        "draw": str(first.draw) if first.draw else "",
        "users": str(max((r.metrics["cfr"].n for r in introduced), default=0)),
    }
    for column, taken in _STEPS.items():
        there = [r for r in introduced if _step(r).taken == taken]
        texts[column] = _strongest(there, lambda r: r.metrics["cfr"].value, _whose(taken))
    own = [r for r in named if not _step(r).taken - {"clusterer"}]
    texts["named among clean photos"] = _strongest(own, _named, lambda r: r.attacker.name)
    return texts


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
    }
    return lambda record: ", ".join(told[name](record) for name in sorted(taken) if name in told)


def _named(record: CellRecord) -> float | None:
    value = record.metrics["psr1"].value
    return None if value is None else 1 - value


def _strongest(
    cells: Iterable[CellRecord],
    harm: Callable[[CellRecord], float | None],
    whose: Callable[[CellRecord], str],
) -> str:
    known = [(value, record) for record in cells if (value := harm(record)) is not None]
    if not known:
        return ""
    value, record = max(known, key=lambda pair: pair[0])
    name = whose(record)
    return f"{value:.2f} ({name})" if name and value > 0 else f"{value:.2f}"
