"""What a defense knew of the attacker's encoder follows from digests, architectures and training sets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.adaptations.names import ADAPTATIONS
from bench.plan.knowledge import knowledge, knowledge_of_all
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.types import ARCFACE_CROP, EncoderCard, Folders

ATTACKER = EncoderCard(
    name="attacker",
    architecture="resnet-18",
    training_set="casia",
    crop=ARCFACE_CROP,
    dimensions=128,
    parameters=1,
    released="2020",
    licence="",
    source="",
    sha256="a" * 64,
)
STRANGER = replace(ATTACKER, name="stranger", architecture="vit", training_set="vggface2", sha256="b" * 64)


def test_the_same_weights_are_white_box_whatever_they_are_called() -> None:
    renamed = replace(STRANGER, sha256=ATTACKER.sha256)
    assert knowledge((renamed,), ATTACKER) == "white-box"


def test_the_same_architecture_is_grey_box() -> None:
    assert knowledge((replace(STRANGER, architecture="resnet-18"),), ATTACKER) == "grey-box"


def test_the_same_training_set_is_grey_box() -> None:
    assert knowledge((replace(STRANGER, training_set="casia"),), ATTACKER) == "grey-box"


def test_neither_is_black_box() -> None:
    assert knowledge((STRANGER,), ATTACKER) == "black-box"


@pytest.mark.parametrize("unstated", ["surrogate", "encoder", "both"])
def test_an_unstated_training_set_may_be_the_same(unstated: str) -> None:
    surrogate = replace(STRANGER, training_set="") if unstated != "encoder" else STRANGER
    encoder = replace(ATTACKER, training_set="") if unstated != "surrogate" else ATTACKER
    assert knowledge((surrogate,), encoder) == "grey-box"


def test_the_same_name_is_no_knowledge() -> None:
    assert knowledge((replace(STRANGER, name=ATTACKER.name),), ATTACKER) == "black-box"


def test_an_ensemble_knows_what_its_best_member_knows() -> None:
    grey = replace(STRANGER, architecture="resnet-18", sha256="c" * 64)
    assert knowledge((STRANGER, STRANGER), ATTACKER) == "black-box"
    assert knowledge((STRANGER, grey), ATTACKER) == "grey-box"
    assert knowledge((grey, STRANGER, ATTACKER), ATTACKER) == "white-box"


def test_without_surrogates_there_is_none() -> None:
    assert knowledge((), ATTACKER) == "none"


def test_weights_that_the_attacker_trained_are_no_white_box() -> None:
    assert knowledge((ATTACKER,), ATTACKER, adapted=True) == "grey-box"
    assert knowledge((STRANGER,), ATTACKER, adapted=True) == "black-box"
    assert knowledge((), ATTACKER, adapted=True) == "none"
    assert knowledge_of_all((ATTACKER, STRANGER), (ATTACKER, STRANGER), adapted=True) == "grey-box"


@pytest.mark.parametrize("name", sorted(ADAPTATIONS))
def test_a_cell_knows_its_surrogate_as_long_as_nobody_trained_it(name: str, tmp_path: Path) -> None:
    spec = RunSpec(defenses=("pgd",), surrogates=("synth-ir",), encoders=("synth-ir",), adaptations=(name,))
    (cell,) = resolve(spec, Folders(home=str(tmp_path)), {}, "cpu").cells
    assert cell.knowledge == ("white-box" if name in ("none", "views") else "grey-box")
