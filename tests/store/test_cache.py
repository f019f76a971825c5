"""A value comes back whole or not at all, whatever happened to the disk or the process."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.store.cache import Cache
from injecting import stored_results
from injecting.injection import assert_all_right

KEY = "ab" * 32


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    made = Cache(tmp_path)
    yield made
    made.close()


def test_rows_come_back(cache: Cache) -> None:
    cache.put_rows("face", {"a": b"one", "b": b""})
    assert cache.rows("face", ["a", "b", "c"]) == {"a": b"one", "b": b""}
    assert cache.rows("embedding", ["a"]) == {}  # another stage
    assert cache.hits == {"face": 2, "embedding": 0}
    assert cache.misses == {"face": 1, "embedding": 1}


def test_a_closed_cache_opens_again_when_asked(cache: Cache) -> None:
    cache.put_rows("face", {"a": b"one"})
    cache.close()
    assert not list(cache.folder.glob("rows.sqlite-*"))  # nothing is left open
    assert cache.rows("face", ["a"]) == {"a": b"one"}
    cache.close()
    cache.close()


def test_more_rows_than_one_query_takes(cache: Cache) -> None:
    rows = {f"{i:05d}": str(i).encode() for i in range(1201)}
    cache.put_rows("face", rows)
    assert cache.rows("face", rows) == rows


def test_embeddings_share_pages(cache: Cache) -> None:
    rows = {f"{n:064x}": os.urandom(2048) for n in range(1000)}
    cache.put_rows("embedding", rows)
    cache.close()
    assert (cache.folder / "rows.sqlite").stat().st_size < 1.3 * 1000 * 2048


def test_files_come_back(cache: Cache, tmp_path: Path) -> None:
    assert cache.file("cloak", KEY) is None
    cache.put_file("cloak", KEY, b"photos")
    assert cache.file("cloak", KEY) == b"photos"
    assert Cache(tmp_path).file("cloak", KEY) == b"photos"
    assert (cache.hits["cloak"], cache.misses["cloak"]) == (1, 1)


@pytest.mark.parametrize("length", [0, 5, 16, 20])
def test_a_truncated_file_is_absent(cache: Cache, length: int) -> None:
    cache.put_file("cloak", KEY, b"photos of somebody")
    path = stored(cache)
    path.write_bytes(path.read_bytes()[:length])
    assert cache.file("cloak", KEY) is None


def test_a_flipped_bit_makes_a_value_absent(cache: Cache) -> None:
    cache.put_file("cloak", KEY, b"photos of somebody")
    path = stored(cache)
    good = path.read_bytes()
    for place in (0, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        assert cache.file("cloak", KEY) is None
    cache.put_file("cloak", KEY, b"again")
    assert cache.file("cloak", KEY) == b"again"


def test_a_flipped_bit_makes_a_row_absent(cache: Cache, tmp_path: Path) -> None:
    cache.put_rows("face", {"a": b"one", "b": b"two"})
    with sqlite3.connect(tmp_path / "cache" / "rows.sqlite") as rows:
        (value,) = rows.execute("SELECT value FROM row WHERE key = 'a'").fetchone()
        rows.execute("UPDATE row SET value = ? WHERE key = 'a'", (value[:-1] + b"?",))
    rows.close()
    assert cache.rows("face", ["a", "b"]) == {"b": b"two"}


@pytest.mark.parametrize("damage", [b"this is no database, it is a text of some length" * 99, b"\0" * 4096])
def test_a_damaged_database_is_set_aside(tmp_path: Path, damage: bytes) -> None:
    first = Cache(tmp_path)
    first.put_rows("face", {"a": b"one"})
    first.close()
    path = tmp_path / "cache" / "rows.sqlite"
    path.write_bytes(damage)
    second = Cache(tmp_path)
    assert second.rows("face", ["a"]) == {}
    second.put_rows("face", {"a": b"again"})
    assert second.rows("face", ["a"]) == {"a": b"again"}
    assert len(second.repaired) == 1
    assert "computed again" in second.repaired[0]
    assert [p.read_bytes() for p in path.parent.glob("rows.sqlite.damaged-*")] == [damage]
    second.close()


def test_a_page_damaged_in_the_middle_is_noticed_while_reading(tmp_path: Path) -> None:
    first = Cache(tmp_path)
    rows = {f"{i:04d}": os.urandom(700) for i in range(300)}
    first.put_rows("face", rows)
    first.close()
    path = tmp_path / "cache" / "rows.sqlite"
    content = bytearray(path.read_bytes())
    content[4096 : len(content) - 4096] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    second = Cache(tmp_path)
    found = second.rows("face", rows)
    assert all(rows[key] == value for key, value in found.items())
    second.put_rows("face", rows)
    assert second.rows("face", rows) == rows
    assert second.repaired
    second.close()


def test_damage_found_while_writing(tmp_path: Path) -> None:
    first = Cache(tmp_path)
    rows = {f"{i:04d}": os.urandom(700) for i in range(300)}
    first.put_rows("face", rows)
    first.close()
    path = tmp_path / "cache" / "rows.sqlite"
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    second = Cache(tmp_path)
    second.put_rows("face", rows)
    assert second.rows("face", rows) == rows
    assert second.repaired
    second.close()


STAGES = ("face", "embedding", "cell", "cloak")


@pytest.mark.parametrize("first", STAGES)
@pytest.mark.parametrize("second", STAGES)
def test_two_values_that_change_places_are_absent(
    cache: Cache, first: str, second: str, caplog: pytest.LogCaptureFixture
) -> None:
    places = [(first, "ab" * 32), (second, "cd" * 32)]
    for stage, key in places:
        cache.put_file(stage, key, f"file of {stage} {key}".encode())
        cache.put_rows(stage, {key: f"row of {stage} {key}".encode()})
    a, b = (cache.folder / stage / key[:2] / key for stage, key in places)
    a_content, b_content = a.read_bytes(), b.read_bytes()
    a.write_bytes(b_content)
    b.write_bytes(a_content)
    with closing(sqlite3.connect(cache.folder / "rows.sqlite")) as base, base:
        values = [
            base.execute("SELECT value FROM row WHERE stage = ? AND key = ?", place).fetchone()[0]
            for place in places
        ]
        for value, place in zip(reversed(values), places, strict=True):
            base.execute("UPDATE row SET value = ? WHERE stage = ? AND key = ?", (value, *place))
    for stage, key in places:
        assert cache.file(stage, key) is None
        assert cache.rows(stage, [key]) == {}
    cache.close()
    (line,) = caplog.messages
    assert "2 stored results" in line
    assert "computed again" in line


CHANGES = {
    "another key": "UPDATE row SET key = 'b'",
    "another stage": "UPDATE row SET stage = 'embedding'",
    "another type": "UPDATE row SET value = 'text'",
    "no value": "UPDATE row SET value = NULL",
    "an empty value": "UPDATE row SET value = x''",
    "a value cut short": "UPDATE row SET value = substr(value, 1, 17)",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_row_that_somebody_changed_is_absent(cache: Cache, change: str) -> None:
    cache.put_rows("face", {"a": b"one"})
    with closing(sqlite3.connect(cache.folder / "rows.sqlite")) as base, base:
        base.execute(CHANGES[change])
    assert cache.rows("face", ["a", "b"]) == {}
    assert cache.rows("embedding", ["a", "b"]) == {}
    cache.put_rows("face", {"a": b"again"})
    assert cache.rows("face", ["a"]) == {"a": b"again"}


def test_a_checksum_of_the_content_alone_is_no_seal(cache: Cache) -> None:
    # whoever edits a value and computes its checksum anew, as version 0.1 did it, is not believed
    cache.put_file("cell", KEY, b"CFR 0.1")
    content = b"CFR 0.9"
    stored(cache).write_bytes(hashlib.blake2b(content, digest_size=16).digest() + content)
    assert cache.file("cell", KEY) is None


def test_damage_is_told_once_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = Cache(tmp_path)
    for stage in ("cell", "cloak"):
        for number in range(3):
            first.put_file(stage, f"{number:02x}" * 32, b"content")
    first.close()
    assert caplog.messages == []
    for path in first.folder.rglob("*"):
        if path.is_file() and len(path.name) == 64:
            path.write_bytes(path.read_bytes()[:-1])
    second = Cache(tmp_path)
    for _ in range(2):
        for stage in ("cell", "cloak"):
            for number in range(3):
                assert second.file(stage, f"{number:02x}" * 32) is None
    second.close()
    second.close()
    assert caplog.messages == ["6 stored results (cell, cloak) were damaged or moved, and are computed again"]


def test_no_damage_to_a_result_is_believed(tmp_path: Path) -> None:
    assert_all_right(stored_results.DAMAGE, 60, 1, tmp_path)


def test_something_else_in_the_place_of_a_file(cache: Cache) -> None:
    (cache.folder / "cloak" / KEY[:2] / KEY).mkdir(parents=True)
    assert cache.file("cloak", KEY) is None


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    assert one_line(lambda: Cache(tmp_path / "home"))


def test_a_read_only_folder() -> None:
    # /proc refuses new folders even to root
    said = one_line(lambda: Cache(Path("/proc/bench-home")))
    assert "BENCH_HOME" in said


def test_a_full_disk_is_said_and_nothing_is_lost(small_disk: Path) -> None:
    cache = Cache(small_disk)
    cache.put_rows("face", {"a": b"one"})
    cache.put_file("cloak", KEY, b"kept")
    assert "No space left" in one_line(lambda: cache.put_file("cloak", "cd" * 32, bytes(900_000)))
    assert "full" in one_line(lambda: cache.put_rows("face", {"b": bytes(900_000)}))
    assert cache.rows("face", ["a", "b"]) == {"a": b"one"}
    assert cache.file("cloak", KEY) == b"kept"
    assert not list(small_disk.rglob(".part-*"))
    cache.put_rows("face", {"c": b"three"})  # there is room again
    assert cache.rows("face", ["c"]) == {"c": b"three"}
    cache.close()


def test_a_full_disk_can_be_read(small_disk: Path) -> None:
    first = Cache(small_disk)
    first.put_rows("face", {"a": b"one"})
    first.put_file("cloak", KEY, b"kept")
    first.close()
    with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
        while True:
            filler.write(bytes(4096))
    second = Cache(small_disk)
    assert second.rows("face", ["a"]) == {"a": b"one"}
    assert second.file("cloak", KEY) == b"kept"
    second.close()


@pytest.mark.parametrize("left_open", [False, True])
def test_a_read_only_disk_can_be_read(small_disk: Path, left_open: bool) -> None:
    first = Cache(small_disk)
    first.put_rows("face", {"a": b"one"})
    first.put_file("cloak", KEY, b"kept")
    if left_open:  # as after a kill: what is in the file beside it may be lost, and is then absent
        shutil.copytree(small_disk / "cache", small_disk / "copy" / "cache")
    first.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    second = Cache(small_disk / "copy" if left_open else small_disk)
    assert second.rows("face", ["a"]) in ([{"a": b"one"}, {}] if left_open else [{"a": b"one"}])
    assert second.file("cloak", KEY) == b"kept"
    second.put_rows("face", {})
    for action in (
        lambda: second.put_rows("face", {"b": b""}),
        lambda: second.put_file("cloak", "cd" * 32, b""),
    ):
        said = one_line(action)
        assert "Make that disk writable, or set BENCH_HOME" in said
        assert "Free some space" not in said
    second.close()


def test_a_folder_without_the_right_to_write_can_be_read() -> None:
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        cache = Cache(home)
        cache.put_rows("face", {"a": b"one"})
        cache.put_file("cloak", KEY, b"kept")
        cache.close()
        told = home / "told"
        told.touch()
        told.chmod(0o666)
        child = os.fork()
        if child == 0:
            try:
                os.setgid(65534)
                os.setuid(65534)
                theirs = Cache(home)
                assert theirs.rows("face", ["a"]) == {"a": b"one"}
                assert theirs.file("cloak", KEY) == b"kept"
                said = one_line(lambda: theirs.put_rows("face", {"b": b"two"}))
                assert "right to write there" in said or "Make that disk writable" in said
                assert "right to write there" in one_line(lambda: theirs.put_file("cloak", "cd" * 32, b""))
                told.write_text("went well")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert told.read_text() == "went well"


def test_a_disk_that_is_full_from_the_start(small_disk: Path) -> None:
    with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
        while True:
            filler.write(bytes(4096))
    assert "cannot write results" in one_line(lambda: Cache(small_disk))


_WRITER = """
import sys
from pathlib import Path
from bench.store.cache import Cache
cache, name, count = Cache(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
for i in range(count):
    cache.put_rows("face", {f"{name}-{i}-{j}": f"{i}-{j}".encode() * 50 for j in range(20)})
    cache.put_file("cloak", f"{i:02x}{name}", f"{i}".encode() * 200_000)
    print(i, flush=True)
"""


def writer(home: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, str(home), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("after", [1, 5, 23])
def test_killed_while_writing(tmp_path: Path, after: int) -> None:
    process = writer(tmp_path, "a", 1_000_000)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(after + 2)]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    cache = Cache(tmp_path)
    last = int(said[-1])
    for i in range(last + 1):
        # whatever was reported done is there
        assert len(cache.rows("face", [f"a-{i}-{j}" for j in range(20)])) == 20
        assert cache.file("cloak", f"{i:02x}a") == f"{i}".encode() * 200_000
    for i in range(last + 1, last + 200):
        # all of a batch or none of it
        assert len(cache.rows("face", [f"a-{i}-{j}" for j in range(20)])) in (0, 20)
        assert cache.file("cloak", f"{i:02x}a") in (None, f"{i}".encode() * 200_000)
    cache.put_rows("face", {"more": b"x"})
    assert cache.rows("face", ["more"]) == {"more": b"x"}
    assert not cache.repaired
    cache.close()


def test_two_processes_at_once(tmp_path: Path) -> None:
    both = [writer(tmp_path, name, 30) for name in ("a", "b")]
    for process in both:
        process.communicate(timeout=60)
    assert [process.returncode for process in both] == [0, 0]
    cache = Cache(tmp_path)
    for name in ("a", "b"):
        for i in range(30):
            assert len(cache.rows("face", [f"{name}-{i}-{j}" for j in range(20)])) == 20
            assert cache.file("cloak", f"{i:02x}{name}") is not None
    cache.close()


def stored(cache: Cache) -> Path:
    (path,) = [p for p in cache.folder.rglob("*") if re.fullmatch("(ab){32}", p.name)]
    return path


def one_line(action: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_fault_of_a_caller_sets_no_file_aside(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put_rows("face", {KEY: b"a face"})
    with ThreadPoolExecutor(1) as other:  # SQLite gives a connection to one thread
        for act in (lambda: cache.rows("face", [KEY]), lambda: cache.put_rows("face", {KEY: b"another"})):
            with pytest.raises(sqlite3.ProgrammingError):
                other.submit(act).result()
    assert cache.rows("face", [KEY]) == {KEY: b"a face"}
    assert not list(tmp_path.rglob("*damaged*"))
