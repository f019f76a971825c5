"""No unverified byte: altered files show both digests, and a digest that is pinned stays pinned."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.store import lock, weights
from bench.types import Folders

GOOD = b"the right weights"
SHA256 = hashlib.sha256(GOOD).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "net.onnx"
    file.write_bytes(GOOD)
    return file


def test_real_data_is_searched_before_home(folders: Folders) -> None:
    real, home = Path(str(folders.real_data)) / "weights", Path(folders.home) / "weights"
    assert weights.places(folders) == [real, home]
    assert weights.places(Folders(home=folders.home)) == [home]


def test_altered_weights_show_both_digests(path: Path) -> None:
    assert weights.verified(path, SHA256) == path
    path.write_bytes(b"something else")
    other = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(UserError, match=f"{other}.*{SHA256}"):
        weights.verified(path, SHA256)


def test_a_file_that_changes_is_hashed_again(path: Path) -> None:
    assert weights.digest(path) == SHA256
    path.write_bytes(GOOD[::-1])  # same size
    os.utime(path, ns=(1, 1))
    assert weights.digest(path) == hashlib.sha256(GOOD[::-1]).hexdigest()


@pytest.mark.parametrize("ask", [weights.read, weights.digest])
def test_a_file_that_is_gone_is_one_line(ask: Callable[[Path], object], path: Path) -> None:
    path.unlink()
    with pytest.raises(UserError, match=r"cannot read .*net\.onnx: No such file") as caught:
        ask(path)
    assert "\n" not in str(caught.value)


def test_the_first_use_pins(path: Path, folders: Folders) -> None:
    assert weights.pinned(path, folders) == SHA256
    pins = json.loads((Path(folders.home) / lock.LOCK).read_text())
    assert pins == {path.name: SHA256}
    path.write_bytes(b"changed since")
    assert weights.pinned(path, folders) == SHA256


def test_pins_of_several_files_live_together(path: Path, folders: Folders) -> None:
    other = path.with_name("other.onnx")
    other.write_bytes(b"another")
    for file in (path, other):
        weights.pinned(file, folders)
    assert set(json.loads((Path(folders.home) / lock.LOCK).read_text())) == {path.name, other.name}
    assert [p.name for p in Path(folders.home).iterdir() if p.is_file()] == [lock.LOCK]


@pytest.mark.parametrize("content", ["{", "[]", "3"])
def test_damaged_lock_is_the_users_to_delete(path: Path, folders: Folders, content: str) -> None:
    Path(folders.home).mkdir()
    (Path(folders.home) / lock.LOCK).write_text(content)
    with pytest.raises(UserError, match=r"damaged.*Delete it"):
        weights.pinned(path, folders)


def test_home_that_cannot_be_written_is_one_line(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError, match="cannot write the digest of"):
        weights.pinned(path, Folders(home=str(tmp_path / "file" / "home")))


def test_the_lock_keeps_its_name() -> None:
    # homes of users hold a file of this name: under another one, every pin would be forgotten
    assert lock.LOCK == "bench.lock.json"
