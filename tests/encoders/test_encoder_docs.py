"""The page on adding an encoder: its card file, its export and its package, used as it says."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import torch

import bench.encoders
from bench.encoders.card_schema import CardFile
from bench.encoders.preprocessing import sample
from bench.types import EncoderCard, Folders, Preprocessing

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "add-an-encoder.md").read_text("utf-8")
CARD, ENTRY_POINT = re.findall(r"^```toml\n(.*?)^```", PAGE, re.S | re.M)


def module(number: int, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)
    page = ModuleType(f"page_{number}")
    monkeypatch.setitem(sys.modules, page.__name__, page)
    exec(compile(blocks[number], f"add-an-encoder.md[{number}]", "exec"), page.__dict__)
    return page


def test_the_card_file_of_the_page_makes_an_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = torch.nn.Sequential(torch.nn.AvgPool2d(28), torch.nn.Flatten(), torch.nn.Linear(48, 512))
    module(0, monkeypatch).export(network, 112, tmp_path / "my-net.onnx")
    (tmp_path / "my-net.card.toml").write_text(CARD, encoding="utf-8")
    encoder = bench.encoders.load(f"onnx:{tmp_path}/my-net.onnx", Folders(home=str(tmp_path)))
    assert encoder.card.name == "my-net"
    assert encoder.card.preprocessing == Preprocessing(mean=(127.5,) * 3, std=(127.5,) * 3)
    assert encoder.embed(sample(112, 2)).shape == (2, 512)


def test_the_page_names_every_key_of_a_card_file() -> None:
    named = set(re.findall(r"^(?:# )?(\w+) = ", CARD, re.M)) | set(re.findall(r"`(margin|parameters)`", PAGE))
    assert named == set(CardFile.model_fields)
    required = {name for name, field in CardFile.model_fields.items() if field.is_required()}
    [sentence] = re.findall(r"^- Required: (.*?)\.", PAGE, re.M | re.S)
    assert set(re.findall(r"`(\w+)`", sentence)) == required


def test_the_package_of_the_page_is_a_family(monkeypatch: pytest.MonkeyPatch) -> None:
    group = tomllib.loads(ENTRY_POINT)["project"]["entry-points"]
    assert group == {"cloakbench.encoders": {"my-nets": "my_package.encoders"}}
    squares = module(2, monkeypatch)
    monkeypatch.setitem(sys.modules, "my_package", ModuleType("my_package"))
    monkeypatch.setitem(sys.modules, "my_package.squares", squares)
    family = module(3, monkeypatch)
    [card] = family.cards()
    assert isinstance(card, EncoderCard)
    assert len(card.sha256) == 64
    assert family.load(card, Folders(home=""), "cpu").embed(sample(112, 2)).shape == (2, card.dimensions)
