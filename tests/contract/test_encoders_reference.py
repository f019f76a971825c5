"""Preprocessing pinned by numbers: what each encoder gives for one drawn square, whose colours all differ.

Another order of colours, another scale or another layout gives other numbers. To record them anew, with
BENCH_REAL_DATA set: `python tests/contract/test_encoders_reference.py > reference_embeddings.json`.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import bench.encoders
from bench.encoders.families.onnx_file.cards import CARDS as ONNX
from bench.types import Folders, Preprocessing

FILE = Path(__file__).with_name("reference_embeddings.json")
PINNED: dict[str, list[float]] = json.loads(FILE.read_text("utf-8")) if FILE.is_file() else {}
BUILT_IN = bench.encoders.built_in()
SHOWN = 8
"""How many numbers of each embedding are kept."""


def drawn(size: int) -> torch.Tensor:
    """A square in closed form, [1, 3, size, size] in [0, 1]: nothing drawn at random, nothing decoded."""
    y, x = np.mgrid[0:size, 0:size] / size
    face = np.exp(-(((x - 0.5) / 0.3) ** 2) - ((y - 0.55) / 0.4) ** 2)
    eyes = sum(np.exp(-(((x - at) / 0.06) ** 2) - ((y - 0.45) / 0.03) ** 2) for at in (0.34, 0.66))
    mouth = np.exp(-(((x - 0.5) / 0.15) ** 2) - ((y - 0.8) / 0.03) ** 2)
    red = 0.15 + 0.7 * face - 0.5 * eyes - 0.1 * mouth
    green = 0.25 + 0.45 * face - 0.4 * eyes - 0.3 * mouth
    blue = 0.45 + 0.2 * face - 0.4 * eyes - 0.25 * mouth + 0.1 * np.sin(9 * x)
    return torch.from_numpy(np.stack([red, green, blue]).clip(0, 1).astype(np.float32))[None]


def embedded(name: str, folders: Folders) -> list[float]:
    encoder = bench.encoders.load(name, folders)
    return [float(v) for v in encoder.embed(drawn(encoder.card.crop.size))[0, :SHOWN]]


@pytest.mark.parametrize(
    "name", [*BUILT_IN, *(pytest.param(card.name, marks=pytest.mark.real) for card in ONNX)]
)
def test_an_encoder_gives_the_numbers_that_were_recorded(
    name: str, request: pytest.FixtureRequest, bench_home: Path
) -> None:
    real = None if name in BUILT_IN else str(request.getfixturevalue("real_data"))
    numbers = embedded(name, Folders(home=str(bench_home), real_data=real))
    assert numbers == pytest.approx(PINNED[name], abs=1e-4)


@pytest.mark.parametrize("name", BUILT_IN)
def test_other_colours_would_be_noticed(name: str, bench_home: Path) -> None:
    encoder = bench.encoders.load(name, Folders(home=str(bench_home)))
    swapped = encoder.embed(drawn(encoder.card.crop.size).flip(1))[0, :SHOWN].tolist()
    assert swapped != pytest.approx(PINNED[name], abs=1e-2)


def test_nothing_is_pinned_that_does_not_exist() -> None:
    assert set(PINNED) == {*BUILT_IN, *(card.name for card in ONNX)}


def test_a_cards_preprocessing_is_in_the_identity() -> None:
    card = ONNX[0]
    other = replace(card, preprocessing=Preprocessing(colour="bgr"))
    assert bench.encoders.identity(card) != bench.encoders.identity(other)


def main() -> None:
    """Print the reference embeddings of all encoders that are here."""
    folders = Folders(home=os.environ["BENCH_HOME"], real_data=os.environ["BENCH_REAL_DATA"])
    names = [*BUILT_IN, *(card.name for card in ONNX)]
    numbers = {name: [round(v, 6) for v in embedded(name, folders)] for name in names}
    sys.stdout.write("{\n" + ",\n".join(f"{json.dumps(k)}: {v}" for k, v in numbers.items()) + "\n}\n")


if __name__ == "__main__":
    main()
