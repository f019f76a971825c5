"""Real photos through the real detector and the real encoders: do they recognise people?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import bench.encoders
from bench.encoders.families.onnx_file.cards import CARDS as ONNX
from bench.faces.align import matrix, warp
from bench.faces.detect import Detector
from bench.photos.decode import decode
from bench.types import ARCFACE_CROP, Face, Folders

pytestmark = [pytest.mark.real, pytest.mark.slow]
NAMES = [card.name for card in ONNX]
PEOPLE, EACH = 40, 4


@dataclass(frozen=True)
class Found:
    """Photos of `images.jsonl`, what it says of them and what we detect: EACH of PEOPLE people, in order."""

    listed: list[dict[str, Any]]
    faces: list[Face | None]
    crops: torch.Tensor


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
    crops = [
        warp(torch.from_numpy(p).permute(2, 0, 1)[None] / 255, matrix(f, ARCFACE_CROP)[None], 112)
        for p, f in zip(photos, faces, strict=True)
        if f is not None
    ]
    return Found(listed, faces, torch.cat(crops))


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


@pytest.mark.parametrize("name", NAMES)
def test_same_people_are_nearer_than_others(name: str, found: Found, real_folders: Folders) -> None:
    e = bench.encoders.load(name, real_folders).embed(found.crops).numpy()
    people = np.repeat(np.arange(PEOPLE), EACH)
    first, second = np.triu_indices(len(e), 1)
    cosine = (e[first] * e[second]).sum(1)
    same = people[first] == people[second]
    assert same.sum() == PEOPLE * EACH * (EACH - 1) // 2
    # area under the ROC curve = chance that a same pair is nearer than a different pair
    order = np.searchsorted(np.sort(cosine[~same]), cosine[same])
    auc = order.mean() / (~same).sum()
    assert auc > (0.95 if name == "mobileface_v3" else 0.985)


@pytest.mark.parametrize("name", NAMES)
def test_twin_agrees_on_real_faces(name: str, found: Found, real_folders: Folders) -> None:
    encoder = bench.encoders.load(name, real_folders)
    noise = torch.rand(8, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    crops = torch.cat([found.crops[:24], noise])
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
