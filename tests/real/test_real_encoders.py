"""Real photos through the real detector and the real encoders: do they recognise people?"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import bench.encoders
from bench.encoders.families import dlib
from bench.encoders.families.onnx_file.cards import CARDS as ONNX
from bench.faces.align import matrix, warp
from bench.faces.detect import Detector
from bench.photos.decode import decode
from bench.types import ARCFACE_CROP, Crop, Face, Folders, Image

pytestmark = [pytest.mark.real, pytest.mark.slow]
NAMES = [card.name for card in ONNX]
PEOPLE, EACH = 40, 4
needs_dlib = pytest.mark.skipif(
    find_spec("dlib") is None or find_spec(dlib.PACKAGE) is None,
    reason="needs the extra dlib: pip install 'cloakbench[dlib]'",
)


@dataclass(frozen=True)
class Found:
    """Photos of `images.jsonl`, what it says of them and what we detect: EACH of PEOPLE people, in order."""

    listed: list[dict[str, Any]]
    photos: list[Image]
    faces: list[Face | None]

    def crops(self, crop: Crop) -> torch.Tensor:
        """The faces as an encoder takes them, [n, 3, size, size] in [0, 1]."""
        cut = [
            warp(torch.from_numpy(photo).permute(2, 0, 1)[None] / 255, matrix(face, crop)[None], crop.size)
            for photo, face in zip(self.photos, self.faces, strict=True)
            if face is not None
        ]
        return torch.cat(cut).clamp(0, 1)


@pytest.fixture(scope="module")
def found(real_data: Path) -> Found:
    entries = (json.loads(line) for line in (real_data / "images.jsonl").read_text().splitlines())
    people: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        if "landmarks5" in entry:
            people.setdefault(str(entry["file"]).split("/")[1], []).append(entry)
    listed = [entry for person in sorted(people)[:PEOPLE] for entry in people[person][:EACH]]
    photos = [decode((real_data / str(entry["file"])).read_bytes()) for entry in listed]
    faces = Detector().detect(photos)
    return Found(listed, photos, faces)


def test_every_face_is_found(found: Found) -> None:
    # images.jsonl lists only photos in which the package found one
    assert len(found.faces) == PEOPLE * EACH
    assert all(face is not None for face in found.faces)


def test_landmarks_agree_with_the_list(found: Found) -> None:
    # Two candidates of nearly equal score can change places with the last bit of a sum, and the result
    # then moves by a pixel or three; the package itself does so between batch sizes and machines.
    pairs = [(f, e) for f, e in zip(found.faces, found.listed, strict=True) if f is not None]
    landmarks = np.array([np.abs(np.subtract(f.landmarks, e["landmarks5"])).max() for f, e in pairs])
    boxes = np.array([np.abs(np.subtract(f.box, e["box"])).max() for f, e in pairs])
    assert np.quantile(landmarks, 0.9) < 0.02
    assert np.quantile(boxes, 0.9) < 0.1  # the list has one decimal
    assert landmarks.max() < 5


@pytest.mark.parametrize("name", [*NAMES, pytest.param("dlib", marks=needs_dlib)])
def test_same_people_are_nearer_than_others(name: str, found: Found, real_folders: Folders) -> None:
    encoder = bench.encoders.load(name, real_folders)
    e = encoder.embed(found.crops(encoder.card.crop)).numpy()
    people = np.repeat(np.arange(PEOPLE), EACH)
    first, second = np.triu_indices(len(e), 1)
    cosine = (e[first] * e[second]).sum(1)
    same = people[first] == people[second]
    assert same.sum() == PEOPLE * EACH * (EACH - 1) // 2
    # area under the ROC curve = chance that a same pair is nearer than a different pair
    order = np.searchsorted(np.sort(cosine[~same]), cosine[same])
    auc = order.mean() / (~same).sum()
    assert auc > (0.95 if name == "mobileface_v3" else 0.985)


@needs_dlib
def test_our_chip_stands_for_dlibs_own(found: Found, real_folders: Folders) -> None:
    """Our detector's landmarks on dlib's mean face, beside dlib's detector, landmarks, chip and network."""
    library = importlib.import_module("dlib")
    weights = dlib.FAMILY.present(dlib.CARD, real_folders)
    assert weights is not None
    theirs = library.face_recognition_model_v1(str(weights))
    points = library.shape_predictor(str(weights.with_name("shape_predictor_5_face_landmarks.dat")))
    find = library.get_frontal_face_detector()
    encoder = bench.encoders.load("dlib", real_folders)
    ours = encoder.embed(found.crops(encoder.card.crop)[: 10 * EACH])
    cosines = []
    for row, photo in zip(ours, found.photos, strict=False):
        boxes = find(photo, 1)
        if len(boxes) == 1:  # of several faces the two detectors may mean different ones
            own = torch.tensor(list(theirs.compute_face_descriptor(photo, points(photo, boxes[0]))))
            cosines.append(float(torch.nn.functional.cosine_similarity(row, own, dim=0)))
    assert len(cosines) > 5 * EACH
    assert np.median(cosines) > 0.99
    assert min(cosines) > 0.97


@pytest.mark.parametrize("name", NAMES)
def test_twin_agrees_on_real_faces(name: str, found: Found, real_folders: Folders) -> None:
    encoder = bench.encoders.load(name, real_folders)
    noise = torch.rand(8, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    crops = torch.cat([found.crops(ARCFACE_CROP)[:24], noise])
    with torch.no_grad():
        twin = encoder.twin()(crops).double()
    cosine = torch.nn.functional.cosine_similarity(twin, encoder.embed(crops).double())
    assert float(cosine.min()) >= 0.9999


@pytest.mark.parametrize("name", NAMES)
def test_runtime_is_what_really_runs(name: str, real_folders: Folders) -> None:
    encoder = bench.encoders.load(name, real_folders)
    assert encoder.runtime.endswith("CPUExecutionProvider")


def test_gpu_without_a_provider_embeds_by_the_twin(
    real_folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    # no GPU needed: what is chosen when onnxruntime cannot serve the device that was asked for
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    encoder = bench.encoders.load("mobileface_v3", real_folders, "cuda")
    assert encoder.runtime == f"torch {torch.__version__} cuda"


def test_bits_do_not_depend_on_the_number_of_threads(real_data: Path, tmp_path: Path) -> None:
    script = (
        "import hashlib, sys, torch\n"
        "from bench.faces.detect import Detector\n"
        "from bench.encoders import load\n"
        "from bench.photos.decode import decode\n"
        "from bench.types import Folders\n"
        "x = torch.rand(5, 3, 112, 112, generator=torch.Generator().manual_seed(1))\n"
        "folders = Folders(home=sys.argv[1], real_data=sys.argv[2])\n"
        "e = load('mobilefacenet_casia_xiaoccer', folders).embed(x)\n"
        "photo = open(sys.argv[2] + '/lfw/Abdullah_Gul/Abdullah_Gul_0001.jpg', 'rb').read()\n"
        "print(hashlib.sha256(e.numpy().tobytes()).hexdigest(), Detector().detect([decode(photo)] * 3))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path), str(real_data)],
            env={**os.environ, "OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "3")
    }
    assert len(outputs) == 1
