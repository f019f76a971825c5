"""Records -> the leaderboard: one row a cell, figures with their intervals, nothing rounded before here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from bench.records.record import CellRecord, Metric
from bench.types import Flag, FlagCode

COLUMNS = (
    "data set",
    "scenario",
    "attacker",
    "level",
    "encoder",
    "adaptation",
    "dose",
    "distractors",
    "draw",
    "defense",
    "surrogate",
    "knowledge",
    "budget",
    "channel",
    "CFR [95 %]",
    "strict",
    "CFR-link",
    "clean CFR",
    "PSR@1 [95 %]",
    "protection rate [95 %]",
    "TAR@FAR 1e-3",
    "SSIM",
    "not ok",
    "bounds",
    "flags",
)
"""CFR, CFR-link and TAR: lower is better for the defense. PSR and protection rate: higher is.

`bounds` are those of the row's main figure, CFR or PSR@1, over what photos that are `not ok` could have done.
"""


_BRIEF = {
    FlagCode.WEAK_ATTACKER: "weak attacker: no evidence of protection",
    FlagCode.OUT_OF_BUDGET: "out of budget",
}


def board(records: Iterable[CellRecord]) -> list[dict[str, str]]:
    """One row of texts a record, tracks together, the strongest attack on top of each encoder's rows."""
    return [_row(record) for record in sorted(records, key=_order)]


def used(rows: Sequence[dict[str, str]], columns: Sequence[str] = COLUMNS) -> list[str]:
    """The columns in which any row says something."""
    return [name for name in columns if any(row[name] for row in rows)]


def to_markdown(rows: Sequence[dict[str, str]], columns: Sequence[str] = COLUMNS) -> str:
    """A pipe table."""
    names = used(rows, columns)
    lines = [names, ["---"] * len(names), *([_inline(row[name]) for name in names] for row in rows)]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def to_csv(rows: Sequence[dict[str, str]], columns: Sequence[str] = COLUMNS) -> str:
    """Comma-separated, with a header."""
    names = used(rows, columns)
    out = io.StringIO()
    writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _order(record: CellRecord) -> tuple[object, ...]:
    return (
        record.dataset.name,
        record.scenario.name,
        record.attacker.name,
        record.channel,
        record.budget,
        record.encoder.name,
        -_success(record),
        record.defense.name,
        "+".join(s.name for s in record.surrogate),
    )


def _row(record: CellRecord) -> dict[str, str]:
    metrics = record.metrics
    ssim = record.perceptual.get("photo", {}).get("ssim", {}).get("mean")
    wrong = sum(count for outcome, count in record.outcomes.items() if outcome != "ok")
    strict = metrics.get("cfr_strict") or metrics.get("cfr_link_strict")
    flags = [
        *dict.fromkeys(map(_brief, record.flags)),
        *([f"{record.status}: {record.error}"] if record.status != "ok" else []),
    ]
    return {
        "data set": record.dataset.name,
        "scenario": record.scenario.name,
        "attacker": record.attacker.name,
        "level": "" if record.level == "oblivious" else record.level,
        "encoder": record.encoder.name,
        "adaptation": "" if record.adaptation.name == "none" else record.adaptation.name,
        "dose": "" if record.dose == 1 else f"{record.dose:g}",
        "distractors": str(record.distractors) if record.distractors else "",
        "draw": str(record.draw) if record.draw else "",
        "defense": record.defense.name,
        "surrogate": "+".join(s.name for s in record.surrogate),
        "knowledge": record.knowledge if record.knowledge != "none" else "",
        "budget": record.budget,
        "channel": record.channel,
        "CFR [95 %]": _interval(metrics.get("cfr")),
        "strict": _figure(strict),
        "CFR-link": _figure(metrics.get("cfr_link")),
        "clean CFR": _figure(metrics.get("cfr_clean")),
        "PSR@1 [95 %]": _interval(metrics.get("psr1")),
        "protection rate [95 %]": _interval(metrics.get("protection_rate")),
        "TAR@FAR 1e-3": _figure(metrics.get("tar_far_1e3")),
        "SSIM": "" if ssim is None else f"{ssim:.3f}",
        "not ok": str(wrong) if wrong else "",
        "bounds": _bounds(metrics.get("cfr") or metrics.get("psr1")),
        "flags": "; ".join(flags),
    }


def _brief(flag: Flag) -> str:
    """A flag in few words: of a weak attacker and a broken budget the verdict is enough."""
    return _BRIEF.get(flag.code, str(flag))


def _success(record: CellRecord) -> float:
    """How far the attacker came, larger is further: CFR, or the rate at which people were named."""
    cfr = _value(record, "cfr")
    missed = [value for name in ("psr1", "protection_rate") if (value := _value(record, name)) is not None]
    return cfr if cfr is not None else 1 - missed[0] if missed else 0.0


def _inline(text: str) -> str:
    """In a cell of a pipe table."""
    return " ".join(text.split()).replace("|", "\\|")


def _value(record: CellRecord, name: str) -> float | None:
    metric = record.metrics.get(name)
    return None if metric is None else metric.value


def _figure(metric: Metric | None) -> str:
    return "" if metric is None or metric.value is None else f"{metric.value:.2f}"


def _bounds(metric: Metric | None) -> str:
    return "" if metric is None or metric.bounds is None else "{:.2f} to {:.2f}".format(*metric.bounds)


def _interval(metric: Metric | None) -> str:
    if metric is None or metric.value is None:
        return ""
    if metric.low is None or metric.high is None:
        return _figure(metric)
    return f"{metric.value:.2f} [{metric.low:.2f}, {metric.high:.2f}]"
