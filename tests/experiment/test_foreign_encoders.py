"""A product's thresholds belong to an encoder: the record says which were used, and whether they belong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from bench import encoders, registry
from bench.adaptations import ensembles
from bench.adaptations.methods import FineTune, Unchanged
from bench.attack.encoder_at_hand import behind, foreign_flags
from bench.plan.chosen import Chosen
from bench.plan.nouns import Attack, View
from bench.records.record import CellRecord
from bench.types import FlagCode

CARD = encoders.lookup("buffalo_l")[1]


def view(adaptation: object = None) -> View:
    adapted = Chosen("finetune" if adaptation else "none", adaptation or Unchanged())
    return View(CARD, (CARD,), adapted, {"name": "mtcnn"})


def attack(name: str) -> Attack:
    return Attack(Chosen(*registry.make("attackers", name)))


def test_a_record_has_the_default_numbers_and_a_flag_where_the_encoder_is_foreign(
    one: Callable[..., CellRecord],
) -> None:
    record = one(attackers=("photoprism",))
    assert record.attacker.parameters["link"] is None
    assert record.calibrated["link"] == 0.78
    (flag,) = [flag for flag in record.flags if flag.code is FlagCode.FOREIGN_ENCODER]
    assert flag.reason == "thresholds of SFace used with synth-ir"


def test_who_gives_all_numbers_gives_thresholds_for_the_encoder_at_hand(
    one: Callable[..., CellRecord],
) -> None:
    record = one(attackers=("photoprism:link=0.9,radius=0.7,match=0.4",))
    assert (record.calibrated["link"], record.calibrated["core"]) == (0.9, 5)
    assert not [flag for flag in record.flags if flag.code is FlagCode.FOREIGN_ENCODER]


def test_an_attacker_without_such_thresholds_is_left_as_it_is(one: Callable[..., CellRecord]) -> None:
    assert not [f for f in one(attackers=("dbscan",)).flags if f.code is FlagCode.FOREIGN_ENCODER]
    plain = attack("dbscan")
    assert behind(plain, view()) is plain


@pytest.mark.parametrize(("name", "link"), [("photoprism", 1.07)])
def test_the_familys_own_numbers_are_used_without_a_flag(name: str, link: float) -> None:
    plugin = behind(attack(name), view()).attacker.plugin
    assert plugin.link == link
    assert foreign_flags(plugin, view()) == []


def test_a_network_that_the_attacker_trained_further_is_of_no_family() -> None:
    trained = view(FineTune())
    plugin = behind(attack("photoprism"), trained).attacker.plugin
    assert plugin.link == 0.78
    (flag,) = foreign_flags(plugin, trained)
    assert flag.reason == "thresholds of SFace used with buffalo_l after finetune"


def test_an_ensemble_is_of_no_family() -> None:
    joined, members = ensembles.parse("buffalo_l+buffalo_s", lambda name: encoders.lookup(name)[1])
    (flag,) = foreign_flags(
        attack("immich").attacker.plugin, replace(view(), encoder=joined, members=members)
    )
    assert flag.reason == "thresholds of InsightFace w600k_r50 used with buffalo_l+buffalo_s"
