"""What a result was made from is noted, and found again."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from bench.store import uses
from bench.store.cache import Cache
from bench.store.only_reading import only_reading
from bench.upkeep.ledger import opened

DAY = 24 * 60 * 60


def reached(home: Path, name: str) -> set[str]:
    with opened(home) as ledger:
        return {key for _, keys in ledger.graph.reached([name]) for key in keys}


def test_a_cell_reaches_what_was_found_and_stored_before_it_in_its_process(home: Path, known: Any) -> None:
    assert reached(home, f"cell/{known.CELL_A}") == {*known.FACES, known.SHARED, known.OF_A, known.CLOAK_A}
    assert reached(home, f"cell/{known.CELL_B}") == {*known.FACES, known.SHARED, known.OF_B}


def test_a_second_cell_of_a_process_reaches_what_the_first_one_had_in_memory(
    tmp_path: Path, known: Any
) -> None:
    cache = Cache(tmp_path)
    cache.put_rows("face", known.FACES)
    for cell in (known.CELL_A, known.CELL_B):
        cache.put_file("cell", cell, b"")
        cache.explain("cell", cell)
    cache.close()
    assert reached(tmp_path, f"cell/{known.CELL_B}") == set(known.FACES)  # and not the other cell


@pytest.mark.parametrize(
    "keys", [["ab" * 32, "cd" * 32], ["short", "names"], ["AB" * 32], ["é" * 32], [" " * 64], ["", "x"]]
)
def test_a_batch_comes_back_as_it_was_noted(keys: list[str]) -> None:
    noted = uses.Uses()
    noted.note("face", keys)
    [(stage, _, value), _] = noted.explain("cell", "k")
    assert stage == uses.BATCH
    assert uses.read_batch(value) == ("face", sorted(keys))


def test_the_day_of_a_result_is_that_of_the_last_process_that_used_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, known: Any
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 10 * DAY)
    later = Cache(home)
    assert later.file("cell", known.CELL_B)
    later.close()
    with opened(home) as ledger:
        days = dict(ledger.connection.execute("SELECT key, day FROM entry").fetchall())
    today = int(now // DAY)
    # the embedding that only the other cell needs was not used
    assert (days[known.CELL_B], days[known.SHARED], days[known.OF_B]) == (today + 10,) * 3
    assert (days[known.CELL_A], days[known.OF_A], days[known.CLOAK_A]) == (today,) * 3


def test_the_same_use_on_the_same_day_is_noted_once(home: Path, known: Any) -> None:
    def count() -> int:
        with opened(home) as ledger:
            return len(ledger.graph.uses)

    def look() -> None:
        cache = Cache(home)
        cache.file("cell", known.CELL_A)
        cache.close()
        cache.close()

    look()
    before = count()
    look()
    assert count() == before


def test_whoever_only_reads_notes_nothing(home: Path, known: Any) -> None:
    before = (home / "cache" / "rows.sqlite").read_bytes()
    with only_reading():
        cache = Cache(home)
        assert cache.rows("face", known.FACES)
        cache.explain("cell", known.CELL_A)
        cache.close()
    assert (home / "cache" / "rows.sqlite").read_bytes() == before


def test_a_damaged_use_reaches_nothing_and_harms_nothing(home: Path) -> None:
    with opened(home, to_change=True) as ledger:
        ledger.connection.execute("UPDATE main.row SET value = x'00' WHERE stage IN ('use', 'batch')")
    with opened(home) as ledger:
        assert ledger.graph.uses == {}
        assert ledger.totals()[0] == 9
