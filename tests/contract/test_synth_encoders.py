"""What the built-in encoders promise, over the weights and cards that are shipped. Without them it fails."""

from __future__ import annotations

import hashlib
import json
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.encoders.families import synth
from bench.encoders.families.synth.nets import DIMENSIONS, NETS, skeleton
from bench.encoders.networks import embed as embed_with
from bench.errors import UserError
from bench.metrics.verification import auc
from bench.training.card import ARCHITECTURES, reference_crop
from bench.training.evaluate import detected
from bench.training.figures import embedded
from bench.training.photos import Order, Photos, draw, population
from bench.types import Crop

ROLES = ("training_identities", "validation_identities", "test_identities")
RATES = ("auc", "eer", "tar_far_1e2", "tar_far_1e3", "clean_cfr_dbscan", "detected")
COSINES = ("cosine_jpeg_q75", "cosine_jpeg_q30", "cosine_sign_noise_8", "cosine_gaussian_noise_16")

# the names come from the networks, not from the folder: a card that is missing is a failure, not no test
every = pytest.mark.parametrize("name", sorted(NETS))


def stated(name: str) -> dict[str, Any]:
    """All of a card, also what an EncoderCard has no field for."""
    card: dict[str, Any] = json.loads((synth.FOLDER / f"{name}.json").read_text("utf-8"))
    return card


def identities(card: dict[str, Any], role: str) -> range:
    first, last = card[role]
    return range(first, last + 1)


def apart(first: range, second: range) -> bool:
    return max(first.start, second.start) >= min(first.stop, second.stop)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Photos:
    """12 test people, 3 photos each."""
    return draw(Order(population("test")[0], 12, 3), tmp_path_factory.mktemp("drawn") / "test")


@pytest.fixture(scope="module")
def crops() -> torch.Tensor:
    """Smooth random squares: nearer to photos than noise is."""
    coarse = torch.rand(7, 3, 9, 9, generator=torch.Generator().manual_seed(5))
    return torch.nn.functional.interpolate(coarse, (112, 112), mode="bicubic").clamp(0, 1)


def test_each_network_is_shipped_with_its_card_and_nothing_else_is() -> None:
    files = {path.name for path in synth.FOLDER.iterdir()}
    assert files == {f"{name}.{kind}" for name in NETS for kind in ("json", "safetensors")}
    assert [card.name for card in synth.cards()] == sorted(NETS)


def test_all_weights_together_are_under_six_megabytes() -> None:
    assert sum((synth.FOLDER / f"{name}.safetensors").stat().st_size for name in NETS) < 6_000_000


@every
def test_the_file_is_the_one_its_card_names(name: str) -> None:
    content = (synth.FOLDER / f"{name}.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest() == stated(name)["sha256"]


@every
def test_the_card_describes_the_network(name: str) -> None:
    card, read = stated(name), synth.card_of(synth.FOLDER / f"{name}.json")
    assert read.architecture == ARCHITECTURES[name]
    assert read.dimensions == DIMENSIONS
    assert read.parameters == sum(p.numel() for p in skeleton(name).parameters())
    template = tuple(tuple(point) for point in card["crop"]["template"])
    assert Crop(**{**card["crop"], "template": template}) == read.crop
    first, last = card["training_identities"]
    assert read.training_set == f"synthetic faces {first}-{last}"


@every
def test_embeddings_have_unit_length(name: str, crops: torch.Tensor) -> None:
    out = synth.load(name).embed(crops)
    assert out.shape == (len(crops), DIMENSIONS)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out.norm(dim=1), torch.ones(len(crops)), atol=1e-6, rtol=0)


@every
def test_a_crop_has_the_same_bits_in_any_company(name: str, crops: torch.Tensor) -> None:
    encoder = synth.load(name)
    whole = encoder.embed(crops)
    assert torch.equal(encoder.embed(crops.flip(0)), whole.flip(0))
    for at in range(len(crops)):
        assert torch.equal(encoder.embed(crops[at : at + 1]), whole[at : at + 1])


@every
def test_an_encoder_made_anew_gives_the_same_bits(name: str, crops: torch.Tensor) -> None:
    first = synth.load(name).embed(crops)
    synth._network.cache_clear()
    assert torch.equal(synth.load(name).embed(crops), first)


@every
def test_the_twin_is_the_same_function(name: str, crops: torch.Tensor) -> None:
    encoder = synth.load(name)
    assert torch.equal(embed_with(encoder.twin(), crops, name, DIMENSIONS), encoder.embed(crops))
    assert encoder.runtime == f"torch {torch.__version__} cpu"


@every
def test_the_reference_embedding_is_reproduced(name: str) -> None:
    # on the machine that wrote the card the bits agree; on others sums may be taken in another order
    expected = torch.tensor(stated(name)["reference_embedding"])
    torch.testing.assert_close(synth.load(name).embed(reference_crop())[0], expected, atol=1e-3, rtol=0)


@every
def test_altered_weights_are_refused_with_both_digests(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("json", "safetensors"):
        shutil.copy(synth.FOLDER / f"{name}.{kind}", tmp_path)
    weights = tmp_path / f"{name}.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1  # one bit of one weight
    weights.write_bytes(content)
    monkeypatch.setattr(synth, "FOLDER", tmp_path)
    with pytest.raises(UserError) as caught:
        synth.load(name)
    message = str(caught.value)
    assert stated(name)["sha256"] in message
    assert hashlib.sha256(content).hexdigest() in message
    assert "\n" not in message


@every
def test_missing_weights_are_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(synth.FOLDER / f"{name}.json", tmp_path)
    monkeypatch.setattr(synth, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=f"encoder '{name}' needs .*{name}.safetensors"):
        synth.load(name)


@every
def test_training_validation_test_and_benchmark_share_nobody(name: str) -> None:
    card = stated(name)
    parts = [identities(card, role) for role in ROLES]
    assert all(len(part) > 0 for part in parts)
    assert all(apart(first, second) for first, second in combinations([*parts, population("benchmark")], 2))


def test_no_encoder_was_trained_or_judged_on_another_ones_training_people() -> None:
    cards = {name: stated(name) for name in NETS}
    for first, second in combinations(NETS, 2):
        for role in ROLES:
            assert apart(identities(cards[first], "training_identities"), identities(cards[second], role))
            assert apart(identities(cards[second], "training_identities"), identities(cards[first], role))


@every
def test_the_card_says_how_it_was_measured_and_trained(name: str) -> None:
    card = stated(name)
    measured = card["measured"]
    assert all(0 <= measured[rate] <= 1 for rate in RATES)
    assert all(-1 <= measured[cosine] <= 1 for cosine in COSINES)
    assert measured["alignment"] == "MTCNN"
    assert measured["command"].startswith("python -m bench.training.evaluate")
    for role in ROLES[1:]:
        assert len(identities(card, role)) == measured["people"]
    training = card["training"]
    assert training["command"].startswith(f"python -m bench.training --encoder {name} ")
    assert training["samples"] == training["steps"] * training["recipe"]["batch"]
    assert len(training["renderer"]) == len(measured["renderer"]) == 64


@every
def test_the_card_is_true_of_what_is_drawn_today(name: str, photos: Photos) -> None:
    # 12 people: 36 genuine and 594 impostor pairs, so the area may be off by a few hundredths
    seen = detected(photos)
    assert seen.detected.mean() > 0.8
    embeddings = embedded(synth.load(name).embed, photos.pixels[seen.detected], seen.landmarks[seen.detected])
    people = photos.people[seen.detected]
    i, j = np.triu_indices(len(people), 1)
    cosines, same = (embeddings @ embeddings.T)[i, j], people[i] == people[j]
    measured, expected = auc(cosines[same], cosines[~same]).value, stated(name)["measured"]["auc"]
    assert measured == pytest.approx(expected, abs=0.05)
