"""Machines that share a store: what one has computed, the others have, whatever kind of store it is."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.store.cache import Cache
from bench.store.only_reading import only_reading
from bench.store.shared import SharedStore, read, written

KEY = "ab" + 62 * "0"
OTHER = "cd" + 62 * "1"


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of an object store on this machine, with a bucket; its keys are in the environment."""
    pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    known = {"AWS_ENDPOINT_URL": address, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (known | {"AWS_DEFAULT_REGION": "us-east-1"}).items():
            patch.setenv(name, value)
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(f"{address}/bench", method="PUT"), timeout=5)
                break
            except OSError:
                assert time.monotonic() < end, "the object store does not start"
                time.sleep(0.2)
        yield "s3://bench"
    server.kill()
    server.wait()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new store that `BENCH_STORE` names."""
    place = str(tmp_path / "store")
    if request.param == "s3":
        place = f"{request.getfixturevalue('object_store')}/{tmp_path.name}"
    monkeypatch.setenv("BENCH_STORE", place)
    monkeypatch.setattr("bench.store.shared._PAUSE", 0.0)
    return place


def test_what_one_machine_stores_another_finds(store: str, tmp_path: Path) -> None:
    here, there = Cache(tmp_path / "here"), Cache(tmp_path / "there")
    assert there.rows("face", [KEY, OTHER]) == {} and there.file("cloak", KEY) is None
    here.put_rows("face", {KEY: b"a face", OTHER: b""})
    here.put_file("cloak", KEY, b"photos")
    assert there.rows("face", [KEY, OTHER]) == {KEY: b"a face", OTHER: b""}
    assert there.file("cloak", KEY) == b"photos"
    assert there.rows("look", [KEY]) == {} and there.file("cloak", OTHER) is None
    there.put_rows("face", {"ef": b"theirs"})
    assert here.every_row("face") == {KEY: b"a face", OTHER: b"", "ef": b"theirs"}
    assert here.repaired == there.repaired == []


def test_a_look_may_be_asked_for_at_any_time(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.store.shared._PAUSE", 3600.0)
    here, there = Cache(tmp_path / "here"), Cache(tmp_path / "there")
    assert there.rows("face", [KEY]) == {}
    here.put_rows("face", {KEY: b"a face"})
    assert there.rows("face", [KEY]) == {}
    there.look_again()
    assert there.rows("face", [KEY]) == {KEY: b"a face"}


def test_what_was_copied_is_at_hand_without_the_store(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Cache(tmp_path / "here")
    here.put_rows("face", {KEY: b"a face"})
    here.put_file("cloak", KEY, b"photos")
    there = Cache(tmp_path / "there")
    assert there.rows("face", [KEY]) and there.file("cloak", KEY)
    there.close()
    monkeypatch.delenv("BENCH_STORE")
    alone = Cache(tmp_path / "there")
    assert alone.rows("face", [KEY]) == {KEY: b"a face"} and alone.file("cloak", KEY) == b"photos"


def test_a_segment_is_copied_once(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Cache(tmp_path / "here").put_rows("face", {KEY: b"a face"})
    there = Cache(tmp_path / "there")
    assert there.rows("face", [KEY])
    there.close()

    def never(self: SharedStore, name: str) -> bytes | None:
        raise AssertionError(name)

    monkeypatch.setattr(SharedStore, "get", never)
    again = Cache(tmp_path / "there")
    assert again.rows("face", [KEY, OTHER]) == {KEY: b"a face"}


def test_whoever_only_reads_puts_nothing_there(store: str, tmp_path: Path) -> None:
    Cache(tmp_path / "here").put_rows("face", {KEY: b"a face"})
    with only_reading():
        looking = Cache(tmp_path / "there")
        assert looking.rows("face", [KEY]) == {KEY: b"a face"}
        assert looking.every_row("face") == {KEY: b"a face"}
        looking.put_rows("face", {OTHER: b"not kept"})
        looking.put_file("cloak", KEY, b"not kept")
    assert not (tmp_path / "there").exists()
    other = Cache(tmp_path / "other")
    assert other.rows("face", [OTHER]) == {} and other.file("cloak", KEY) is None


@pytest.mark.parametrize(
    "spoil", [lambda content: content[:-3], lambda content: b"x" + content[1:], lambda _: b""]
)
def test_what_is_damaged_there_is_absent_and_is_mended(
    spoil: object, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Cache(tmp_path / "here")
    here.put_rows("face", {KEY: b"a face"})
    here.put_file("cloak", KEY, b"photos")
    shared = SharedStore(store)
    (segment,) = shared.segments("face")
    for name in (f"rows/face/{segment}", f"cloak/ab/{KEY}"):
        content = shared.get(name)
        assert content and callable(spoil)
        shared.put(name, spoil(content))
    there = Cache(tmp_path / "there")
    assert there.rows("face", [KEY]) == {} and there.file("cloak", KEY) is None
    assert "2 stored results (cloak, face) were damaged" in there.repaired[0]
    there.put_rows("face", {KEY: b"a face"})
    there.put_file("cloak", KEY, b"photos")
    third = Cache(tmp_path / "third")
    assert third.rows("face", [KEY]) == {KEY: b"a face"} and third.file("cloak", KEY) == b"photos"


def test_a_row_that_was_changed_there_is_not_copied_and_those_beside_it_are(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Cache(tmp_path / "here")
    here.put_rows("face", {KEY: b"a face", OTHER: b"another"})
    shared = SharedStore(store)
    (segment,) = shared.segments("face")
    content = bytearray(shared.get(f"rows/face/{segment}") or b"")
    content[content.rindex(b"a face")] ^= 1
    shared.put(f"rows/face/{segment}", bytes(content))
    there = Cache(tmp_path / "there")
    assert there.rows("face", [KEY, OTHER]) == {OTHER: b"another"}
    assert "1 stored results (face) were damaged" in there.repaired[0]
    there.close()
    with sqlite3.connect(tmp_path / "there" / "cache" / "rows.sqlite") as connection:
        held = connection.execute("SELECT key FROM row WHERE stage IN ('face', 'segment')").fetchall()
    assert held == [(OTHER,)]


def test_segments_hold_what_was_put_into_them() -> None:
    rows = {OTHER: b"\n\0", KEY: b"", "x": bytes(range(256))}
    name, content = written(rows)
    assert read(content) == rows
    assert written(dict(reversed(rows.items()))) == (name, content)
    assert written(rows | {KEY: b"1"})[0] != name
    for short in (content[:-1], content[:5], b""):
        with pytest.raises(ValueError, match=r"."):
            read(short)


@pytest.mark.parametrize(
    ("place", "says"),
    [("nothing://here", "BENCH_STORE is 'nothing://here'"), ("s3", None), ("gs://bucket", "pip install")],
)
def test_a_store_that_is_none_is_one_line(
    place: str, says: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if says is None:
        assert SharedStore(place).get("x") is None  # a folder of that name
        return
    with pytest.raises(UserError, match=says) as caught:
        SharedStore(place)
    assert "\n" not in str(caught.value)


def test_a_store_that_cannot_be_used_ends_the_command_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("BENCH_STORE", str(tmp_path / "file"))
    cache = Cache(tmp_path / "home")
    with pytest.raises(UserError, match=rf"the store {tmp_path}/file cannot be used"):
        cache.put_file("cloak", KEY, b"photos")


@pytest.mark.slow
def test_a_run_goes_on_on_another_machine(store: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.cli", "run", "--dataset", "synthetic:people=12,photos-each=6"]
    command += ["--encoder", "synth-ir", "--users", "2", "--photos", "4", "--background", "2"]
    command += ["--defense", "none", "--attacker", "dbscan", "--json"]

    def cells(home: str) -> str:
        environment = os.environ | {"BENCH_HOME": str(tmp_path / home)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    first, second = cells("here"), cells("there")
    assert '"reused": false' in first and '"reused": true' in second
    assert not list((tmp_path / "there").glob("cache/embedding*"))
