"""Detectors are found by name; each keeps the promises of `FaceSearch`, and none is mistaken for another."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from bench.errors import UserError
from bench.faces import detectors
from bench.faces.choice import Choice
from bench.faces.detect import Detector
from bench.faces.finder import FaceFinder
from bench.machine.progress import Silent
from bench.photos.collection import Photos
from bench.registry import load
from bench.store import code
from bench.store.cache import Cache
from bench.types import Folders, Image


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    """Eight drawn faces, twice as large as they are drawn."""
    photos = load("datasets", "synthetic")().open(Folders(home=str(tmp_path_factory.mktemp("home"))))
    return [photo.repeat(2, 0).repeat(2, 1) for photo in photos.read(photos.catalogue().photos[:128:16])]


@pytest.fixture(params=detectors.names())
def name(request: pytest.FixtureRequest, real_or_none: Folders) -> str:
    """Every detector that can be loaded here."""
    named = str(request.param)
    if missing := detectors.lookup(named).missing(real_or_none):
        pytest.skip(missing)
    return named


def test_the_usual_one_comes_first_and_every_one_says_who_it_is() -> None:
    assert detectors.names()[0] == detectors.USUAL == "mtcnn"
    assert {"yunet"} < set(detectors.names())
    for named in detectors.names():
        model = detectors.lookup(named)
        assert model.name == named
        assert model.about
        assert detectors.parameters(named)["name"] == named


def test_an_unknown_name_is_one_line_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no detector 'yunett'.*'yunet'.*bench list detectors") as caught:
        detectors.lookup("yunett")
    assert "\n" not in str(caught.value)


def test_parameters_tell_detectors_and_choices_apart() -> None:
    choices = (Choice(), Choice("largest"), Choice(min_face=30), Choice(min_share=0.1))
    told = [
        str(detectors.parameters(named, choice))
        for named, choice in itertools.product(detectors.names(), choices)
    ]
    assert len(set(told)) == len(told)


def test_a_photos_face_does_not_depend_on_its_company(
    name: str, drawn: list[Image], real_or_none: Folders
) -> None:
    detector = Detector(name=name, folders=real_or_none)
    photos = [*drawn, drawn[0][:, ::-1].copy(), np.zeros((1, 1, 3), np.uint8)]
    alone = [detector.detect([photo])[0] for photo in photos]
    assert sum(face is not None for face in alone) >= 7
    assert detector.detect(photos) == alone
    assert detector.detect(photos[::-1]) == alone[::-1]
    assert Detector(name=name, folders=real_or_none).detect(photos[2:5]) == alone[2:5]


def test_landmarks_are_those_of_a_face(name: str, drawn: list[Image], real_or_none: Folders) -> None:
    found = [face for face in Detector(name=name, folders=real_or_none).detect(drawn) if face]
    assert len(found) >= 6
    for face in found:
        left, right, nose, mouth_left, mouth_right = face.landmarks
        assert left[0] < nose[0] < right[0]
        assert mouth_left[0] < mouth_right[0]
        assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
        assert face.box[0] < nose[0] < face.box[2]
        assert face.box[1] < nose[1] < face.box[3]
        assert 0 <= face.score <= 1
        assert all(v * 256 == round(v * 256) for v in (*face.box, *itertools.chain(*face.landmarks)))


def test_it_sees_what_the_usual_detector_sees(name: str, drawn: list[Image], real_or_none: Folders) -> None:
    pairs = zip(
        Detector().detect(drawn), Detector(name=name, folders=real_or_none).detect(drawn), strict=True
    )
    both = [(a, b) for a, b in pairs if a and b]
    assert len(both) >= 6
    for usual, face in both:
        width = usual.box[2] - usual.box[0]
        apart = np.linalg.norm(np.subtract(usual.landmarks, face.landmarks), axis=1) / width
        assert apart.mean() < 0.1


@pytest.mark.parametrize("shape", [(1, 1), (11, 300), (39, 39), (64, 2000), (1500, 40)])
def test_a_photo_without_a_face_has_none(name: str, shape: tuple[int, int], real_or_none: Folders) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    detector = Detector(name=name, folders=real_or_none)
    assert detector.detect([np.zeros((*shape, 3), np.uint8), noise]) == [None, None]


def test_a_large_photo_is_seen_like_a_small_one(name: str, drawn: list[Image], real_or_none: Folders) -> None:
    detector = Detector(name=name, folders=real_or_none)
    small = np.full((400, 560, 3), 120, np.uint8)
    small[40:360, 120:440] = drawn[0]
    large = small.repeat(5, 0).repeat(5, 1)
    near, far = (detector.detect([photo])[0] for photo in (small, large))
    assert near is not None
    assert far is not None
    width = near.box[2] - near.box[0]
    a, b = np.array(near.landmarks) + 0.5, (np.array(far.landmarks) + 0.5) / 5
    assert np.abs(a - b).max() < 0.06 * width


def test_small_faces_are_left_out(name: str, drawn: list[Image], real_or_none: Folders) -> None:
    (face,) = Detector(name=name, folders=real_or_none).detect([drawn[0]])
    assert face is not None
    strict = Detector(name=name, folders=real_or_none, min_face=500)
    assert strict.detect([drawn[0]]) == [None]


def test_every_detector_has_faces_of_its_own(tmp_path: Path) -> None:
    photos = Photos(("content",), lambda wanted: [b""] * len(wanted))
    finders = [
        FaceFinder(Folders(home=str(tmp_path)), Cache(tmp_path), device, Silent(), named)
        for named in detectors.names()
        for device in ("cpu", "cuda")
    ]
    keys = [finder.keys(photos)[0] for finder in finders]
    assert len(set(keys)) == len(keys)
    again = FaceFinder(Folders(home=str(tmp_path)), Cache(tmp_path), "cpu", Silent())
    assert again.with_detector("yunet").keys(photos)[0] == keys[detectors.names().index("yunet") * 2]


def test_the_code_of_one_detector_is_in_no_key_of_another() -> None:
    modules = {named: detectors.lookup(named).module for named in detectors.names()}
    for named, module in modules.items():
        reached = code.closure(module) | code.closure("bench.faces.finder")
        assert module in reached
        assert not [other for name, other in modules.items() if name != named and other in reached]
