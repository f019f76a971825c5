"""Damage is found, named and left to the next run."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.machine.progress import Silent
from bench.store.seals import sealed
from bench.upkeep.check import check


def test_a_sound_store_is_sound(home: Path) -> None:
    found = check(home, Silent())
    assert found.damaged == []
    assert found.whole == {"cell": 2, "cloak": 1, "embedding": 3, "face": 3}


def test_a_flipped_bit_a_cut_file_and_a_moved_value_are_found(home: Path, known: Any) -> None:
    cloak = home / "cache" / "cloak" / known.CLOAK_A[:2] / known.CLOAK_A
    content = bytearray(cloak.read_bytes())
    content[100] ^= 1
    cloak.write_bytes(content)
    cell = home / "cache" / "cell" / known.CELL_A[:2] / known.CELL_A
    cell.write_bytes(cell.read_bytes()[:-1])
    with closing(sqlite3.connect(home / "cache" / "rows.sqlite")) as connection, connection:
        moved = sealed("embedding", known.OF_B, b"3" * 2000)
        connection.execute(
            "UPDATE row SET value = ? WHERE stage = 'embedding' AND key = ?", (moved, known.OF_A)
        )
    found = check(home, Silent())
    assert set(found.damaged) == {("cloak", known.CLOAK_A), ("cell", known.CELL_A), ("embedding", known.OF_A)}
    assert found.whole == {"cell": 1, "embedding": 2, "face": 3}
    assert check(home, Silent()) == found  # nothing was mended


def test_a_result_under_another_key_is_damaged(home: Path, known: Any) -> None:
    other = "f" * 64
    place = home / "cache" / "cloak" / "ff"
    place.mkdir()
    shutil.copy(home / "cache" / "cloak" / known.CLOAK_A[:2] / known.CLOAK_A, place / other)
    assert check(home, Silent()).damaged == [("cloak", other)]
    assert set(known.FACES) & {key for _, key in check(home, Silent()).damaged} == set()
