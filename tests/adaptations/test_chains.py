"""Adaptations by name, alone and one after another."""

from __future__ import annotations

import pytest

from bench import adaptations
from bench.adaptations.chains import Chain, Parts
from bench.adaptations.methods import Adversarial, FineTune, Head, Views, Whiten
from bench.errors import UserError
from bench.plan.chosen import Chosen


def test_one_adaptation_is_itself() -> None:
    assert adaptations.make("whiten:method=lda,dimensions=64") == ("whiten", Whiten("lda", 64))
    assert adaptations.make("finetune:rate=1e+0") == ("finetune", FineTune(rate=1.0))
    assert Parts.of(Whiten()) == Parts(whiten=Whiten())


def test_a_chain_has_every_step_and_its_parameters() -> None:
    name, chain = adaptations.make("views:jpeg=50+adversarial:rate=1e+0,steps=9+finetune+whiten+head")
    assert name == "views+adversarial+finetune+whiten+head"
    training = (Adversarial(steps=9, rate=1.0), FineTune())
    assert Parts.of(chain) == Parts(Views(jpeg=50), training, Whiten(), Head())
    described = Chosen(name, chain).described()["parameters"]
    assert isinstance(described, dict)
    assert described["adversarial.steps"] == 9
    assert described["finetune.steps"] == FineTune().steps
    assert described["whiten.method"] == "wccn"


def test_networks_are_trained_in_either_order() -> None:
    one, other = (adaptations.make(text)[1] for text in ("adversarial+finetune", "finetune+adversarial"))
    assert isinstance(one, Chain)
    assert Parts.of(one).training == Parts.of(other).training[::-1]


@pytest.mark.parametrize(
    ("text", "learns"),
    [
        ("none", False),
        ("views+adversarial", False),
        ("views+whiten", True),
        ("adversarial+finetune", True),
        ("adversarial+head", True),
        ("adversarial:steps=0", True),
    ],
)
def test_what_learns_from_cloaks(text: str, learns: bool) -> None:
    assert Parts.of(adaptations.make(text)[1]).learns_from_cloaks == learns


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("whiten+whiten:method=pca", "'whiten' is there twice"),
        ("none+whiten", "'none' changes nothing. Try whiten."),
        ("none+none", "'none' changes nothing"),
        ("whiten+adversarial", "Try adversarial+whiten."),
        ("head+whiten+views", "Try views+whiten+head."),
        ("whiten+", "a name is missing"),
        ("+whiten", "a name is missing"),
        ("whiten+wihten", "no adaptation 'wihten'"),
        ("whiten:method=zca", "'zca' is not one of wccn, lda, pca"),
        ("whiten:shrinkage=0", "shrinkage 0 must be above 0"),
        ("whiten:shrinkage=1.5", "shrinkage 1.5 must be above 0 and at most 1"),
        ("whiten:dimensions=-1", "dimensions -1 must be from 0"),
        ("views:random=-1", "random -1 must be from 0 to 100"),
        ("views:random=5,least=1", "least 1 must be from 0.1 to 0.99"),
        ("finetune:steps=-1", "steps -1 must be from 0"),
        ("views:jpeg=0", "jpeg 0 must be above 0 and at most 100"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(text: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        adaptations.make(text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
