"""No unverified byte: missing files say where they were sought, altered ones show both digests."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bench.encoders.cards import FACENET, ONNX
from bench.errors import UserError
from bench.store import lock, weights
from bench.types import EncoderCard, Folders

GOOD = b"the right weights"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    for place in ("real", "home"):
        (tmp_path / place / "weights").mkdir(parents=True)
    return Folders(home=str(tmp_path / "home"), real_data=str(tmp_path / "real"))


@pytest.fixture
def card() -> EncoderCard:
    return replace(ONNX[0], sha256=hashlib.sha256(GOOD).hexdigest())


def put(folders: Folders, where: str, name: str, data: bytes) -> Path:
    path = Path(folders.home if where == "home" else str(folders.real_data)) / "weights" / name
    path.write_bytes(data)
    return path


def test_real_data_is_searched_before_home(folders: Folders, card: EncoderCard) -> None:
    at_home = put(folders, "home", f"{card.name}.onnx", GOOD)
    assert weights.find(card, folders) == at_home
    real = put(folders, "real", f"{card.name}.onnx", GOOD)
    assert weights.find(card, folders) == real


def test_home_alone_is_enough(folders: Folders, card: EncoderCard) -> None:
    path = put(folders, "home", f"{card.name}.onnx", GOOD)
    assert weights.find(card, Folders(home=folders.home)) == path


def test_missing_weights_say_what_where_and_what_to_type(folders: Folders, card: EncoderCard) -> None:
    with pytest.raises(UserError) as caught:
        weights.find(card, folders)
    said = str(caught.value)
    assert card.name in said
    assert f"{folders.real_data}/weights or {folders.home}/weights" in said
    assert "'bench list encoders'" in said
    assert "\n" not in said


def test_altered_weights_show_both_digests(folders: Folders, card: EncoderCard) -> None:
    put(folders, "real", f"{card.name}.onnx", b"something else")
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(UserError, match=f"{found}.*{card.sha256}"):
        weights.find(card, folders)


def test_a_file_that_changes_is_hashed_again(folders: Folders, card: EncoderCard) -> None:
    path = put(folders, "real", f"{card.name}.onnx", GOOD)
    weights.find(card, folders)
    path.write_bytes(GOOD[::-1])  # same size
    os.utime(path, ns=(1, 1))
    with pytest.raises(UserError, match="altered or damaged"):
        weights.find(card, folders)


def test_weights_without_a_published_digest_are_pinned_at_first_use(folders: Folders) -> None:
    card = FACENET[0]
    assert card.sha256 == ""
    path = put(folders, "home", "20180402-114759-vggface2.pt", GOOD)
    assert weights.find(card, folders) == path
    pins = json.loads((Path(folders.home) / lock.LOCK).read_text())
    assert pins == {path.name: hashlib.sha256(GOOD).hexdigest()}
    path.write_bytes(b"changed since")
    with pytest.raises(UserError, match=pins[path.name]):
        weights.find(card, folders)


def test_pins_of_several_files_live_together(folders: Folders) -> None:
    for card in FACENET:
        put(folders, "real", weights.file_name(card.name), card.name.encode())
        weights.find(card, folders)
    assert len(json.loads((Path(folders.home) / lock.LOCK).read_text())) == 2
    assert [p.name for p in Path(folders.home).iterdir() if p.is_file()] == [lock.LOCK]


@pytest.mark.parametrize("content", ["{", "[]", "3"])
def test_damaged_lock_is_the_users_to_delete(folders: Folders, content: str) -> None:
    put(folders, "home", weights.file_name(FACENET[0].name), GOOD)
    (Path(folders.home) / lock.LOCK).write_text(content)
    with pytest.raises(UserError, match=r"damaged.*Delete it"):
        weights.find(FACENET[0], folders)


def test_home_that_cannot_be_written_is_one_line(tmp_path: Path, folders: Folders) -> None:
    put(folders, "real", weights.file_name(FACENET[0].name), GOOD)
    (tmp_path / "file").write_text("not a folder")
    home = Folders(home=str(tmp_path / "file" / "home"), real_data=folders.real_data)
    with pytest.raises(UserError, match="cannot pin"):
        weights.find(FACENET[0], home)


def test_a_bare_name_is_pinned_too(folders: Folders) -> None:
    path = put(folders, "home", "mine.onnx", GOOD)
    assert weights.find("mine", folders) == path
    path.write_bytes(b"x")
    with pytest.raises(UserError, match="altered or damaged"):
        weights.find("mine", folders)


def test_the_lock_keeps_its_name() -> None:
    # homes of users hold a file of this name: under another one, every pin would be forgotten
    assert lock.LOCK == "bench.lock.json"
