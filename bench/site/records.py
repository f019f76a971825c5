"""Pages of records: every figure of a cell, and the whole record as JSON."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bench.board.table import Column, Table
from bench.board.tracks import attacker
from bench.board.values import Range
from bench.records.columns import columns
from bench.records.record import CellRecord, Metric
from bench.site.names import RecordPages, anchor
from bench.site.tables import Links, PageTable, page_table


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One figure of a record.

    Attributes:
        name: of the metric.
        under: of the control that it was measured under; `released` for the photos as published.
        metric: the figure.
    """

    name: str
    under: str
    metric: Metric


@dataclass(frozen=True, slots=True)
class RecordOnPage:
    """A record as a page shows it.

    Attributes:
        anchor: its place on the page.
        title: who met whom.
        about: everything that was chosen, and what came of it.
        table: its figures.
        json: the whole record.
        by: whose attack it is; empty where it is ours.
        url: where to learn more of that, on the web; empty for nowhere, and for any other address.
    """

    anchor: str
    title: str
    about: Sequence[tuple[str, str]]
    table: PageTable
    json: str
    by: str
    url: str


def _range(metric: Metric) -> Range | None:
    return None if metric.low is None or metric.high is None else Range(metric.low, metric.high)


_COLUMNS: tuple[Column[MetricRow], ...] = (
    Column("figure", lambda row: row.name),
    Column("of", lambda row: row.under),
    Column("value", lambda row: row.metric.value, ".4g"),
    Column("interval", lambda row: _range(row.metric), ".4g"),
    Column("n", lambda row: row.metric.n),
    Column("better for the defense", lambda row: row.metric.better),
)


def pages_of(records: Sequence[CellRecord], places: RecordPages) -> dict[str, list[RecordOnPage]]:
    """The records of each page.

    Args:
        records: All of them.
        places: Where each stands.
    """
    pages: dict[str, list[RecordOnPage]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.cell):
        pages[places.page(record.cell)].append(_on_page(record))
    return pages


def _on_page(record: CellRecord) -> RecordOnPage:
    place = anchor(record.cell)
    rows = [MetricRow(name, "released", metric) for name, metric in record.metrics.items()]
    rows += [MetricRow(name, "own cloaks", metric) for name, metric in record.own_cloaks.items()]
    rows += [
        MetricRow(name, control, metric)
        for control, metrics in record.controls.items()
        for name, metric in metrics.items()
    ]
    table = Table(MetricRow, tuple(rows), _COLUMNS)
    return RecordOnPage(
        place,
        f"{record.defense.name} against {attacker(record)} through {record.encoder.name}",
        _about(record),
        page_table(f"{place}-figures", "Figures of this record", table, [Links()] * len(rows)),
        json.dumps(record.model_dump(mode="json"), ensure_ascii=True),
        "" if record.by is None else record.by.name,
        "" if record.by is None else web_address(record.by.url),
    )


_ADDRESS = re.compile(r"https?://[\w.-]+(:\d{1,5})?([/?#][!-~]*)?", re.ASCII)


def web_address(text: str) -> str:
    """A stranger's address if it leads to the web, and to nothing else; empty for any other text."""
    return text if _ADDRESS.fullmatch(text) else ""


def _about(record: CellRecord) -> list[tuple[str, str]]:
    about = {"cell": record.cell, "status": record.status, "error": record.error or ""}
    about |= {"protocol": record.protocol, "knowledge": record.knowledge}
    about |= {name: str(value) for name, value in columns(record).items() if value not in (None, "")}
    about["flags"] = "; ".join(map(str, record.flags))
    about["outcomes of photos"] = ", ".join(f"{n} {outcome}" for outcome, n in record.outcomes.items())
    for region, measures in record.perceptual.items():
        about[f"cost, {region}"] = ", ".join(
            f"{name} {ends['mean']:.4g}" for name, ends in measures.items() if ends.get("mean") is not None
        )
    return [(name, text) for name, text in about.items() if text]
