"""The examples of docs/add-*.md, run as they stand on the page."""

from __future__ import annotations

import re
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from bench.encoders.onnx_file import OnnxEncoder
from bench.metrics.clustering import bcubed_objective
from bench.protocols import Descent, Ground, Kit
from bench.types import ARCFACE_CROP, Album, Budget, EncoderCard, Folders, Gallery

DOCS = Path(__file__).resolve().parents[2] / "docs"
RNG = np.random.Generator(np.random.Philox(7))


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a module of the nth Python block of a page."""

    def load(page: str, number: int) -> ModuleType:
        blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.S | re.M)
        module = ModuleType(f"example_{number}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(blocks[number], f"{page}[{number}]", "exec"), module.__dict__)
        if hasattr(module, "PLUGIN"):
            assert is_dataclass(module.PLUGIN)
            assert "card" not in {f.name for f in fields(module.PLUGIN)}
        return module

    return load


def people(count: int, photos: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit embeddings in tight groups, and whose they are."""
    centres = np.repeat(np.eye(count, 16, dtype=np.float32), photos, 0)
    rows = centres + 0.05 * RNG.standard_normal(centres.shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), np.repeat(np.arange(count), photos)


def album() -> Album:
    photos = tuple(RNG.integers(0, 256, (24, 20, 3), np.uint8) for _ in range(3))
    return Album(photos, (None,) * 3, ("a", "b", "c"))


def test_a_defense_spends_its_budget_and_no_more(example: Any) -> None:
    defense = example("add-a-defense.md", 0).PLUGIN()
    given = album()
    before = [p.copy() for p in given.photos]
    kit = Kit(Budget.parse("linf:8"), 0, (), Album((), (), ()), engine=None, device="cpu")  # type: ignore[arg-type]  # not used
    [released] = defense.cloak([given], kit)
    for original, copy, cloak in zip(given.photos, before, released, strict=True):
        assert np.array_equal(original, copy)
        assert (cloak.shape, cloak.dtype) == (original.shape, np.uint8)
        assert np.abs(cloak.astype(int) - original).max() == 8


def test_a_goal_falls_with_the_cosine_and_knows_when_it_is_reached(example: Any) -> None:
    defense = example("add-a-defense.md", 1).PLUGIN(enough=0.5)
    seen: dict[str, Any] = {}

    class Engine:
        def cloak(self, albums: Any, kit: Any, goal: Any, descent: Descent) -> list[list[None]]:
            seen.update(goal=goal, steps=descent.steps)
            return [[None] * len(a.photos) for a in albums]

    kit = Kit(Budget.parse("linf:8"), 0, (), Album((), (), ()), Engine(), "cpu")  # type: ignore[arg-type]  # only cloak
    assert defense.cloak([album()], kit) == [[None, None, None]]
    assert seen["steps"] == 20
    clean = torch.eye(3)
    ground = Ground(clean, torch.tensor([0, 0, 1]), torch.eye(3), ("a", "b", "c"), 0)
    # photo 2 is where it was, photo 0 is at a right angle to it
    loss, reached = seen["goal"](ground)(clean[[2, 1]], torch.tensor([2, 0]), clean)
    assert loss.tolist() == [1.0, 0.0]
    assert reached.tolist() == [False, True]


def test_a_clusterer_finds_groups_after_calibration(example: Any) -> None:
    attacker = example("add-an-attacker.md", 0).PLUGIN()
    embeddings, owners = people(4, 5)
    with pytest.raises(ValueError, match="calibrate"):
        attacker.cluster(embeddings)
    tuned = attacker.calibrated(embeddings, owners, bcubed_objective)
    lone = np.full((1, 16), -0.25, np.float32)
    labels = tuned.cluster(np.concatenate([embeddings, lone]))
    assert labels.dtype == np.int64
    assert labels[-1] == -1
    assert [len(set(labels[owners_of])) for owners_of in np.split(np.arange(20), 4)] == [1, 1, 1, 1]
    assert len(set(labels[:-1])) == 4


def test_an_identifier_ranks_the_right_person_first(example: Any) -> None:
    embeddings, owners = people(4, 5)
    attacker = example("add-an-attacker.md", 1).PLUGIN().calibrated(embeddings, owners)
    ranked = attacker.rank(embeddings, Gallery(embeddings, owners), 3)
    assert ranked.shape == (20, 3)
    assert (ranked[:, 0] == owners).all()


def test_a_dataset_opens_lists_and_reads(example: Any, tmp_path: Path) -> None:
    module = example("add-a-dataset.md", 0)
    folders = Folders(home=str(tmp_path))
    with pytest.raises(module.UserError, match="no photos"):
        module.PLUGIN().open(folders)
    for name in ("b/2.jpg", "a/1.jpg"):
        path = tmp_path / "data" / "albums" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode())
    opened = module.PLUGIN().open(folders)
    assert (opened.catalogue().photos, opened.catalogue().identities) == (("a/1.jpg", "b/2.jpg"), ("a", "b"))
    assert opened.read(["b/2.jpg"]) == [b"b/2.jpg"]
    revision = opened.card.revision
    path.write_bytes(b"another")
    assert module.PLUGIN().open(folders).card.revision != revision


def card(dimensions: int) -> EncoderCard:
    return EncoderCard("my-net", "tiny", "", ARCFACE_CROP, dimensions, 0, "", "", "", "")


def test_an_exported_network_is_an_encoder_with_a_twin(example: Any, tmp_path: Path) -> None:
    module = example("add-an-encoder.md", 0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, 8)
        )
    path = tmp_path / "my-net.onnx"
    module.export(network, 112, path)
    encoder = OnnxEncoder(card(8), path)
    crops = torch.from_numpy(RNG.random((3, 3, 112, 112), np.float32))
    embedded = encoder.embed(crops)
    with torch.no_grad():
        truth = torch.nn.functional.normalize(network(crops.flip(1) * 2 - 1))
        twin = torch.nn.functional.normalize(encoder.twin()(crops))
    assert torch.allclose(embedded, truth, atol=1e-5)
    assert torch.allclose(twin, truth, atol=1e-5)


def test_a_card_is_a_card(example: Any) -> None:
    assert isinstance(example("add-an-encoder.md", 1).CARD, EncoderCard)


def test_a_family_embeds_alike_in_any_batch(example: Any) -> None:
    encoder = example("add-an-encoder.md", 2).Squares(card(27))
    crops = torch.from_numpy(RNG.random((3, 3, 112, 112), np.float32))
    embedded = encoder.embed(crops)
    assert embedded.shape == (3, 27)
    assert torch.allclose(embedded.norm(dim=1), torch.ones(3))
    assert torch.equal(encoder.embed(crops[1:2])[0], embedded[1])
    assert torch.allclose(torch.nn.functional.normalize(encoder.twin()(crops)), embedded)
