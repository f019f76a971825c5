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
from bench.encoders.families.facenet import FILES
from bench.encoders.families.onnx_file.cards import CARDS as ONNX
from bench.faces.align import matrix, warp
from bench.faces.detect import Detector
from bench.faces.detectors.mtcnn.card import DIGESTS
from bench.faces.detectors.mtcnn.networks import state
from bench.photos.decode import decode, encode_png
from bench.recognition.observer import crop_face
from bench.torchvision_compat import ensure
from bench.types import ARCFACE_CROP, Folders, Image

pytestmark = pytest.mark.real
COUNT = 24
FACENET = "facenet-vggface2"


@pytest.fixture(scope="module")
def files(first_photos: Callable[[int], list[bytes]]) -> list[bytes]:
    return first_photos(COUNT)


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


def test_align_by_insightface(benchmark: Any, files: list[bytes]) -> None:
    per_photo(benchmark, "align")
    from insightface.utils.face_align import norm_crop

    pixels = [decode(f) for f in files]
    faces = [
        (p, np.array(f.landmarks, np.float32))
        for p, f in zip(pixels, Detector().detect(pixels), strict=True)
        if f is not None
    ]
    assert len(benchmark(lambda: [norm_crop(p, points) for p, points in faces])) == len(faces)


def noise(size: int) -> torch.Tensor:
    return torch.rand(COUNT, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("batch", [1, 8, COUNT])
@pytest.mark.parametrize(
    "name", [*(card.name for card in ONNX), FACENET, "synth-inc", "synth-ir", "synth-vit"]
)
def test_embed(benchmark: Any, name: str, batch: int, real_data: Path, facenet: Path) -> None:
    per_photo(benchmark, f"embed {COUNT} crops, {batch} a call")
    encoder = bench.encoders.load(name, Folders(home=str(facenet), real_data=str(real_data)))
    crops = noise(encoder.card.crop.size)
    assert len(benchmark(lambda: [encoder.embed(part) for part in crops.split(batch)])) == COUNT // batch


def test_embed_by_insightface(benchmark: Any, real_data: Path) -> None:
    # its own class, which takes crops of BGR bytes, on a file whose graph scales RGB in [0, 1] itself
    per_photo(benchmark, f"embed {COUNT} crops, 1 a call")
    from insightface.model_zoo.arcface_onnx import ArcFaceONNX

    network = ArcFaceONNX(str(real_data / "weights" / f"{ONNX[0].name}.onnx"))
    network.input_mean, network.input_std = 0.0, 255.0
    crops = list((noise(112) * 255).to(torch.uint8).permute(0, 2, 3, 1).numpy())
    assert len(benchmark(lambda: [network.get_feat(crop) for crop in crops])) == COUNT


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
        "align": lambda: crop_face(pixels, face, ARCFACE_CROP),
    }
    benchmark(work[stage])


@pytest.mark.parametrize("batch", [1, 8, COUNT])
def test_embed_by_facenet(benchmark: Any, facenet: Path, batch: int) -> None:
    # the package's network as its users call it
    per_photo(benchmark, f"embed {COUNT} crops, {batch} a call")
    ensure()
    from facenet_pytorch import InceptionResnetV1

    net = InceptionResnetV1(pretrained=None).eval()
    net.load_state_dict(torch.load(facenet / "weights" / FILES[FACENET], weights_only=True))
    crops = noise(160)
    with torch.no_grad():
        assert len(benchmark(lambda: [net(part) for part in crops.split(batch)])) == COUNT // batch
