"""Records -> what a cloak that beats one attacker falls to.

The first attack is the one that most papers have: DBSCAN through the very encoder that the cloak was made
against. Each other one changes one thing and takes the strongest of what was tried, with its own 95 %
interval over users: it does not know that the strongest was picked, which that of the panel does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.board.figures import FIGURES, contaminated, not_ok
from bench.board.further import extended, further
from bench.board.tracks import (
    RELEASE,
    defense_labels,
    on_surrogate,
    oracle,
    other_detector,
    same,
    sizes,
    weak,
)
from bench.board.user_tables import Users
from bench.board.values import Strongest
from bench.channels import divided, parse
from bench.records.record import CellRecord, Metric
from bench.types import Mask
from bench.uncertainty.paired import holm, mcnemar


@dataclass(frozen=True, slots=True)
class StepRow:
    """A defense with its surrogates and budget, on one data set.

    Rates are CFR, and in the last two fields what PSR@1 leaves of 1: where they are higher, the attack is
    stronger. An attack is None where no cell of its kind was asked for.

    Attributes:
        users: how many there are.
        dbscan_on_surrogate: DBSCAN through the encoder that the cloak was made against. The fields up to
            `part_cloaked` change what they say and nothing else.
        another_clusterer: another clusterer than DBSCAN.
        another_encoder: an encoder that the defense did not optimise against.
        both: another clusterer through another encoder.
        platform: a channel between release and attacker.
        tuned_on_cloaks: thresholds that were tuned on cloaks.
        adapted_encoder: an encoder that was adapted to the defense.
        purifier: a purifier before the encoder.
        part_cloaked: a part of the users' photos is cloaked.
        anything_same_encoder: any of these through the encoder that the cloak was made against.
        anything: any of these.
        named: naming among clean photos, through the encoder that the cloak was made against.
        named_another_encoder: the same through another encoder.
        not_ok: how many photos are not ok, in the cell that has most of them.
        contamination: the largest share, over the cells, of other people who are harder to sort because of
            the cloaks; None where no cell has it.
    """

    dataset: str
    defense: str
    surrogate: tuple[str, ...]
    budget: str
    distractors: int
    draw: int
    users: int | None
    dbscan_on_surrogate: Strongest | None
    another_clusterer: Strongest | None
    another_encoder: Strongest | None
    both: Strongest | None
    platform: Strongest | None
    tuned_on_cloaks: Strongest | None
    adapted_encoder: Strongest | None
    purifier: Strongest | None
    part_cloaked: Strongest | None
    anything_same_encoder: Strongest | None
    anything: Strongest | None
    named: Strongest | None
    named_another_encoder: Strongest | None
    not_ok: int
    contamination: float | None


KIND = extended(StepRow)
"""What the rows are."""

_STEPS: Mapping[str, frozenset[str]] = {
    "dbscan_on_surrogate": frozenset(),
    "another_clusterer": frozenset({"clusterer"}),
    "another_encoder": frozenset({"encoder"}),
    "both": frozenset({"clusterer", "encoder"}),
    "platform": frozenset({"platform"}),
    "tuned_on_cloaks": frozenset({"level"}),
    "adapted_encoder": frozenset({"adaptation"}),
    "purifier": frozenset({"purifier"}),
    "part_cloaked": frozenset({"dose"}),
}
"""Field of a row -> what its attacks do otherwise than DBSCAN on the surrogate."""

_NAMED: Mapping[str, frozenset[str]] = {
    "named": frozenset(),
    "named_another_encoder": frozenset({"encoder"}),
}

_BY: Mapping[str, Callable[[CellRecord], str]] = {
    "clusterer": lambda r: r.attacker.name,
    "encoder": lambda r: r.encoder.name,
    "platform": lambda r: r.channel,
    "purifier": lambda r: r.channel,
    "adaptation": lambda r: r.adaptation.name,
    "dose": lambda r: f"{r.dose:g}",
}
"""What an attack does otherwise -> whose name says how."""


def step_rows(records: Iterable[CellRecord], users: Users) -> list[StepRow]:
    """One row a defense with surrogates, budget and data set; oracles are left out.

    A cell whose attacker was too weak to be evidence still counts where it formed clusters: an attack that
    worked has worked.

    Args:
        records: of any runs.
        users: their users; a cell without a table has no test.
    """
    records = [record for record in records if record.by is None]
    labels = defense_labels(records)
    clustered: dict[str, dict[str, list[CellRecord]]] = defaultdict(lambda: defaultdict(list))
    named: dict[str, list[CellRecord]] = defaultdict(list)
    for record in records:
        if record.status != "skipped" and record.surrogate and not oracle(record):
            release = same(record, RELEASE) + sizes(record, ("users", "photos"))
            if record.scenario.name == "introduced":
                clustered[release][sizes(record)].append(record)
            elif record.scenario.name == "evasion":
                named[release].append(record)
    return [
        _row(introduced, named[release], labels, users)
        for release in dict.fromkeys([*clustered, *named])
        for introduced in (list(clustered[release].values()) or [[]])
    ]


def _row(
    introduced: list[CellRecord], named: list[CellRecord], labels: Mapping[str, str], users: Users
) -> StepRow:
    first = [*introduced, *named][0]
    p = _tested(introduced, users)
    whole = [record for record in introduced if "dose" not in _steps(record)]
    attacks = {
        **{
            name: _strongest([r for r in introduced if _steps(r) == steps], _by(steps), "cfr", p)
            for name, steps in _STEPS.items()
        },
        "anything_same_encoder": _strongest(
            [r for r in whole if "encoder" not in _steps(r)], _by_all, "cfr", p
        ),
        "anything": _strongest(whole, _by_all, "cfr", p),
        **{
            name: _strongest(
                [r for r in named if _steps(r) - {"clusterer"} == steps], _by(steps | {"clusterer"}), "psr1"
            )
            for name, steps in _NAMED.items()
        },
    }
    return KIND(
        dataset=first.dataset.name,
        defense=labels[first.cell],
        surrogate=tuple(s.name for s in first.surrogate),
        budget=first.budget,
        distractors=first.distractors,
        draw=first.draw,
        users=first.scenario.parameters.get("users"),
        **attacks,
        not_ok=max(map(not_ok, [*introduced, *named])),
        contamination=max(
            (value for cell in introduced if (value := contaminated(cell)) is not None), default=None
        ),
        **further(first),
    )


def _tested(cells: Sequence[CellRecord], users: Users) -> dict[str, float]:
    """Cell -> p of McNemar's test: do users fare otherwise than under DBSCAN on the surrogate?

    Holm's correction is over all cells, so that the strongest may be picked among them.
    """
    formed: dict[str, Mask] = {}
    for record in cells:
        table = users.get(record.cell)
        if table is not None and FIGURES["cfr"].column in table.columns:
            formed[record.cell] = table.columns[FIGURES["cfr"].column][np.argsort(table.users)] > 0
    base = next((formed.get(record.cell) for record in cells if not _steps(record)), None)
    if base is None:
        return {}
    others = [record.cell for record in cells if _steps(record) and record.cell in formed]
    corrected = holm([mcnemar(base, formed[cell]).p for cell in others])
    return dict(zip(others, corrected.tolist(), strict=True))


def _steps(record: CellRecord) -> frozenset[str]:
    """What a cell does otherwise than DBSCAN on the surrogate, clean photos and all."""
    platform, purifier = divided(parse(record.channel))
    steps = {
        "clusterer": record.attacker.name != "dbscan",
        "encoder": not on_surrogate(record),
        "platform": str(platform) != "none",
        "purifier": str(purifier) != "none",
        "level": record.level != "oblivious",
        "detector": other_detector(record) != "",
        "adaptation": record.adaptation.name != "none",
        "dose": record.dose != 1,
    }
    return frozenset(name for name, taken in steps.items() if taken)


def _by(steps: frozenset[str]) -> Callable[[CellRecord], str]:
    return lambda record: ", ".join(_BY[name](record) for name in sorted(steps) if name in _BY)


def _by_all(record: CellRecord) -> str:
    parts = [record.attacker.name, record.encoder.name]
    parts += [other_detector(record)] if other_detector(record) else []
    parts += [record.channel] if record.channel != "none" else []
    parts += [record.level] if record.level != "oblivious" else []
    parts += [record.adaptation.name] if record.adaptation.name != "none" else []
    return ", ".join(parts)


def _strongest(
    cells: Sequence[CellRecord],
    by: Callable[[CellRecord], str],
    figure: str,
    p: Mapping[str, float] | None = None,
) -> Strongest | None:
    failed = sum(record.status == "failed" for record in cells)
    results = [
        (rate.value, record, rate)
        for record in cells
        if (rate := _rate(record, figure)) is not None and rate.value is not None
    ]
    if not results:
        return Strongest(None, "", "", None, weak=False, failed=failed) if failed else None
    _, strongest, rate = max(results, key=lambda result: result[0])
    return Strongest(
        rate=rate,
        cell=strongest.cell,
        by=by(strongest),
        p=(p or {}).get(strongest.cell),
        weak=all(weak(record) for _, record, _ in results),
        failed=failed,
    )


def _rate(record: CellRecord, figure: str) -> Metric | None:
    """A figure as the rate at which the attacker succeeds."""
    metric = record.metrics.get(figure)
    if metric is None or FIGURES[figure].clusters:
        return metric
    value, low, high = (None if x is None else 1 - x for x in (metric.value, metric.high, metric.low))
    bounds = None if metric.bounds is None else (1 - metric.bounds[1], 1 - metric.bounds[0])
    return Metric(value=value, low=low, high=high, n=metric.n, better="lower", bounds=bounds)
