"""`a+b`: defenses one after another, within one budget, as a cell of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest

from bench.errors import UserError
from bench.experiment.again import Again, written
from bench.experiment.session import RunResult
from bench.faces.finder import detector_parameters
from bench.machine.progress import Silent
from bench.optim.engine import CloakingEngine
from bench.plan.chosen import Chosen
from bench.plan.composition import Composition, composed
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.protocols import Kit
from bench.store.folders import folders
from bench.types import Album, Budget, Face, Image, PluginCard

Run = Callable[..., RunResult]


def album(photos: int) -> Album:
    """Photos of noise with a face in the middle; the last has none."""
    draw = np.random.default_rng(0)
    pixels = [draw.integers(30, 220, (80, 90, 3), dtype=np.uint8) for _ in range(photos)]
    points = ((35.0, 30.0), (55.0, 30.0), (45.0, 42.0), (37.0, 52.0), (53.0, 52.0))
    face = Face((25.0, 15.0, 65.0, 65.0), points, 0.9)
    faces = (*[face] * (photos - 1), None)
    return Album(tuple(pixels), faces, tuple(str(i) for i in range(photos)))


def cloaked(text: str, budget: str = "unbounded") -> list[Image | None]:
    own = album(3)
    kit = Kit(Budget.parse(budget), 0, (), own, CloakingEngine("cpu"), "cpu")
    _, defense = composed(text)
    defense.check(kit.budget)
    released: list[Image | None] = defense.cloak([own], kit)[0]
    return released


def test_each_defense_sees_what_the_one_before_released() -> None:
    both, turned, first, second = (
        cloaked(text)[0] for text in ("blur+pixelate", "pixelate+blur", "blur", "pixelate")
    )
    for one, other in pairwise((both, turned, first, second)):
        assert one is not None and other is not None and (one != other).any()


@dataclass(frozen=True)
class Brighter:
    """Add a level to every value of the face, as often as it is asked: a part that knows no original."""

    levels: int
    card: ClassVar[PluginCard] = PluginCard(summary="brighter", source="own", budgets=("linf", "dssim"))

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense`."""
        return [
            [
                None if region is None else (photo + self.levels * region[:, :, None]).astype(np.uint8)
                for photo, region in (
                    (p, kit.engine.region(p, f)) for p, f in zip(a.photos, a.faces, strict=True)
                )
            ]
            for a in albums
        ]


@pytest.mark.parametrize(("budget", "most"), [("linf:6", 6), ("unbounded", 10)])
def test_the_whole_keeps_the_budget_that_each_part_keeps(budget: str, most: int) -> None:
    own = album(3)
    kit = Kit(Budget.parse(budget), 0, (), own, CloakingEngine("cpu"), "cpu")
    both = Composition(("one", "other"), (Brighter(4), Brighter(6)))
    assert both.card.bounded and both.card.budgets == ("linf", "dssim")
    (released,) = both.cloak([own], kit)
    for old, new in zip(own.photos[:2], released, strict=False):
        assert new is not None
        assert np.abs(new.astype(int) - old).max() == most


def test_a_photo_without_a_face_is_not_cloaked() -> None:
    assert cloaked("blur+pixelate")[-1] is None


def test_a_number_may_have_a_plus() -> None:
    name, defense = composed("blur:sigma=3e-2+pixelate:blocks=8")
    assert name == "blur+pixelate"
    assert isinstance(defense, Composition)
    assert defense.parameters == {"blur.sigma": 0.03, "pixelate.blocks": 8}
    assert composed("fawkes:penalty=1e+6")[1].penalty == 1e6


def test_the_code_of_every_part_is_in_the_keys() -> None:
    modules = Chosen(*composed("advmask+blur")).modules
    assert modules == ("bench.plan.composition", "bench.defenses.advmask", "bench.defenses.blur")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("none+blur", "'none' changes nothing"),
        ("blur+blur:sigma=1", "'blur' is there twice"),
        ("blur+pixelat", "did you mean 'pixelate'"),
        ("blur:sigma=0+pixelate", "sigma 0 must be above 0"),
        ("noise+fawkes", "fawkes.* not linf:8"),
    ],
)
def test_what_cannot_be_composed_is_one_line(text: str, words: str) -> None:
    with pytest.raises(UserError, match=f"(?i){words}") as refused:
        composed(text)[1].check(Budget.parse("linf:8"))
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_it_is_a_cell_of_its_own_that_is_found_again_by_its_record(run: Run) -> None:
    result = run(defenses=("noise:kind=uniform+jpeg:quality=40", "noise+jpeg"), attackers=("dbscan",))
    assert not result.faults
    first, second = result.records
    assert first.cell != second.cell
    assert first.defense.name == "noise+jpeg"
    assert first.defense.parameters == {"noise.kind": "uniform", "jpeg.quality": 40}
    assert written(first.defense, "defenses") == "noise:kind=uniform+jpeg:quality=40"
    again = Again(first, Silent())
    assert len(again.moved().released) == 8
    again.close()


@pytest.mark.parametrize("text", ["tipim", "jpeg+tipim:steps=2"])
def test_fewer_other_people_than_a_defense_needs_are_one_line_when_cells_are_planned(
    text: str, small: RunSpec
) -> None:
    words = "needs photos of at least 10 other people.* has 2 left"
    with pytest.raises(UserError, match=words) as refused:
        resolve(replace(small, defenses=(text,)), folders(), detector_parameters(), "cpu")
    assert "\n" not in str(refused.value)


@pytest.mark.slow
def test_as_many_as_it_needs_are_enough(run: Run) -> None:
    assert not run(defenses=("tipim:steps=2,targets=2",)).faults
