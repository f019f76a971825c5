"""A command that only looks leaves BENCH_HOME as it is, and reads what is there."""

from __future__ import annotations

from pathlib import Path

from bench.store import lock
from bench.store.cache import Cache
from bench.store.only_reading import only_reading
from bench.types import Folders

KEY = "ab" * 32


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_nothing_is_made_where_nothing_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with only_reading():
        cache = Cache(home)
        assert cache.rows("face", ["a"]) == {}
        assert cache.file("cloak", KEY) is None
        cache.put_rows("face", {"a": b"one", "b": b""})
        cache.put_file("cloak", KEY, b"photos")
        assert cache.rows("face", ["a", "b"]) == {"a": b"one", "b": b""}
        assert cache.file("cloak", KEY) == b"photos"
        lock.pin("weights.onnx", "0" * 64, Folders(home=str(home), real_data=None))
        cache.close()
    assert not home.exists()


def test_what_is_there_is_read_and_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put_rows("face", {"a": b"one"})
    cache.put_file("cloak", KEY, b"photos")
    cache.close()
    before = content(tmp_path)
    with only_reading():
        looking = Cache(tmp_path)
        assert looking.rows("face", ["a", "b"]) == {"a": b"one"}
        assert looking.every_row("face") == {"a": b"one"}
        assert looking.file("cloak", KEY) == b"photos"
        looking.put_rows("face", {"a": b"two"})
        looking.close()
    assert content(tmp_path) == before


def test_a_home_that_a_run_writes_is_read(tmp_path: Path) -> None:
    running = Cache(tmp_path)
    running.put_rows("face", {"a": b"one"})
    names = {path.name for path in running.folder.iterdir()}
    assert "rows.sqlite-wal" in names
    with only_reading():
        looking = Cache(tmp_path)
        assert looking.rows("face", ["a"]) == {"a": b"one"}
        looking.close()
    assert {path.name for path in running.folder.iterdir()} == names
    running.put_rows("face", {"b": b"two"})
    running.close()


def test_a_damaged_file_has_no_rows_and_is_not_set_aside(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "rows.sqlite").write_bytes(b"no rows" * 1000)
    before = content(tmp_path)
    with only_reading():
        cache = Cache(tmp_path)
        assert cache.rows("face", ["a"]) == {}
        cache.close()
    assert content(tmp_path) == before


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []

    def asked(self, stage: str) -> None:
        self.told.append(("asked", stage, 0))

    def stored(self, stage: str, count: int) -> None:
        self.told.append(("stored", stage, count))


def test_a_listener_hears_of_every_result(tmp_path: Path) -> None:
    heard = Heard()
    cache = Cache(tmp_path, heard)
    cache.rows("face", ["a", "b"])
    cache.put_rows("face", {"a": b"one", "b": b"two"})
    cache.put_rows("face", {})
    cache.put_file("cloak", KEY, b"photos")
    assert heard.told == [
        ("asked", "face", 0),
        ("stored", "face", 2),
        ("stored", "face", 0),
        ("stored", "cloak", 1),
    ]
    cache.close()
