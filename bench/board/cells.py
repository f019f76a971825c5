"""Records -> one row a cell, tracks together, the strongest attack on top of each encoder's rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.board.figures import FIGURES, contaminated, not_ok
from bench.board.further import extended, further
from bench.board.tracks import attacker, defense_labels
from bench.records.record import CellRecord, Metric
from bench.types import Flag


@dataclass(frozen=True, slots=True)
class CellRow:
    """One cell.

    Attributes:
        cell: its digest, as in the records.
        status: `ok`, `failed` or `skipped`, and `error` says why.
        protocol: by which it was measured.
        defense: its name, with the parameters that tell it from others of this name.
        surrogate: names of the encoders that the defense optimised against.
        cfr: rates at which users are clustered, lower is better for the defense; likewise `cfr_strict`,
            `cfr_link`, `cfr_link_strict`, `tar_far_1e3` and, on clean photos, `cfr_clean`.
        encoder_auc: how well the encoder, as the attacker made it, tells clean calibration people apart.
        psr1: rates at which people are not named, higher is better; likewise `protection_rate`.
        ssim: mean over the released photos, at most 1.
        contamination: the share of other people who are harder to sort because of the cloaks.
        not_ok: how many released photos have another outcome than `ok`.
        flags: why the numbers have to be read with care.
    """

    cell: str
    status: str
    error: str | None
    protocol: str
    dataset: str
    scenario: str
    attacker: str
    level: str
    encoder: str
    detector: str
    adaptation: str
    dose: float
    distractors: int
    seed: int
    draw: int
    defense: str
    surrogate: tuple[str, ...]
    knowledge: str
    budget: str
    channel: str
    cfr: Metric | None
    cfr_strict: Metric | None
    cfr_link: Metric | None
    cfr_link_strict: Metric | None
    cfr_clean: Metric | None
    encoder_auc: Metric | None
    psr1: Metric | None
    protection_rate: Metric | None
    tar_far_1e3: Metric | None
    ssim: float | None
    contamination: float | None
    not_ok: int
    flags: tuple[Flag, ...]


KIND = extended(CellRow)
"""What the rows are."""


def cell_rows(records: Iterable[CellRecord]) -> list[CellRow]:
    """One row a record."""
    cells = sorted(records, key=_order)
    labels = defense_labels(cells)
    return [_row(record, labels[record.cell]) for record in cells]


def _order(record: CellRecord) -> tuple[object, ...]:
    return (
        record.protocol,
        record.dataset.name,
        record.scenario.name,
        record.attacker.name,
        record.channel,
        record.budget,
        record.encoder.name,
        -_harm(record),
        record.defense.name,
        "+".join(s.name for s in record.surrogate),
    )


def _harm(record: CellRecord) -> float:
    """How far the attacker came: CFR, or the rate at which people were named."""
    for name in ("cfr", "psr1", "protection_rate"):
        metric = record.metrics.get(name)
        if metric is not None and metric.value is not None:
            return FIGURES[name].harm(metric.value)
    return 0.0


def _row(record: CellRecord, label: str) -> CellRow:
    metrics = record.metrics
    return KIND(
        cell=record.cell,
        status=record.status,
        error=record.error,
        protocol=record.protocol,
        dataset=record.dataset.name,
        scenario=record.scenario.name,
        attacker=attacker(record),
        level=record.level,
        encoder=record.encoder.name,
        detector=record.detector.name,
        adaptation=record.adaptation.name,
        dose=record.dose,
        distractors=record.distractors,
        seed=record.seed,
        draw=record.draw,
        defense=label,
        surrogate=tuple(s.name for s in record.surrogate),
        knowledge=record.knowledge,
        budget=record.budget,
        channel=record.channel,
        cfr=metrics.get("cfr"),
        cfr_strict=metrics.get("cfr_strict"),
        cfr_link=metrics.get("cfr_link"),
        cfr_link_strict=metrics.get("cfr_link_strict"),
        cfr_clean=metrics.get("cfr_clean"),
        encoder_auc=metrics.get("encoder_auc"),
        psr1=metrics.get("psr1"),
        protection_rate=metrics.get("protection_rate"),
        tar_far_1e3=metrics.get("tar_far_1e3"),
        ssim=record.perceptual.get("photo", {}).get("ssim", {}).get("mean"),
        contamination=contaminated(record),
        not_ok=not_ok(record),
        flags=tuple(record.flags),
        **further(record),
    )
