"""What a rule keeps stays, whole; the rest goes, and is computed again when it is needed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UserError
from bench.machine.progress import Silent
from bench.store.cache import Cache
from bench.store.shared import VARIABLE
from bench.store.uses import BATCH, USE
from bench.upkeep.check import check
from bench.upkeep.contents import contents
from bench.upkeep.prune import Rule, prune

DAY = 24 * 60 * 60


def in_days(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + days * DAY)


def use(home: Path, cell: str) -> None:
    cache = Cache(home)
    assert cache.file("cell", cell)
    cache.close()


def test_only_what_some_records_need_stays(home: Path, known: Any) -> None:
    done = prune(home, Rule(cells=frozenset({"b"})))
    assert (done.dropped[0], done.kept[0], done.unexplained) == (3, 6, 0)
    assert known.held(home) == known.OF_CELL_B


def test_what_was_not_used_for_a_time_goes(home: Path, monkeypatch: pytest.MonkeyPatch, known: Any) -> None:
    in_days(monkeypatch, 31)
    use(home, known.CELL_B)
    assert prune(home, Rule(unused_for=31)).dropped == (0, 0)
    assert prune(home, Rule(unused_for=30)).dropped[0] == 3
    assert known.held(home) == known.OF_CELL_B


def test_what_was_used_longest_ago_goes_until_the_rest_fits(
    home: Path, monkeypatch: pytest.MonkeyPatch, known: Any
) -> None:
    in_days(monkeypatch, 2)
    use(home, known.CELL_B)
    size = sum(line.bytes for line in contents(home).stages)
    done = prune(home, Rule(limit=size - 1))
    # the cloak is the largest of the first day's, and it is enough
    assert known.held(home) == known.EVERYTHING - {known.CLOAK_A}
    assert done.dropped[0] == 1
    assert done.dropped[1] + done.kept[1] == size
    prune(home, Rule(limit=0))
    assert known.held(home) == set()


def test_the_results_of_cells_go_last(home: Path, known: Any) -> None:
    cells = sum(line.bytes for line in contents(home).stages if line.stage == "cell")
    prune(home, Rule(limit=cells))
    assert known.held(home) == {known.CELL_A, known.CELL_B}


def test_rules_together_drop_what_any_of_them_drops(
    home: Path, monkeypatch: pytest.MonkeyPatch, known: Any
) -> None:
    in_days(monkeypatch, 5)
    use(home, known.CELL_B)
    assert prune(home, Rule(unused_for=1, cells=frozenset({"a"}))).dropped[0] == 5
    assert known.held(home) == {*known.FACES, known.SHARED}


def test_a_dry_run_says_the_same_and_drops_nothing(home: Path, known: Any) -> None:
    said = prune(home, Rule(cells=frozenset({"b"})), dry=True)
    assert known.held(home) == known.EVERYTHING
    assert prune(home, Rule(cells=frozenset({"b"}))) == said


def test_a_store_without_notes_is_as_old_as_the_day_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: Any
) -> None:
    known.fill(tmp_path)
    with closing(sqlite3.connect(tmp_path / "cache" / "rows.sqlite")) as connection, connection:
        connection.execute("DELETE FROM row WHERE stage IN (?, ?)", (BATCH, USE))
    assert prune(tmp_path, Rule(unused_for=0), dry=True).dropped == (0, 0)
    # of its cells nobody knows what they were made from
    done = prune(tmp_path, Rule(cells=frozenset({"a", "b"})), dry=True)
    assert (done.kept[0], done.unexplained) == (2, 2)
    # once notes begin, it grows older
    use(tmp_path, known.CELL_A)
    in_days(monkeypatch, 9)
    use(tmp_path, known.CELL_A)
    assert prune(tmp_path, Rule(unused_for=8)).dropped[0] == 8
    assert known.held(tmp_path) == {known.CELL_A}


def test_notes_of_what_is_gone_go_too(home: Path) -> None:
    prune(home, Rule(limit=0))
    with closing(sqlite3.connect(home / "cache" / "rows.sqlite")) as connection:
        assert connection.execute("SELECT COUNT(*) FROM row").fetchone() == (0,)


def test_notes_of_what_stays_stay(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prune(home, Rule(cells=frozenset({"b"})))
    assert prune(home, Rule(cells=frozenset({"b"}))).dropped == (0, 0)
    in_days(monkeypatch, 3)
    assert prune(home, Rule(unused_for=3)).dropped == (0, 0)


def test_space_is_given_back(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put_rows("embedding", {f"{n:064x}": os.urandom(2000) for n in range(2000)})
    cache.close()
    before = (tmp_path / "cache" / "rows.sqlite").stat().st_size
    prune(tmp_path, Rule(limit=100_000))
    after = (tmp_path / "cache" / "rows.sqlite").stat().st_size
    assert before > 4_000_000
    assert after < 400_000  # with the notes of that day
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["rows.sqlite"]


def test_leftovers_of_killed_processes_go(home: Path, known: Any) -> None:
    (home / "cache" / "cloak" / ".part-0123").write_bytes(b"half")
    (home / "cache" / "rows.sqlite.damaged-0").write_bytes(b"?")
    assert contents(home).leftovers == 2
    assert prune(home, Rule(unused_for=9)).rest == 2
    assert contents(home).leftovers == 0
    assert known.held(home) == known.EVERYTHING


def test_a_store_that_another_process_uses_is_left_alone(home: Path, known: Any) -> None:
    other = Cache(home)
    other.rows("face", known.FACES)
    with pytest.raises(UserError, match="another process uses the results in"):
        prune(home, Rule(limit=0))
    assert prune(home, Rule(limit=0), dry=True).dropped[0] == 9  # looking is allowed
    other.close()
    assert known.held(home) == known.EVERYTHING
    assert prune(home, Rule(limit=0)).dropped[0] == 9


def test_without_a_store_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no results are stored in .*cache"):
        prune(tmp_path, Rule(limit=0))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "rows.sqlite").write_bytes(b"no rows of anything " * 500)
    for dry in (True, False):
        with pytest.raises(UserError, match=r"rows\.sqlite is damaged, or is something else"):
            prune(tmp_path, Rule(limit=0), dry=dry)


def test_a_store_that_cannot_be_written_can_be_looked_at(small_disk: Path, known: Any) -> None:
    known.fill(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert contents(small_disk).stages
    assert check(small_disk, Silent()).damaged == []
    assert prune(small_disk, Rule(limit=0), dry=True).dropped[0] == 9
    with pytest.raises(UserError, match=r"cannot write to .*Make that disk writable"):
        prune(small_disk, Rule(limit=0))


def test_a_full_disk_is_no_obstacle(small_disk: Path, known: Any) -> None:
    known.fill(small_disk)
    with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
        while True:
            filler.write(bytes(4096))
    assert prune(small_disk, Rule(cells=frozenset({"b"}))).dropped[0] == 3
    assert known.held(small_disk) == known.OF_CELL_B


def test_rows_of_a_shared_store_come_back_after_a_prune(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: Any
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "shared"))
    known.fill(tmp_path / "one")
    assert known.held(tmp_path / "two") == known.EVERYTHING
    prune(tmp_path / "two", Rule(limit=0))
    assert known.held(tmp_path / "two") == known.EVERYTHING


KILLED = """
import sys
from pathlib import Path
from bench.upkeep.prune import Rule, prune
print("begins", flush=True)
prune(Path(sys.argv[1]), Rule(cells=frozenset({"b"})))
"""


@pytest.mark.slow
def test_a_prune_that_is_killed_leaves_every_result_whole_or_gone(tmp_path: Path, known: Any) -> None:
    for attempt in range(8):
        home = tmp_path / str(attempt)
        known.fill(home)
        big = Cache(home)
        big.put_rows("embedding", {f"{n:064x}": os.urandom(2000) for n in range(4000)})
        big.close()
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(home)], stdout=subprocess.PIPE, start_new_session=True
        )
        assert process.stdout
        process.stdout.readline()
        time.sleep(0.02 * attempt)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert check(home, Silent()).damaged == []
        assert known.held(home) >= known.OF_CELL_B
        prune(home, Rule(cells=frozenset({"b"})))
        assert known.held(home) == known.OF_CELL_B
        assert [path.name for path in (home / "cache").glob("etilqs_*")] == []
