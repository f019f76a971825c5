"""From what became of each user to the rates of a record, and their intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.records.record import CellRecord, Metric
from bench.submission.contents import Contents, columns
from bench.submission.report import Check
from bench.uncertainty.intervals import wilson

_RATES = ("psr1", "psr5", "protection_rate", "protection_rate_5")


def check_users(contents: Contents) -> Check:
    """Rates from the table of users: value, interval and number of users."""
    check = Check("rates", "figures from users")
    for record in contents.records:
        if record.status != "ok":
            continue
        users = contents.users.get(record.cell)
        where = place(record)
        if users is None:
            check.compare(where, "users", "none", "a table of users")
            continue
        names = list(users["user"])
        check.compare(where, "users", len(names), len(set(names)))
        for name, column, better in figures(record.metrics, users):
            if columns(users, column):
                compare_rate(check, where, name, record.metrics[name], users[column], better)
            else:
                check.compare(where, f"column {column} of users", "none", f"what gives {name}")
    stray = contents.users.keys() - {record.cell for record in contents.records}
    for cell in sorted(stray):
        check.compare(f"cell {cell[:12]}", "users", "a table", "no record")
    return check


def figures(metrics: Mapping[str, Metric], users: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each figure of a record that users decide: its name, its column, and which direction protects."""
    strict = "cfr_link_strict" if columns(users, "formed_linked") else "cfr_strict"
    for name, column in (("cfr", "formed"), (strict, "formed_strict"), ("cfr_link", "formed_linked")):
        if name in metrics:
            yield name, column, "lower"
    yield from ((name, name, "higher") for name in _RATES if name in metrics)


def compare_rate(check: Check, where: str, name: str, metric: Metric, values: Any, better: str) -> None:
    """Compare a rate with the mean over users, and with Wilson's interval around it."""
    total, n = float(values.sum()), len(values)
    low, high = wilson(total, n)
    for part, said, computed in (
        ("value", metric.value, total / n),
        ("low", metric.low, low),
        ("high", metric.high, high),
        ("n", metric.n, n),
        ("better", metric.better, better),
    ):
        check.compare(where, f"metrics.{name}.{part}", said, computed)


def place(record: CellRecord) -> str:
    """A record in messages."""
    return f"cell {record.cell[:12]}"
