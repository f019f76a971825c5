"""What the steps look at: drawn faces, aligned on the landmarks that the renderer knows, and encoders.

No detector runs and no photo is read: a machine that was given nothing but the code can be checked.
"""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from bench import encoders
from bench.encoders.families.facenet import FILES
from bench.faces.align import matrix, warp
from bench.protocols import Encoder
from bench.torchvision_compat import ensure
from bench.types import Album, Crop, Face, Folders, Image
from measuring.running import MissingError
from measuring.setting import Setting

Family = Literal["built-in", "facenet", "onnx"]
DrawnFace = tuple[Image, Face]

FACENET = "facenet-vggface2"
ONNX = "insightface_mobilefacenet_y1"
FIRST_STRANGER = 500_000
"""Identity numbers from here on are in nobody's album."""


@cache
def drawn(people: tuple[int, ...], photos: tuple[int, ...]) -> list[DrawnFace]:
    """One drawn photo for each pair of a person and a photo number, with its face."""
    renderer = importlib.import_module("bench.datasets._synthetic.render")  # the data set hides landmarks
    pixels, points = renderer.render(people, photos)
    return [(photo, face_at(landmarks)) for photo, landmarks in zip(pixels, points, strict=True)]


def face_at(landmarks: npt.NDArray[Any]) -> Face:
    """The face with these landmarks, [5, 2]; its box is theirs, twice as large."""
    low, high = landmarks.min(0), landmarks.max(0)
    margin = (high - low) / 2
    x0, y0, x1, y1 = map(float, (*(low - margin), *(high + margin)))
    return Face((x0, y0, x1, y1), tuple((float(x), float(y)) for x, y in landmarks), 1.0)


def faces(count: int) -> list[DrawnFace]:
    """Photos of different people, one each."""
    return drawn(tuple(range(count)), (0,) * count)


def strangers(count: int) -> list[DrawnFace]:
    """Photos of different people, one each, who are in no album."""
    return drawn(tuple(range(FIRST_STRANGER, FIRST_STRANGER + count)), (0,) * count)


def albums(setting: Setting) -> list[list[DrawnFace]]:
    """The photos of every user."""
    each = setting.photos_each
    people = tuple(user for user in range(setting.users) for _ in range(each))
    photos = drawn(people, tuple(range(each)) * setting.users)
    return [photos[start : start + each] for start in range(0, len(photos), each)]


def album(photos: Sequence[DrawnFace], name: str) -> Album:
    """Photos as one user holds them."""
    pixels, places = zip(*photos, strict=True)
    return Album(pixels, places, tuple(f"{name}/{i}" for i in range(len(photos))))


def aligned(photos: Sequence[DrawnFace], crop: Crop) -> torch.Tensor:
    """Crops of photos of one size: float32 [n, 3, size, size] in [0, 1], on the CPU."""
    pixels = torch.from_numpy(np.stack([photo for photo, _ in photos])).permute(0, 3, 1, 2).float().div(255)
    return warp(pixels, [matrix(face, crop) for _, face in photos], crop.size).clamp(0, 1)


def named(setting: Setting, family: Family) -> tuple[str, ...]:
    """The encoders of a family that a setting looks at."""
    return {"built-in": setting.encoders, "facenet": (FACENET,), "onnx": (ONNX,)}[family]


def loaded(setting: Setting, family: Family, device: str) -> Iterator[Encoder]:
    """Those encoders on a device.

    Raises:
        MissingError: if the weights of one are not here.
    """
    for name in named(setting, family):
        yield _loaded(name, setting.real_data, device)


@cache
def _loaded(name: str, real_data: str | None, device: str) -> Encoder:
    with tempfile.TemporaryDirectory() as home:
        folders = Folders(home, real_data)
        if name == FACENET:
            facenet_weights(Path(home))
        state = {card.name: state for card, state in encoders.availability(folders)}[name]
        if state != encoders.READY:
            raise MissingError(f"the weights of {name} in the folder weights of BENCH_REAL_DATA")
        return encoders.load(name, folders, device)


def facenet_weights(home: Path) -> None:
    """Put an InceptionResnetV1 of random weights, in facenet-pytorch's format, into a home.

    Time does not depend on the weights, and the published ones cannot be had everywhere.
    """
    ensure()
    from facenet_pytorch import InceptionResnetV1

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = InceptionResnetV1(pretrained=None)
    (home / "weights").mkdir()
    torch.save(network.state_dict(), home / "weights" / FILES[FACENET])
