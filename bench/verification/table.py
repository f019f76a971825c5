"""Verification records -> the table of encoders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.board.render.md import render
from bench.board.table import CONFIDENT, Column, Table
from bench.board.values import Deviation, Value
from bench.records.record import Metric
from bench.types import Flag
from bench.verification.records import VerificationRecord


@dataclass(frozen=True, slots=True)
class EncoderRow:
    """One encoder on one data set.

    Attributes:
        accuracy: The mean over the folds, with `standard_error`.
        clean_cfr: CFR of calibrated DBSCAN on clean photos, like `clean_bcubed_f`; None where it was not run.
        photos_per_second: Aligned crops that are embedded, by one core or on a GPU; None where that was not
            measured.
        parameters: The number of the network's weights.
        flags: The reasons to read its figures with care.
    """

    encoder: str
    dataset: str
    accuracy: Metric
    standard_error: float
    auc: Metric
    eer: Metric
    tar_far_1e2: Metric
    tar_far_1e3: Metric
    clean_cfr: Metric | None
    clean_bcubed_f: Metric | None
    photos_per_second: float | None
    parameters: int | None
    flags: tuple[Flag, ...]


def encoder_rows(records: Iterable[VerificationRecord]) -> list[EncoderRow]:
    """One row a record; real data sets first, the best encoder of each on top."""
    order = sorted(records, key=lambda r: (r.dataset.name == "synthetic", r.dataset.name, -_tar(r)))
    return [_row(record) for record in order]


def table(records: Sequence[VerificationRecord], *, intervals: bool = False) -> Table[EncoderRow]:
    """The table of encoders, and below it what its figures rest on.

    Args:
        records: The encoders' records.
        intervals: Whether EER and TAR@FAR 1e-2 are shown with theirs too, as on a terminal.
    """
    rows = tuple(encoder_rows(records))
    return Table(EncoderRow, rows, _columns(intervals), tuple(said(records)))


def to_markdown(records: Sequence[VerificationRecord]) -> str:
    """The table in Markdown, as pages have it."""
    return render(table(records))


def said(records: Iterable[VerificationRecord]) -> list[str]:
    """One line a data set and protocol, one a kind of hardware; the same line is said once."""
    lines: dict[str, None] = {}
    for record in records:
        lines.setdefault(_about(record))
    for record in records:
        if record.speed is not None:
            how = "on " if record.speed.photos_per_core_second is None else "by one core of "
            lines.setdefault(f"photos/s: aligned crops embedded {how}{record.speed.hardware}")
    return list(lines)


def _about(record: VerificationRecord) -> str:
    counts = record.counts
    kind = "LFW's ten folds" if record.pairs == "lfw-10-fold" else f"pairs drawn with seed {record.seed}"
    blind = counts["pairs_without_face"]
    found_by = record.detector.name
    lost = f"{blind} pairs without a face ({found_by}) are refused" if blind else "a face in every photo"
    notes = "".join(f"; {note}" for note in record.notes)
    return (
        f"{record.dataset.name} ({(record.dataset.digest or '')[:12]}): {kind}, "
        f"{counts['genuine']:,} + {counts['impostor']:,} pairs of {counts['people']:,} people in "
        f"{counts['photos']:,} photos, {lost}{notes}"
    )


def _tar(record: VerificationRecord) -> float:
    value = record.metrics["tar_far_1e3"].value
    return -1.0 if value is None else value


def _row(record: VerificationRecord) -> EncoderRow:
    metrics, clean, speed = record.metrics, record.clustering, record.speed
    parameters = record.encoder.parameters.get("parameters")
    return EncoderRow(
        encoder=record.encoder.name,
        dataset=record.dataset.name,
        accuracy=metrics["accuracy"],
        standard_error=record.standard_error,
        auc=metrics["auc"],
        eer=metrics["eer"],
        tar_far_1e2=metrics["tar_far_1e2"],
        tar_far_1e3=metrics["tar_far_1e3"],
        clean_cfr=None if clean is None else clean.metrics.get("cfr"),
        clean_bcubed_f=None if clean is None else clean.metrics.get("bcubed_f"),
        photos_per_second=None if speed is None else speed.photos_per_core_second or speed.photos_per_second,
        parameters=parameters if isinstance(parameters, int) else None,
        flags=tuple(record.flags),
    )


def _columns(intervals: bool) -> tuple[Column[EncoderRow], ...]:
    def shown(metric: Metric) -> Value:
        return _stated(metric if intervals else metric.value)

    return (
        Column("encoder", lambda row: row.encoder, place=1),
        Column("data set", lambda row: row.dataset),
        Column(
            "accuracy ± s.e.", lambda row: Deviation(row.accuracy.value, row.standard_error), ".4f", place=2
        ),
        Column(f"AUC [{CONFIDENT}]", lambda row: _stated(row.auc), ".4f"),
        Column("EER", lambda row: shown(row.eer), ".4f"),
        Column("TAR@FAR 1e-2", lambda row: shown(row.tar_far_1e2), ".3f"),
        Column(f"TAR@FAR 1e-3 [{CONFIDENT}]", lambda row: _stated(row.tar_far_1e3), ".3f", place=3),
        Column("clean CFR", lambda row: row.clean_cfr),
        Column("clean BCubed F", lambda row: row.clean_bcubed_f and row.clean_bcubed_f.value, ".3f"),
        Column("photos/s", lambda row: row.photos_per_second, ",.0f"),
        Column("parameters", lambda row: row.parameters and row.parameters / 1e6, ".2f", unit=" M"),
        Column("flags", lambda row: "; ".join(map(str, row.flags)), common=False, place=4),
    )


def _stated(figure: Metric | float | None) -> Value:
    """A figure, or the words that it is not defined: an empty cell would say that nobody asked."""
    value = figure.value if isinstance(figure, Metric) else figure
    return "not defined" if value is None else figure
