"""What every defense promises: one promise a line, over every name in the registry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bench import registry
from bench.errors import UserError
from bench.metrics.perceptual import perceptual_cost
from bench.optim.engine import CloakingEngine
from bench.protocols import Kit
from bench.types import ARCFACE_CROP, BUDGETS, Album, Budget, EncoderCard, Face, Image

NAMES = registry.names("defenses")
BOUNDED = [n for n in NAMES if registry.load("defenses", n).card.bounded]
LEVELS = [n for n in BOUNDED if "linf" in registry.load("defenses", n).card.keeps]
WITHIN = {"none", "foggysight"}
"""Names of defenses that need not spend a budget of levels in three steps."""
UNBOUNDED = [n for n in NAMES if n not in BOUNDED]
OPTIMISING = [n for n in NAMES if registry.load("defenses", n).card.surrogates]
CHANGING = [n for n in NAMES if n != "none"]
ENGINE = CloakingEngine("cpu", precision="fp32")
MISSING = 1


class TinyEncoder:
    """A random projection of a pooled crop: an encoder that costs nothing."""

    def __init__(self) -> None:
        self.card = EncoderCard("tiny", "tiny", "none", ARCFACE_CROP, 16, 0, "", "", "", "0")
        self.runtime = "torch"
        generator = torch.Generator().manual_seed(0)
        linear = nn.Linear(3 * 28 * 28, 16)
        linear.weight.data = torch.randn(linear.weight.shape, generator=generator)
        linear.weight.data -= linear.weight.data.mean(1, keepdim=True)
        linear.bias.data.zero_()
        self.network = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), linear).eval()

    def twin(self) -> nn.Module:
        return self.network

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return nn.functional.normalize(self.network(crops), dim=1)


def album(seed: int, photos: int, missing: Sequence[int] = ()) -> Album:
    """Photos of differing sizes, with a face that is not in the middle."""
    rng = np.random.default_rng(seed)
    pixels, faces = [], []
    for i in range(photos):
        height, width = (int(v) for v in rng.integers(90, 140, 2))
        pixels.append(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        points = (np.array(ARCFACE_CROP.template) - 55.5) * 0.6 + [width * 0.45, height * 0.55]
        low, high = points.min(0) - 10, points.max(0) + 10
        face = Face((*low, *high), tuple((float(x), float(y)) for x, y in points), 0.9)
        faces.append(None if i in missing else face)
    return Album(tuple(pixels), tuple(faces), tuple(f"{seed}-{i}" for i in range(photos)))


ALBUMS = [album(1, 3, missing=[MISSING]), album(2, 1)]
REFERENCE = album(3, 12)


def a_kit(name: str, budget: str | None = None, seed: int = 0) -> Kit:
    own = registry.load("defenses", name).card
    usual = "linf:8" if "linf" in own.keeps else BUDGETS[own.keeps[0]].example if own.bounded else "unbounded"
    surrogates = (TinyEncoder(),) if own.surrogates else ()
    return Kit(Budget.parse(budget or usual), seed, surrogates, REFERENCE, ENGINE, "cpu")


def cloak(
    name: str, budget: str | None = None, seed: int = 0, albums: Sequence[Album] = ALBUMS
) -> list[list[Image | None]]:
    defense = registry.make("defenses", f"{name}:steps=3" if name in OPTIMISING else name)[1]
    released: list[list[Image | None]] = defense.cloak(albums, a_kit(name, budget, seed))
    return released


@dataclass(frozen=True)
class Pair:
    old: Image
    new: Image
    face: Face


def pairs(released: list[list[Image | None]], albums: Sequence[Album] = ALBUMS) -> list[Pair]:
    return [
        Pair(old, new, face)
        for own, out in zip(albums, released, strict=True)
        for old, face, new in zip(own.photos, own.faces, out, strict=True)
        if new is not None and face is not None
    ]


def same(one: list[list[Image | None]], other: list[list[Image | None]]) -> bool:
    return all(
        (a is None and b is None) or (a is not None and b is not None and np.array_equal(a, b))
        for x, y in zip(one, other, strict=True)
        for a, b in zip(x, y, strict=True)
    )


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_frozen_dataclass_with_a_default_for_every_parameter(name: str) -> None:
    plugin = registry.load("defenses", name)
    assert is_dataclass(plugin)
    with pytest.raises(FrozenInstanceError):
        setattr(plugin(), "anything", 1)  # noqa: B010 - mypy knows that it has no such field
    assert plugin() == plugin()


@pytest.mark.parametrize("name", NAMES)
def test_its_docstring_names_its_source_and_every_parameter(name: str) -> None:
    plugin = registry.load("defenses", name)
    text: str = plugin.__doc__ or ""
    control = plugin.card.source == "control"
    cited = re.search(r"arXiv|et al\.|\([A-Z]\w+ and [A-Z]\w+ \d{4}\)", text)
    assert "control" in text if control else cited
    assert all(f"{f.name}:" in text for f in fields(plugin))


@pytest.mark.parametrize("name", NAMES)
def test_its_card_says_what_it_is_in_one_line(name: str) -> None:
    card = registry.load("defenses", name).card
    assert card.summary
    assert "\n" not in card.summary
    assert card.source


@pytest.mark.parametrize("name", NAMES)
def test_it_releases_eight_bit_photos_of_the_same_shape(name: str) -> None:
    for pair in pairs(cloak(name)):
        assert pair.new.dtype == np.uint8
        assert pair.new.shape == pair.old.shape


@pytest.mark.parametrize("budget", [8.0, 4.0, 1.0, 0.5])
@pytest.mark.parametrize("name", LEVELS)
def test_it_keeps_its_budget(name: str, budget: float) -> None:
    for pair in pairs(cloak(name, f"linf:{budget}")):
        assert np.abs(pair.new.astype(int) - pair.old).max() <= budget


@pytest.mark.parametrize("name", [n for n in LEVELS if n not in WITHIN])
def test_it_spends_its_budget(name: str) -> None:
    for pair in pairs(cloak(name, "linf:4")):
        assert np.abs(pair.new.astype(int) - pair.old).max() == 4


LIKENESS = [
    (name, f"{kind}:{value}")
    for name in BOUNDED
    for kind, value in (("dssim", 0.02), ("dssim", 0.2), ("ssim", 0.9))
    if kind in registry.load("defenses", name).card.keeps
]


@pytest.mark.parametrize(("name", "budget"), LIKENESS)
def test_it_keeps_a_budget_of_likeness_and_spends_it(name: str, budget: str) -> None:
    limit = Budget.parse(budget)
    largest = limit.value if limit.kind == "dssim" else (1 - limit.value) / 2
    for pair in pairs(cloak(name, budget)):
        cost = perceptual_cost(pair.old, pair.new, pair.face)
        spent = max(region.dssim for region in (cost.whole, cost.face) if region is not None)
        assert spent <= largest
        # whoever optimises is judged by what the steps reached, and three of them need not reach far
        assert spent > 0.8 * largest or name == "none" or name in OPTIMISING


@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_its_input_alone(name: str) -> None:
    before = [photo.copy() for own in ALBUMS for photo in own.photos]
    released = cloak(name)
    after = [photo for own in ALBUMS for photo in own.photos]
    assert all(np.array_equal(x, y) for x, y in zip(before, after, strict=True))
    flat = [photo for out in released for photo in out if photo is not None]
    assert not any(np.shares_memory(new, old) for new in flat for old in after)


@pytest.mark.parametrize("name", NAMES)
def test_pixels_outside_the_face_are_untouched(name: str) -> None:
    for pair in pairs(cloak(name)):
        region = ENGINE.region(pair.old, pair.face)
        assert region is not None
        assert np.array_equal(pair.new[~region], pair.old[~region])


@pytest.mark.parametrize("name", CHANGING)
def test_it_changes_the_face(name: str) -> None:
    assert all((pair.new != pair.old).any() for pair in pairs(cloak(name)))


@pytest.mark.parametrize("name", CHANGING)
def test_a_photo_without_a_face_is_not_cloaked(name: str) -> None:
    released = cloak(name)
    assert released[0][MISSING] is None
    assert sum(photo is None for out in released for photo in out) == 1


def test_no_defense_publishes_photos_without_a_face_too() -> None:
    assert all(photo is not None for out in cloak("none") for photo in out)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    assert same(cloak(name, seed=3), cloak(name, seed=3))


@pytest.mark.parametrize("name", ["noise", "pgd", "advmask"])
def test_another_seed_gives_other_bytes(name: str) -> None:
    assert not same(cloak(name, seed=3), cloak(name, seed=4))


@pytest.mark.parametrize("name", ["noise", "blur", "pixelate", "none"])
def test_a_photo_does_not_depend_on_its_place(name: str) -> None:
    whole = cloak(name, albums=ALBUMS)
    turned = cloak(name, albums=ALBUMS[::-1])
    assert same(whole, turned[::-1])


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_album_gives_an_empty_album(name: str) -> None:
    assert cloak(name, albums=[Album((), (), ()), ALBUMS[1]])[0] == []


@pytest.mark.parametrize("name", [*OPTIMISING, "noise"])
def test_without_a_bounded_budget_it_says_what_to_type(name: str) -> None:
    example = BUDGETS[registry.load("defenses", name).card.keeps[0]].example
    with pytest.raises(
        UserError, match=re.escape(f"defense {name!r} needs a budget that it can keep")
    ) as raised:
        registry.make("defenses", name)[1].check(Budget("unbounded"))
    assert f"Try --budget {example}." in str(raised.value)


@pytest.mark.parametrize("name", OPTIMISING)
def test_without_a_surrogate_it_says_what_to_type(name: str) -> None:
    kit: Any = Kit(Budget.parse("linf:8"), 0, (), REFERENCE, ENGINE, "cpu")
    with pytest.raises(UserError, match="--surrogate"):
        registry.make("defenses", name)[1].cloak(ALBUMS, kit)


@pytest.mark.parametrize(
    "text",
    [
        "noise:kind=pink",
        "blur:sigma=0",
        "pixelate:blocks=0",
        "advmask-universal:learn=0",
        "advmask:steps=0",
        "advmask:far=2",
        "advmask:jitter=-1",
        "pgd:momentum=2",
        "advmask:smoothing=-1",
        "advmask:jpeg=96",
        "advmask:reach=0",
    ],
)
def test_a_parameter_out_of_range_is_one_line(text: str) -> None:
    _, defense = registry.make("defenses", text)
    with pytest.raises(UserError) as raised:
        defense.check(Budget.parse("linf:8"))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["sign", "uniform"])
def test_noise_of_equal_likeness_is_of_one_amplitude(kind: str) -> None:
    grey = Album(tuple(np.full_like(p, 128) for p in ALBUMS[0].photos), ALBUMS[0].faces, ALBUMS[0].digests)
    defense = registry.make("defenses", f"noise:kind={kind}")[1]
    for pair in pairs(defense.cloak([grey], a_kit("noise", "dssim:0.1")), [grey]):
        region = ENGINE.region(pair.old, pair.face)
        assert region is not None
        levels = np.abs(pair.new.astype(int) - 128)[region]
        assert levels.max() > 1
        # of one amplitude, which need not be a whole number; or of all below it
        assert levels.max() - levels.min() <= 1 if kind == "sign" else levels.min() == 0


def test_sign_noise_moves_every_value_of_the_face_by_the_whole_budget() -> None:
    grey = Album(tuple(np.full_like(p, 128) for p in ALBUMS[0].photos), ALBUMS[0].faces, ALBUMS[0].digests)
    for pair in pairs(cloak("noise", "linf:4.5", albums=[grey]), [grey]):
        region = ENGINE.region(pair.old, pair.face)
        assert (np.abs(pair.new.astype(int) - 128)[region] == 4).all()
