"""Dropping results: those that nobody used for a time, those over a size, those that no records need."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import cannot_write
from bench.store.rows import PAGE
from bench.store.seals import opened as open_seal
from bench.store.uses import BATCH, USE, today
from bench.upkeep.ledger import INSTEAD, SEGMENT, Ledger, files, leftovers, opened

_log = logging.getLogger("bench")
_LAST = "cell"
"""The stage that goes last: its results spare all others."""


@dataclass(frozen=True)
class Rule:
    """Which results stay.

    Attributes:
        unused_for: Days; what nobody used for longer goes. None for any age.
        limit: Bytes; what was used longest ago goes until the rest takes no more. None for any size.
        cells: Digests of cells; what none of them needs goes. None for all.
    """

    unused_for: int | None = None
    limit: int | None = None
    cells: frozenset[str] | None = None


@dataclass(frozen=True)
class Pruned:
    """What went, or would go.

    Attributes:
        dropped: Results, and their bytes.
        kept: Results, and their bytes.
        rest: Half-written and damaged files that were in the way.
        unexplained: Cells that stay without a note of what they were made from: a kill came between.
    """

    dropped: tuple[int, int]
    kept: tuple[int, int]
    rest: int
    unexplained: int


def prune(home: Path, rule: Rule, *, dry: bool = False) -> Pruned:
    """Drop what a rule does not keep. What goes is computed again when it is needed.

    Args:
        home: `BENCH_HOME`.
        rule: Which results stay.
        dry: Whether nothing is dropped, and only counted.

    Raises:
        UserError: Another process uses the store, or it cannot be written.
    """
    with opened(home, to_change=not dry) as ledger:
        unexplained = choose(ledger, rule)
        rest = leftovers(ledger.folder)
        result = Pruned(ledger.totals("gone"), ledger.totals("NOT gone"), len(rest), unexplained)
        if not dry:
            _drop_files(ledger, rest)
            _drop_rows(ledger)
        return result


def choose(ledger: Ledger, rule: Rule) -> int:
    """Mark what goes in a ledger's table.

    Returns:
        How many of the cells that stay do not say what they were made from; 0 if the rule has no cells.
    """
    connection, unexplained = ledger.connection, 0
    if rule.unused_for is not None:
        connection.execute("UPDATE entry SET gone = 1 WHERE day < ?", (today() - rule.unused_for,))
    if rule.cells is not None:
        keys = list(_cells(ledger.folder, rule.cells))
        names = [f"{_LAST}/{key}" for key in keys]
        unexplained = sum(name not in ledger.graph.uses for name in names)
        for stage, needed in ((_LAST, keys), *ledger.graph.reached(names)):
            connection.executemany(
                "UPDATE entry SET needed = 1 WHERE stage = ? AND key = ?", ((stage, key) for key in needed)
            )
        connection.execute("UPDATE entry SET gone = 1 WHERE NOT needed")
    if rule.limit is not None:
        connection.execute(
            "UPDATE entry SET gone = 1 FROM (SELECT stage AS s, key AS k, SUM(size) OVER (ORDER BY day DESC, "
            "stage = ? DESC, size, stage, key) AS until FROM entry WHERE NOT gone) "
            "WHERE stage = s AND key = k AND until > ?",
            (_LAST, rule.limit),
        )
    return unexplained


def _cells(folder: Path, digests: frozenset[str]) -> Iterator[str]:
    """The keys of the cells with some digests, by whatever code they were computed."""
    for stage, key, path in files(folder):
        if stage != _LAST:
            continue
        content = open_seal(stage, key, path.read_bytes())
        if content is not None and json.loads(content)["record"]["cell"] in digests:
            yield key


def _drop_files(ledger: Ledger, rest: Sequence[Path]) -> None:
    gone = ledger.connection.execute("SELECT stage, key FROM entry WHERE gone AND is_file")
    try:
        for stage, key in gone:
            (ledger.folder / stage / key[:2] / key).unlink(missing_ok=True)
        for path in rest:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(error, f"to {ledger.folder}", instead=INSTEAD) from error


def _drop_rows(ledger: Ledger) -> None:
    """Drop rows, and the notes that speak of nothing any more; then give their space back."""
    connection = ledger.connection
    stay = [
        f"{stage}/{key}" for stage, key in connection.execute("SELECT stage, key FROM entry WHERE NOT gone")
        if f"{stage}/{key}" in ledger.graph.uses
    ]  # fmt: skip
    [(oldest,)] = connection.execute("SELECT MIN(day) FROM entry WHERE NOT gone").fetchall()
    recent = [name for name, use in ledger.graph.uses.items() if oldest is not None and use.day >= oldest]
    uses, batches = ledger.graph.needed([*stay, *recent])
    connection.execute("CREATE TEMP TABLE note (stage TEXT, key TEXT, PRIMARY KEY (stage, key))")
    connection.executemany("INSERT INTO note VALUES (?, ?)", [(USE, name) for name in uses])
    connection.executemany("INSERT INTO note VALUES (?, ?)", [(BATCH, name) for name in batches])
    connection.execute("BEGIN")
    rows = connection.execute(
        "DELETE FROM main.row WHERE (stage, key) IN (SELECT stage, key FROM entry WHERE gone AND NOT is_file)"
    ).rowcount
    connection.execute(
        "DELETE FROM main.row WHERE stage IN (?, ?) AND (stage, key) NOT IN (SELECT stage, key FROM note)",
        (USE, BATCH),
    )
    if rows:  # a shared store has them still: they may be copied again
        connection.execute("DELETE FROM main.row WHERE stage = ?", (SEGMENT,))
    connection.execute("COMMIT")
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("VACUUM")
    except sqlite3.OperationalError as error:
        _log.warning("the file of rows keeps its size, and what is free in it is used again: %s", error)
