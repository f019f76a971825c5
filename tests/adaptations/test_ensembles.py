"""Several encoders as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.adaptations import ensembles
from bench.encoders.families.synth import cards
from bench.plan.knowledge import knowledge_of_all

RNG = np.random.Generator(np.random.Philox(3))
IR, INC, VIT = sorted(cards(), key=lambda card: ["synth-ir", "synth-inc", "synth-vit"].index(card.name))
KNOWN = {card.name: card for card in (IR, INC, VIT)}


def rows(n: int, dimensions: int) -> np.ndarray:
    return ensembles.unit(RNG.standard_normal((n, dimensions)).astype(np.float32))


def test_one_name_is_one_encoder() -> None:
    assert ensembles.parse("synth-ir", KNOWN.__getitem__) == (IR, (IR,))


def test_a_file_may_have_a_plus_in_its_name() -> None:
    assert ensembles.parse("onnx:/a+b/net.onnx", {"onnx:/a+b/net.onnx": IR}.__getitem__) == (IR, (IR,))


def test_side_by_side_has_the_mean_of_the_cosines() -> None:
    one, two = rows(5, 8), rows(5, 12)
    together = ensembles.side_by_side([one, two])
    np.testing.assert_allclose(together @ together.T, (one @ one.T + two @ two.T) / 2, atol=1e-6)
    card, members = ensembles.parse("synth-ir+synth-vit", KNOWN.__getitem__)
    assert (card.name, card.dimensions, members) == ("synth-ir+synth-vit", 256, (IR, VIT))
    assert card.sha256 not in (IR.sha256, VIT.sha256)


def test_faces_are_found_with_the_detector_that_most_members_name() -> None:
    hog = [replace(card, name=f"{card.name}-hog", detector="hog") for card in (IR, INC)]
    for members, detector in (
        ((hog[0], INC, VIT), "mtcnn"),
        ((*hog, VIT), "hog"),
        ((hog[0], VIT), "hog"),  # as many name the one as the other: the first of them
        ((VIT, hog[0]), "mtcnn"),
    ):
        known = {card.name: card for card in members}
        for rule in ("", "mean:", "weighted:"):
            card, _ = ensembles.parse(rule + "+".join(known), known.__getitem__)
            assert card.detector == detector
            assert card.detector == ensembles.detector_of(members)


def test_a_mean_first_turns_one_space_onto_the_other() -> None:
    # the second encoder gives what the first does, turned: their mean must be the first again
    one = rows(60, 16)
    turn = np.linalg.qr(RNG.standard_normal((16, 16)))[0].astype(np.float32)
    two = one @ turn
    mean = ensembles.Mean.fitted([one[:40], two[:40]])
    np.testing.assert_allclose(mean([one[40:], two[40:]]), one[40:], atol=1e-5)


def test_members_of_other_sizes_meet_in_the_widest() -> None:
    one, two = rows(30, 8), rows(30, 12)
    mean = ensembles.Mean.fitted([one, two])
    found = mean([one, two])
    assert found.shape == (30, 12)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert ensembles.parse("mean:synth-ir+synth-inc", KNOWN.__getitem__)[0].dimensions == 128


def test_no_face_stays_no_face() -> None:
    one, two = rows(3, 4), rows(3, 4)
    one[1] = two[1] = np.nan
    assert np.isnan(ensembles.side_by_side([one, two])[1]).all()
    assert np.isnan(ensembles.Mean.fitted([one[[0, 2]], two[[0, 2]]])([one, two])[1]).all()


def test_knowing_one_member_is_not_knowing_the_whole() -> None:
    stranger = replace(IR, name="x", training_set="other", architecture="other", sha256="0" * 64)
    assert knowledge_of_all((IR,), (IR,)) == "white-box"
    assert knowledge_of_all((IR, INC), (IR, INC)) == "white-box"
    twin = replace(IR, name="twin", sha256="1" * 64)  # trained on the same set
    assert knowledge_of_all((IR,), (IR, twin)) == "grey-box"
    assert knowledge_of_all((IR,), (IR, stranger)) == "grey-box"  # a surrogate is in it
    assert knowledge_of_all((IR,), (twin, stranger)) == "grey-box"
    other = replace(stranger, name="y", training_set="a third", sha256="2" * 64)
    assert knowledge_of_all((IR,), (stranger, other)) == "black-box"
    assert knowledge_of_all((), (IR, INC)) == "none"
