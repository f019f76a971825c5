"""Verification records -> the table of encoders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.records.record import Metric
from bench.verification.records import Speed, VerificationRecord

COLUMNS = (
    "encoder",
    "data set",
    "accuracy ± s.e.",
    "AUC [95 %]",
    "EER",
    "TAR@FAR 1e-2",
    "TAR@FAR 1e-3 [95 %]",
    "clean CFR",
    "clean BCubed F",
    "photos/s",
    "parameters",
    "flags",
)


def table(records: Iterable[VerificationRecord], *, intervals: bool = False) -> list[dict[str, str]]:
    """One row of texts an encoder; real data sets first, the best encoder of each on top.

    Args:
        records: of encoders.
        intervals: whether EER and TAR@FAR 1e-2 have theirs too, as on a terminal.
    """
    order = sorted(records, key=lambda r: (r.dataset.name == "synthetic", r.dataset.name, -_tar(r)))
    return [_row(record, intervals) for record in order]


def used(rows: Sequence[dict[str, str]]) -> list[str]:
    """The columns in which any row says something."""
    return [name for name in COLUMNS if any(row[name] for row in rows)]


def to_markdown(records: Sequence[VerificationRecord]) -> str:
    """A pipe table, and below it what the figures rest on."""
    rows = table(records)
    names = used(rows)
    body = [names, ["---"] * len(names), *([row[name] for name in names] for row in rows)]
    lines = ["| " + " | ".join(cells) + " |" for cells in body]
    return "\n".join([*lines, "", *(f"- {line}" for line in said(records)), ""])


def said(records: Iterable[VerificationRecord]) -> list[str]:
    """One line a data set and protocol, one a kind of hardware; the same line is said once."""
    lines: dict[str, None] = {}
    for record in records:
        lines.setdefault(_about(record))
    for record in records:
        if record.speed is not None:
            by_core = "" if record.speed.photos_per_core_second is None else "by one core of "
            lines.setdefault(f"photos/s: aligned crops embedded {by_core or 'on '}{record.speed.hardware}")
    return list(lines)


def _about(record: VerificationRecord) -> str:
    counts = record.counts
    kind = "LFW's ten folds" if record.pairs == "lfw-10-fold" else f"pairs drawn with seed {record.seed}"
    blind = counts["pairs_without_face"]
    lost = f"{blind} pairs without a face are refused" if blind else "a face in every photo"
    notes = "".join(f"; {note}" for note in record.notes)
    return (
        f"`{record.dataset.name}` ({(record.dataset.digest or '')[:12]}): {kind}, "
        f"{counts['genuine']:,} + {counts['impostor']:,} pairs of {counts['people']:,} people in "
        f"{counts['photos']:,} photos, {lost}{notes}"
    )


def _tar(record: VerificationRecord) -> float:
    value = record.metrics["tar_far_1e3"].value
    return -1.0 if value is None else value


def _row(record: VerificationRecord, intervals: bool) -> dict[str, str]:
    metrics, clean, speed = record.metrics, record.clustering, record.speed
    eer, tar = metrics["eer"], metrics["tar_far_1e2"]
    parameters = record.encoder.parameters.get("parameters")
    return {
        "encoder": f"{record.encoder.name}",
        "data set": record.dataset.name,
        "accuracy ± s.e.": f"{_figure(metrics['accuracy'], 4)} ± {record.standard_error:.4f}",
        "AUC [95 %]": _interval(metrics["auc"], 4),
        "EER": _interval(eer, 4) if intervals else _figure(eer, 4),
        "TAR@FAR 1e-2": _interval(tar, 3) if intervals else _figure(tar, 3),
        "TAR@FAR 1e-3 [95 %]": _interval(metrics["tar_far_1e3"], 3),
        "clean CFR": "" if clean is None else _interval(clean.metrics.get("cfr"), 2),
        "clean BCubed F": "" if clean is None else _figure(clean.metrics.get("bcubed_f"), 3),
        "photos/s": "" if speed is None else _speed(speed),
        "parameters": f"{parameters / 1e6:.2f} M" if isinstance(parameters, int) else "",
        "flags": "; ".join(map(str, record.flags)),
    }


def _speed(speed: Speed) -> str:
    return f"{speed.photos_per_core_second or speed.photos_per_second:,.0f}"


def _figure(metric: Metric | None, digits: int) -> str:
    return "not defined" if metric is None or metric.value is None else f"{metric.value:.{digits}f}"


def _interval(metric: Metric | None, digits: int) -> str:
    if metric is None or metric.low is None or metric.high is None:
        return _figure(metric, digits)
    return f"{_figure(metric, digits)} [{metric.low:.{digits}f}, {metric.high:.{digits}f}]"
