"""Three detectors on photos of LFW: which faces they find, where, and what that makes of recognition."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bench
from bench.faces import detectors
from bench.faces.detect import Detector
from bench.photos.decode import decode
from bench.types import Face, Folders

pytestmark = [pytest.mark.real, pytest.mark.slow]
PHOTOS = 200
needs_dlib = pytest.mark.skipif(
    bool(detectors.lookup("hog").missing(Folders(home="/nowhere"))),
    reason="needs the extra dlib: pip install 'cloakbench[dlib]'",
)
NAMES = ["mtcnn", "yunet", pytest.param("hog", marks=needs_dlib)]

Find = Callable[[str], list[Face | None]]


@pytest.fixture(scope="module")
def find(real_data: Path, real_folders: Folders) -> Find:
    """What a detector finds on the first photos of 200 people; looked for once."""
    files = sorted((real_data / "lfw").glob("*/*_0001.jpg"))
    photos = [decode(file.read_bytes()) for file in files[:: len(files) // PHOTOS][:PHOTOS]]
    found: dict[str, list[Face | None]] = {}

    def of(name: str) -> list[Face | None]:
        if name not in found:
            found[name] = Detector(name=name, folders=real_folders).detect(photos)
        return found[name]

    return of


@pytest.mark.parametrize("name", NAMES)
def test_hardly_a_face_is_missed(name: str, find: Find) -> None:
    # on these photos 200, 200 and 197
    assert sum(face is not None for face in find(name)) >= 0.97 * PHOTOS


@pytest.mark.parametrize("name", NAMES[1:])
def test_landmarks_agree_with_those_of_mtcnn(name: str, find: Find) -> None:
    apart = []
    for face, other in zip(find("mtcnn"), find(name), strict=True):
        if face is not None and other is not None:
            eyes = np.linalg.norm(np.subtract(face.landmarks[0], face.landmarks[1]))
            apart.append(np.linalg.norm(np.subtract(face.landmarks, other.landmarks), axis=1) / eyes)
    assert len(apart) >= 0.95 * PHOTOS
    # in distances of the eyes: means of the five points, then the eyes alone
    assert np.median(np.mean(apart, axis=1)) < 0.1
    assert np.quantile(np.mean(apart, axis=1), 0.95) < 0.18
    assert np.median(np.array(apart)[:, :2]) < 0.08


@needs_dlib
def test_a_product_is_attacked_as_it_is_built(real_folders: Folders) -> None:
    records = bench.run(
        dataset="lfw",
        defense=["none", "advmask"],
        attacker="dbscan",
        encoder="dlib",
        surrogate="dlib",
        detector=["own", "yunet"],
        users=6,
        background=30,
        calibration=40,
    )
    cells = {(record.defense.name, record.detector.name): record for record in records}
    assert list(cells) == [(d, n) for d in ("none", "advmask") for n in ("hog", "yunet")]
    for record in records:
        assert record.publisher_detector is not None
        assert (record.publisher_detector.name, record.encoder.parameters["detector"]) == ("mtcnn", "hog")
        assert sum(record.outcomes.values()) == 60
    rate = {key: record.metrics["cfr"].value or 0.0 for key, record in cells.items()}
    for name in ("hog", "yunet"):
        assert rate["none", name] >= 0.8  # 5 of 6 users
        assert rate["advmask", name] < rate["none", name]
    # a cloak is made without a look at the attacker's detector: the released files are the same
    (costs,) = {str(cells["advmask", name].perceptual) for name in ("hog", "yunet")}
    assert "linf" in costs
