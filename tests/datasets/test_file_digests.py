"""Digests of files are computed once, and never remembered for another content."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import bench.datasets._files.digests as own
import pytest


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = []
    for i in range(200):
        path = tmp_path / "photos" / str(i)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"%d" % i)
        os.utime(path, (1e9, 1e9))
        paths.append(str(path))
    return paths


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A BENCH_HOME in which everything is worth keeping, and a process that knows nothing yet."""
    monkeypatch.setattr(own, "_WORTH_KEEPING", -1.0)
    monkeypatch.setattr(own, "_SETTLED", -(10**12))
    monkeypatch.setattr(own, "_computed", {})
    return tmp_path / "home"


def sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_every_file_has_its_own(files: list[str], home: Path) -> None:
    assert own.digests(files, str(home)) == {path: sha256(path) for path in files}


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the next process."""
    monkeypatch.setattr(own, "_computed", {})


def test_what_was_kept_is_found_again(files: list[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = own.digests(files, str(home))
    forget(monkeypatch)
    monkeypatch.setattr(own, "_sha256", lambda path: pytest.fail(f"reads {path}"))
    assert own.digests(files, str(home)) == first


@pytest.mark.parametrize("new", ["in the process", "in the next process"])
def test_another_content_of_the_same_size_and_time_is_noticed(
    files: list[str], home: Path, monkeypatch: pytest.MonkeyPatch, new: str
) -> None:
    own.digests(files, str(home))
    Path(files[55]).write_bytes(b"XX")
    os.utime(files[55], (1e9, 1e9))
    if new == "in the next process":
        forget(monkeypatch)
    assert own.digests(files, str(home)) == {path: sha256(path) for path in files}


def test_a_file_that_may_still_change_is_not_kept(
    files: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "_SETTLED", 10**15)
    own.digests(files, str(home))
    forget(monkeypatch)
    read: list[str] = []
    plain = own._sha256

    def counted(path: str) -> str:
        read.append(path)
        digest: str = plain(path)
        return digest

    monkeypatch.setattr(own, "_sha256", counted)
    own.digests(files, str(home))
    assert sorted(read) == sorted(files)


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100])
def test_a_damaged_store_costs_time_and_nothing_else(
    files: list[str], home: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes
) -> None:
    own.digests(files, str(home))
    next(home.rglob("*.sqlite")).write_bytes(damage)
    forget(monkeypatch)
    assert own.digests(files, str(home)) == {path: sha256(path) for path in files}


def test_a_home_that_cannot_be_written_costs_time_and_nothing_else(files: list[str], home: Path) -> None:
    home.write_text("in the way")
    assert own.digests(files, str(home)) == {path: sha256(path) for path in files}


def test_quick_work_is_not_kept(files: list[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "_WORTH_KEEPING", 1e9)
    own.digests(files, str(home))
    assert not home.exists()


def test_a_file_that_is_not_there_and_comes_back(files: list[str], home: Path) -> None:
    content = Path(files[3]).read_bytes()
    Path(files[3]).unlink()
    assert own.digests(files, str(home))[files[3]] == own.UNREADABLE == hashlib.sha256(b"").hexdigest()
    Path(files[3]).write_bytes(content)
    assert own.digests(files, str(home))[files[3]] == hashlib.sha256(content).hexdigest()
