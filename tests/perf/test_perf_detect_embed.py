"""How long photos take on their way to embeddings, beside facenet-pytorch's plain loop in the same run."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

import bench.encoders
from bench.align import matrix, warp
from bench.detect import Detector
from bench.encoders.cards import ONNX
from bench.mtcnn_nets import DIGESTS, state
from bench.observe import _crop
from bench.photos import decode, encode_png
from bench.torchvision_compat import ensure
from bench.types import ARCFACE_CROP, Folders, Image

pytestmark = pytest.mark.real
COUNT = 24


@pytest.fixture(scope="module")
def files(real_data: Path) -> list[bytes]:
    paths = sorted((real_data / "lfw").glob("*/*_0001.jpg"))[:: 3000 // COUNT][:COUNT]
    return [path.read_bytes() for path in paths]


@pytest.fixture(scope="module", params=[250, 160])
def photos(request: pytest.FixtureRequest, files: list[bytes]) -> list[Image]:
    size = (request.param, request.param)
    return [np.asarray(PIL.Image.open(io.BytesIO(f)).convert("RGB").resize(size)) for f in files]


def per_photo(benchmark: Any, group: str) -> None:
    benchmark.group = group
    benchmark.extra_info["photos"] = COUNT


def test_decode(benchmark: Any, files: list[bytes]) -> None:
    per_photo(benchmark, "decode")
    assert len(benchmark(lambda: [decode(f) for f in files])) == COUNT


def test_encode_png(benchmark: Any, files: list[bytes]) -> None:
    per_photo(benchmark, "release")
    pixels = [decode(f) for f in files]
    assert len(benchmark(lambda: [encode_png(p) for p in pixels])) == COUNT


@pytest.mark.parametrize("smallest", [40, 20])
def test_detect(benchmark: Any, photos: list[Image], smallest: int) -> None:
    per_photo(benchmark, f"detect {len(photos[0])}, faces from {smallest} px")
    detector = Detector(min_face=smallest)
    detector.detect(photos[:2])
    assert len(benchmark(detector.detect, photos)) == COUNT


@pytest.mark.parametrize("smallest", [40, 20])
def test_detect_by_the_package(benchmark: Any, photos: list[Image], smallest: int) -> None:
    per_photo(benchmark, f"detect {len(photos[0])}, faces from {smallest} px")
    for name in DIGESTS:
        state(name)  # verified before the package reads them unverified
    ensure()
    from facenet_pytorch import MTCNN

    theirs = MTCNN(min_face_size=smallest)
    pictures = [PIL.Image.fromarray(p) for p in photos]
    assert len(benchmark(lambda: [theirs.detect(p, landmarks=True) for p in pictures])) == COUNT


def test_align(benchmark: Any, files: list[bytes]) -> None:
    per_photo(benchmark, "align")
    pixels = [decode(f) for f in files]
    faces = [(p, f) for p, f in zip(pixels, Detector().detect(pixels), strict=True) if f is not None]
    stack = torch.stack([torch.from_numpy(p) for p, _ in faces]).permute(0, 3, 1, 2) / 255
    maps = np.stack([matrix(f, ARCFACE_CROP) for _, f in faces])
    assert benchmark(warp, stack, maps, 112).shape == (len(faces), 3, 112, 112)


@pytest.mark.parametrize("batch", [1, 8, COUNT])
@pytest.mark.parametrize("name", [*(card.name for card in ONNX), "synth-inc", "synth-ir", "synth-vit"])
def test_embed(benchmark: Any, name: str, batch: int, real_data: Path, tmp_path: Path) -> None:
    per_photo(benchmark, f"embed {COUNT} crops, {batch} a call")
    encoder = bench.encoders.load(name, Folders(home=str(tmp_path), real_data=str(real_data)))
    crops = torch.rand(COUNT, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    assert len(benchmark(lambda: [encoder.embed(part) for part in crops.split(batch)])) == COUNT // batch


@pytest.fixture(scope="module")
def phone(files: list[bytes]) -> bytes:
    """A photo of 12 megapixels with one face: one of the small photos, enlarged, on a smooth ground."""
    ground = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    large = PIL.Image.fromarray(ground).resize((4000, 3000), PIL.Image.Resampling.BICUBIC)
    face = PIL.Image.open(io.BytesIO(files[0])).resize((2000, 2000), PIL.Image.Resampling.BICUBIC)
    large.paste(face, (900, 500))
    out = io.BytesIO()
    large.save(out, "JPEG", quality=92)
    return out.getvalue()


@pytest.mark.parametrize("stage", ["decode", "detect", "align"])
def test_a_photo_of_12_megapixels(benchmark: Any, phone: bytes, stage: str) -> None:
    benchmark.group = "one photo of 4000 x 3000"
    detector, pixels = Detector(), decode(phone)
    (face,) = detector.detect([pixels])
    assert face is not None
    work: dict[str, Callable[[], object]] = {
        "decode": lambda: decode(phone),
        "detect": lambda: detector.detect([pixels]),
        "align": lambda: _crop(pixels, face, ARCFACE_CROP),
    }
    benchmark(work[stage])


def test_embed_by_an_unloaded_facenet(benchmark: Any) -> None:
    # facenet-pytorch's network as its users call it, weights drawn at random: time does not depend on them
    per_photo(benchmark, "embed")
    ensure()
    from facenet_pytorch import InceptionResnetV1

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = InceptionResnetV1(pretrained=None).eval()
    crops = torch.rand(COUNT, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert len(benchmark(net, crops)) == COUNT
