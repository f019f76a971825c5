"""A copy of results for others: a store that `BENCH_STORE` may name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.errors import cannot_read
from bench.machine.progress import Progress
from bench.store.seals import opened as open_seal
from bench.store.shared import SharedStore, written
from bench.upkeep.ledger import Ledger, opened
from bench.upkeep.prune import Rule, choose

_AT_ONCE = 4096
"""Rows of a segment, at most."""


@dataclass(frozen=True)
class Exported:
    """What was copied.

    Attributes:
        results: How many.
        bytes: How many bytes they take there.
        damaged: How many were left out because they are not whole.
        unexplained: Cells without a note of what they were made from: a kill came between.
    """

    results: int
    bytes: int
    damaged: int
    unexplained: int


def export(home: Path, place: str, cells: frozenset[str] | None, progress: Progress) -> Exported:
    """Copy results into a shared store. What is there already is not harmed by it.

    Args:
        home: `BENCH_HOME`.
        place: A folder, or an address such as `s3://BUCKET/FOLDER`.
        cells: Digests of the cells whose results are copied, with all that they need; None for everything.
        progress: Is told of every result.

    Raises:
        UserError: There is no store here, or the other one cannot be used.
    """
    target = SharedStore(place)
    with opened(home) as ledger:
        unexplained = choose(ledger, Rule(cells=cells))
        count, size, damaged = 0, 0, 0
        with progress.stage("copy results", ledger.totals("NOT gone")[0]) as advance:
            for stage, values in _chunks(ledger):
                whole = {k: v for k, v in values.items() if open_seal(stage, k, v) is not None}
                damaged += len(values) - len(whole)
                if whole:
                    name, content = written(whole)
                    target.put(f"rows/{stage}/{name}", content)
                    count, size = count + len(whole), size + len(content)
                advance(len(values))
            for stage, key, content in _files(ledger):
                if open_seal(stage, key, content) is None:
                    damaged += 1
                else:
                    target.put(f"{stage}/{key[:2]}/{key}", content)
                    count, size = count + 1, size + len(content)
                advance()
    return Exported(count, size, damaged, unexplained)


def _chunks(ledger: Ledger) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Rows of one stage at a time, and not too many of them."""
    rows = ledger.connection.execute(
        "SELECT r.stage, r.key, r.value FROM row AS r JOIN entry AS e ON e.stage = r.stage AND e.key = r.key "
        "WHERE NOT e.gone AND NOT e.is_file ORDER BY r.stage, r.key"
    )
    of, held = "", dict[str, bytes]()
    for stage, key, value in rows:
        if held and (stage != of or len(held) == _AT_ONCE):
            yield of, held
            held = {}
        of = stage
        held[key] = value
    if held:
        yield of, held


def _files(ledger: Ledger) -> Iterator[tuple[str, str, bytes]]:
    entries = ledger.connection.execute("SELECT stage, key FROM entry WHERE NOT gone AND is_file")
    for stage, key in entries.fetchall():
        path = ledger.folder / stage / key[:2] / key
        try:
            yield stage, key, path.read_bytes()
        except OSError as error:
            raise cannot_read(error, str(path)) from error
