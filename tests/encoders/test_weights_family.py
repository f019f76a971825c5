"""Files of weights below the folders of weights: where they are looked for, and which are believed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.encoders.families import synth
from bench.encoders.families.onnx_file.cards import CARDS
from bench.encoders.weights_family import WeightsFamily
from bench.errors import UserError
from bench.protocols import Encoder
from bench.store import lock
from bench.types import EncoderCard, Folders

GOOD = b"the right weights"
STATED = replace(CARDS[0], name="stated", sha256=hashlib.sha256(GOOD).hexdigest())
UNSTATED = replace(CARDS[0], name="unstated", sha256="")


class Files(WeightsFamily):
    """Two encoders, one of whose digest nobody states. Notes what is looked into and what is opened."""

    stated = (STATED, UNSTATED)

    def __init__(self) -> None:
        self.inspected: list[Path] = []
        self.opened: list[tuple[EncoderCard, Path]] = []

    def file_name(self, card: EncoderCard) -> str:
        return f"{card.name}.bin"

    def inspect(self, card: EncoderCard, path: Path) -> None:
        self.inspected.append(path)
        if path.read_bytes() == b"wrong":
            raise UserError("not what its card says")

    def open(self, card: EncoderCard, path: Path, device: str) -> Encoder:
        self.opened.append((card, path))
        return synth.load("synth-ir", device)  # any encoder: nobody embeds here


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    for place in ("real", "home"):
        (tmp_path / place / "weights").mkdir(parents=True)
    return Folders(home=str(tmp_path / "home"), real_data=str(tmp_path / "real"))


def put(folders: Folders, where: str, name: str, content: bytes) -> Path:
    path = Path(folders.home if where == "home" else str(folders.real_data)) / "weights" / name
    path.write_bytes(content)
    return path


def pins(folders: Folders) -> dict[str, str]:
    path = Path(folders.home) / lock.LOCK
    written: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}
    return written


def test_real_data_is_searched_before_home(folders: Folders) -> None:
    at_home = put(folders, "home", "stated.bin", GOOD)
    assert Files().present(STATED, folders) == at_home
    real = put(folders, "real", "stated.bin", GOOD)
    assert Files().present(STATED, folders) == real
    assert Files().present(STATED, Folders(home=folders.home)) == at_home


def test_missing_weights_say_what_where_and_what_to_do(folders: Folders) -> None:
    real, home = f"{folders.real_data}/weights", f"{folders.home}/weights"
    assert (
        Files().missing(STATED, folders) == f"no stated.bin in {real} or {home}: put stated.bin into {home}"
    )
    with pytest.raises(UserError, match=r"'stated': no stated\.bin in .*'bench list encoders'") as caught:
        Files().load(STATED, folders, "cpu")
    assert "\n" not in str(caught.value)
    put(folders, "home", "stated.bin", GOOD)
    assert Files().missing(STATED, folders) == ""


def test_a_name_that_can_be_fetched_says_so(folders: Folders) -> None:
    # facenet-casia is a name of the table of downloads
    remedy = Files().remedy(replace(STATED, name="facenet-casia"), folders)
    assert remedy == f"bench fetch facenet-casia, or put facenet-casia.bin into {folders.home}/weights"


def test_a_stated_digest_is_believed_and_nothing_is_pinned(folders: Folders) -> None:
    family, path = Files(), put(folders, "home", "stated.bin", GOOD)
    assert family.untried(STATED, folders) is None
    assert family.ready(STATED, folders) == STATED
    family.load(STATED, folders, "cpu")
    assert (family.inspected, family.opened) == ([], [(STATED, path)])
    assert pins(folders) == {}


def test_altered_weights_are_not_opened(folders: Folders) -> None:
    family = Files()
    put(folders, "real", "stated.bin", b"something else")
    other = hashlib.sha256(b"something else").hexdigest()
    for refuses in (
        lambda: family.ready(STATED, folders),
        lambda: family.load(STATED, folders, "cpu"),
    ):
        with pytest.raises(UserError, match=f"{other}.*{STATED.sha256}"):
            refuses()
    assert family.opened == []


def test_weights_without_a_stated_digest_are_tried_looked_into_and_pinned(folders: Folders) -> None:
    family, path = Files(), put(folders, "home", "unstated.bin", GOOD)
    pinned = replace(UNSTATED, sha256=hashlib.sha256(GOOD).hexdigest())
    assert family.untried(UNSTATED, folders) == pinned
    assert family.opened == []
    assert pins(folders) == {}  # not before it was tried
    family.load(UNSTATED, folders, "cpu")
    assert family.inspected == [path]
    assert family.opened == [(pinned, path)]
    assert pins(folders) == {"unstated.bin": pinned.sha256}
    assert family.untried(UNSTATED, folders) is None  # vouched for by now
    path.write_bytes(b"changed since")
    with pytest.raises(UserError, match="altered or damaged"):
        family.load(UNSTATED, folders, "cpu")


def test_a_wrong_file_is_not_pinned(folders: Folders) -> None:
    family, path = Files(), put(folders, "home", "unstated.bin", b"wrong")
    with pytest.raises(UserError, match="not what its card says"):
        family.ready(UNSTATED, folders)
    assert pins(folders) == {}
    path.write_bytes(GOOD)  # the right one is then welcome
    assert family.ready(UNSTATED, folders).sha256 == hashlib.sha256(GOOD).hexdigest()


def test_a_users_own_file_is_always_tried_and_looked_into(folders: Folders, tmp_path: Path) -> None:
    family, path = Files(), tmp_path / "own.bin"
    family.scheme = "bin"
    path.write_bytes(GOOD)
    card = replace(STATED, location=f"bin:{path}")
    assert family.untried(card, folders) == card
    assert family.ready(card, folders) == card
    family.load(card, folders, "cpu")
    assert (family.inspected, family.opened) == ([path], [(card, path)])
    assert pins(folders) == {}
