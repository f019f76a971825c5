"""The attacker's detector: the one that the encoder's card names, or another that the attacker chooses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import encoders
from bench.errors import UserError
from bench.plan.detectors import OWN, with_detectors
from bench.types import EncoderCard, Folders

_, CARD = encoders.lookup("synth-ir")
WITH_YUNET = replace(CARD, name="another", detector="yunet")


def names(cards: list[EncoderCard], *asked: str) -> list[tuple[str, str]]:
    """Encoder and detector, in the order of the matrix."""
    axis = [(card, (card,)) for card in cards]
    made = with_detectors(axis, asked, Folders(home="/nowhere"))
    return [(card.name, str(finds["name"])) for card, _, finds in made]


@pytest.mark.usefixtures("every_detector")
def test_own_is_what_the_card_names() -> None:
    assert CARD.detector == "mtcnn"
    assert names([CARD, WITH_YUNET], OWN) == [("synth-ir", "mtcnn"), ("another", "yunet")]


@pytest.mark.usefixtures("every_detector")
def test_a_detector_that_is_asked_for_twice_is_one() -> None:
    assert names([CARD], OWN, "mtcnn", OWN) == [("synth-ir", "mtcnn")]
    assert names([WITH_YUNET], OWN, "mtcnn") == [("another", "yunet"), ("another", "mtcnn")]


def test_what_is_missing_is_told_with_the_encoder_that_needs_it() -> None:
    with pytest.raises(UserError) as caught:
        names([WITH_YUNET], OWN)
    said = str(caught.value)
    for part in ("encoder 'another'", "no yunet_n_dynamic.onnx in", "bench fetch yunet", "--detector mtcnn"):
        assert part in said
    assert "\n" not in said
    assert names([WITH_YUNET], "mtcnn") == [("another", "mtcnn")]


def test_a_card_that_names_a_detector_that_there_is_not_is_refused() -> None:
    with pytest.raises(UserError, match=r"encoder 'synth-ir'.*no detector 'retina'"):
        names([replace(CARD, detector="retina")], OWN)
