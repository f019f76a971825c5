"""Digests of files are computed once, and never remembered for another content."""

from __future__ import annotations

import errno
import hashlib
import math
import os
from pathlib import Path
from typing import Any

import bench.datasets._files.digests as own
import pytest

from bench.errors import PassingError


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
    monkeypatch.setattr("bench.errors.PAUSES", (0.0,) * 4)
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

    def counted(path: str) -> Any:
        read.append(path)
        return plain(path)

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
    with pytest.raises(PassingError, match=f"cannot read {files[3]}: No such file.* Bring it back"):
        own.digests(files, str(home))
    Path(files[3]).write_bytes(content)
    assert own.digests(files, str(home))[files[3]] == hashlib.sha256(content).hexdigest()


_open = open


class Refusing:
    """`open` as a tired system has it: the first tries of some files end with an error."""

    def __init__(self, path: str, number: int, times: float) -> None:
        self.path, self.number, self.left = path, number, times

    def __call__(self, path: Any, *rest: Any, **options: Any) -> Any:
        if str(path) == self.path and self.left > 0:
            self.left -= 1
            raise OSError(self.number, os.strerror(self.number), self.path)
        return _open(path, *rest, **options)


NUMBERS = [errno.EIO, errno.EMFILE, errno.EACCES, errno.ESTALE, errno.ENOMEM, errno.ENODEV, errno.ETIMEDOUT]


@pytest.mark.parametrize("number", NUMBERS)
def test_an_error_that_passes_is_told_and_changes_nothing(
    files: list[str],
    home: Path,
    number: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("builtins.open", Refusing(files[7], number, 2))
    assert own.digests(files, str(home))[files[7]] == hashlib.sha256(b"7").hexdigest()
    (line,) = caplog.messages
    assert os.strerror(number) in line
    assert files[7] in line


@pytest.mark.parametrize("number", NUMBERS)
def test_an_error_that_stays_is_told_and_never_kept(
    files: list[str], home: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", Refusing(files[7], number, math.inf))
        with pytest.raises(PassingError) as caught:
            own.digests(files, str(home))
    assert f"cannot read {files[7]}: {os.strerror(number)}. " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert own.digests(files, str(home)) == {path: sha256(path) for path in files}


def test_what_the_bytes_of_another_moment_were_is_not_remembered(files: list[str], home: Path) -> None:
    # bits that rot on a disk change no time of the file: its stamp stays, and the kept digest is wrong
    own.digests(files, str(home))
    stamp = own.stamp_of(files[9])
    own._computed[stamp] = "0" * 64
    own._keep(home / "cache" / "file-digests.sqlite", {stamp: "0" * 64})
    assert own.digests(files, str(home))[files[9]] == "0" * 64
    own.forget(files[9], str(home))
    assert own.digests(files, str(home)) == {path: sha256(path) for path in files}


def test_a_file_that_is_written_while_it_is_hashed(
    files: list[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = hashlib.file_digest
    written: list[int] = []

    def disturbed(file: Any, name: str) -> Any:
        value = plain(file, name)
        if file.name == files[11] and not written:
            written.append(Path(files[11]).write_bytes(b"another"))
        return value

    monkeypatch.setattr(hashlib, "file_digest", disturbed)
    assert own.digests(files, str(home))[files[11]] == hashlib.sha256(b"another").hexdigest()
