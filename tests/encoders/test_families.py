"""A family of encoders is one file: a new one is everywhere as soon as the file is there."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

import bench
from bench import encoders
from bench.cli import app
from bench.encoders import families
from bench.encoders.families import facenet
from bench.encoders.preprocessing import sample
from bench.errors import UserError
from bench.records.record import CellRecord
from bench.store import code
from bench.types import ARCFACE_CROP, Folders

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "add-an-encoder.md").read_text("utf-8")
[SQUARES] = [
    block for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M) if "FAMILY = " in block
]
"""The file of a family, as the page on adding encoders has it."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of the package `bench.encoders.families`: a file in it is as one beside the others."""
    second = tmp_path / "encoders" / "families"
    second.mkdir(parents=True)
    monkeypatch.setattr(families, "__path__", [*families.__path__, str(second)])
    monkeypatch.setattr(bench, "__path__", [*bench.__path__, str(tmp_path)])  # where code is looked for
    code.forget()
    yield second
    code.forget()
    for path in second.glob("*.py"):
        sys.modules.pop(f"{families.__name__}.{path.stem}", None)
        vars(families).pop(path.stem, None)


@pytest.fixture
def squares(folder: Path) -> Folders:
    """The one file."""
    (folder / "squares.py").write_text(SQUARES, encoding="utf-8")
    return Folders(home=str(folder / "home"))


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_new_family_is_listed(squares: Folders) -> None:
    assert encoders.names()[-1] == "squares"
    assert {card.name: state for card, state in encoders.availability(squares)}["squares"] == "ready"


@pytest.mark.usefixtures("squares")
def test_a_new_family_is_in_bench_list_and_in_bench_doctor() -> None:
    listed = json.loads(printed("list", "encoders", "--json"))["encoders"]
    assert listed["squares"] == "mean colours of a 3 x 3 grid; trained on none; ready"
    states = {row["subject"]: row["state"] for row in json.loads(printed("doctor", "--json"))}
    assert states["encoder squares"] == "ready"


def test_a_new_family_embeds(squares: Folders) -> None:
    encoder = encoders.load("squares", squares)
    assert encoder.card == encoders.ready("squares", squares)
    crops = sample(112, 2)
    colours = torch.nn.functional.adaptive_avg_pool2d(crops, 3).flatten(1)
    torch.testing.assert_close(encoder.embed(crops), torch.nn.functional.normalize(colours))


def run() -> CellRecord:
    records = bench.run(
        dataset="synthetic:people=12,photos-each=6",
        defense="pgd:steps=1",
        attacker="dbscan",
        encoder="squares",
        surrogate="squares",
        users=2,
        photos=4,
        background=2,
        device="cpu",
    )
    return next(iter(records))


def test_a_new_family_runs_and_a_change_of_its_code_is_computed_anew(
    squares: Folders, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del squares
    record = run()
    assert (record.status, record.encoder.name, record.knowledge) == ("ok", "squares", "white-box")
    # another family's code changes: nothing of this cell was computed by it
    with monkeypatch.context() as patch:
        read, other = code._tree, Path(str(facenet.__file__))
        patch.setattr(code, "_tree", lambda path: read(path) + (path == other) * "!")
        code.code_of.cache_clear()
        assert run().cost.reused
    with (folder / "squares.py").open("a", encoding="utf-8") as file:
        file.write("\nNEW = True\n")
    code.forget()
    again = run().cost
    assert not again.reused
    assert again.cache_hits["face"] > 0
    assert "embedding" not in again.cache_hits
    assert again.cache_hits["cloak"] == 1  # noise of equal norm, which looks at no encoder


def test_a_family_that_ships_its_weights_comes_first(folder: Path) -> None:
    text = SQUARES.replace("    def cards", "    built_in = True\n\n    def cards")
    (folder / "squares.py").write_text(text, encoding="utf-8")
    order = encoders.names()
    assert "squares" in encoders.built_in()
    assert order[: len(encoders.built_in())] == encoders.built_in()


def test_two_encoders_of_one_name_are_refused(folder: Path) -> None:
    (folder / "squares.py").write_text(SQUARES.replace('"squares"', '"synth-ir"'), encoding="utf-8")
    with pytest.raises(UserError, match="two plug-ins call themselves encoder 'synth-ir'"):
        encoders.names()


def test_the_order_is_that_of_the_page() -> None:
    # built-in families first, then by the name of the module; within a family, as it lists its cards
    assert encoders.names() == [
        *("synth-inc", "synth-ir", "synth-vit"),
        "dlib",
        *("facenet-vggface2", "facenet-casia"),
        *("buffalo_l", "buffalo_s", "antelopev2"),
        *("insightface_mobilefacenet_y1", "mfn_espdl", "mobilefacenet_casia_xiaoccer"),
        *("mobileface_v2", "mobileface_v3"),
    ]
    assert list(encoders.forms()) == ["onnx:FILE", "torchscript:FILE"]


def test_every_module_of_the_folder_is_a_family() -> None:
    names = {path.stem for path in Path(families.__file__).parent.iterdir()} - {"__init__", "__pycache__"}
    assert {type(family).__module__.rpartition(".")[2] for family in families.own()} == names


def test_every_card_belongs_to_one_family() -> None:
    for name in encoders.names():
        family, card = encoders.lookup(name)
        assert [other for other in families.own() if other.owns(card)] == [family]


def test_a_card_of_no_family_is_one_line(squares: Folders) -> None:
    card = encoders.ready("squares", squares)
    with pytest.raises(UserError, match="encoder 'squares' is from 'plugin:gone', which is not installed"):
        encoders.load(replace(card, location="plugin:gone"), squares)


def test_an_identity_is_what_it_was(squares: Folders) -> None:
    # it is part of the digests of cells: name, digest, crop, preprocessing, dimensions, and what
    # knowledge is derived from
    card = encoders.ready("squares", squares)
    template = [list(point) for point in ARCFACE_CROP.template]
    assert encoders.identity(card) == [
        "squares",
        64 * "0",
        {"size": 112, "kind": "similarity", "template": template, "margin": 0.0},
        {"colour": "rgb", "mean": 3 * [0.0], "std": 3 * [255.0], "layout": "nchw"},
        27,
        "mean colours of a 3 x 3 grid",
        "none",
    ]
