"""What is seen depends on the photo and the box that comes with it; a phone's photo costs little memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from bench.encoders import ready
from bench.faces.align import cut, matrix, warp
from bench.faces.detect import Detector
from bench.machine.progress import Silent
from bench.photos.collection import Photos, clean_photos
from bench.photos.through_channel import through
from bench.recognition.observer import Observer
from bench.recognition.resize_pad import ResizePad
from bench.registry import load
from bench.store.cache import Cache
from bench.types import ARCFACE_CROP, Catalogue, Crop, DatasetCard, Face, Folders, Image
from injecting import encoders_that_fail
from injecting.injection import assert_all_right

ENCODER = "synth-ir"
Watch = Callable[..., Observer]


@pytest.fixture
def nowhere(tmp_path: Path) -> Folders:
    return Folders(home=str(tmp_path))


@pytest.fixture
def watch(nowhere: Folders, tmp_path: Path) -> Watch:
    """Makes observers of one cache."""
    cache = Cache(tmp_path)
    return lambda precision="fp32": Observer.on("cpu", nowhere, cache, Silent(), precision)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    """Two drawn people."""
    data = load("datasets", "synthetic")().open(Folders(home=str(tmp_path_factory.mktemp("home"))))
    return list(data.read(data.catalogue().photos[:40:20]))


def pair(left: Image, right: Image) -> Image:
    return np.concatenate([left, right], 1)


def only(content: bytes | Image, *boxes: tuple[float, float, float, float] | None) -> Photos:
    return Photos(("content",), lambda wanted: [content for _ in wanted], boxes)


def test_a_box_chooses_the_face_and_is_part_of_the_key(
    faces: list[Image], watch: Watch, nowhere: Folders
) -> None:
    both, wanted = pair(*faces), [ready(ENCODER, nowhere)]
    sides = [(20.0, 20.0, 140.0, 140.0), (180.0, 20.0, 300.0, 140.0)]
    for content in (both, only(both).read([0])[0]):
        found = [watch().observe(only(content, box), wanted, "test") for box in (*sides, None)]
        left, right, either = (seen.faces[0] for seen in found)
        assert left is not None
        assert right is not None
        assert left.box[2] < 160 < right.box[0]
        assert either in (left, right)
        vectors = [seen.embeddings[ENCODER].vectors[0] for seen in found]
        assert float(vectors[0] @ vectors[1]) < 0.9
    # a second observer of the same cache finds each under its own key
    again = [watch().observe(only(both, box), wanted, "test").faces[0] for box in sides]
    assert again == [left, right]


def test_the_boxes_of_a_data_set_go_with_its_photos(faces: list[Image]) -> None:
    class Data:
        card = DatasetCard("two", "0", "none", "none")

        def catalogue(self) -> Catalogue:
            return Catalogue(("a", "b"), ("a", "b"))

        def digest(self, photo: str) -> str:
            return photo

        def read(self, photos: Sequence[str]) -> list[bytes | Image]:
            return [faces["ab".index(photo)] for photo in photos]

    from bench.channels import parse

    seen = clean_photos(Data(), ["b", "a"], {"b": (1.0, 2.0, 3.0, 4.0)})
    assert seen.boxes == (None, (1.0, 2.0, 3.0, 4.0))[::-1]
    passed = through(seen, parse("jpeg:75"))
    assert passed.boxes == seen.boxes
    assert passed.digests != seen.digests


def test_a_precision_has_embeddings_of_its_own(faces: list[Image], watch: Watch, nowhere: Folders) -> None:
    wanted = [ready(ENCODER, nowhere)]
    full, half, again = (
        watch(precision).observe(only(faces[0]), wanted, "test").embeddings[ENCODER].vectors[0]
        for precision in ("fp32", "bf16", "fp32")
    )
    assert not np.array_equal(full, half)
    assert np.array_equal(full, again)
    assert float(full @ half) > 0.999


def test_grey_and_turned_files_are_seen_as_what_they_show(
    faces: list[Image], watch: Watch, nowhere: Folders
) -> None:
    def file(image: PIL.Image.Image, orientation: int = 1) -> bytes:
        exif = PIL.Image.Exif()
        exif[0x0112] = orientation
        out = io.BytesIO()
        image.save(out, "PNG", exif=exif)
        return out.getvalue()

    upright = PIL.Image.fromarray(faces[0])
    # orientation 6: the camera was turned, the stored rows run from the right to the left of the scene
    turned = file(upright.transpose(PIL.Image.Transpose.ROTATE_90), orientation=6)
    grey = upright.convert("L")
    contents = [file(upright), turned, file(grey), file(grey.convert("RGB"))]
    photos = Photos(("upright", "turned", "grey", "grey RGB"), lambda wanted: [contents[i] for i in wanted])
    seen = watch().observe(photos, [ready(ENCODER, nowhere)], "test")
    assert seen.faces[0] == seen.faces[1] is not None
    assert seen.faces[2] == seen.faces[3] is not None
    first, second, third, fourth = seen.embeddings[ENCODER].vectors
    assert np.array_equal(first, second)
    assert np.array_equal(third, fourth)


@pytest.mark.parametrize("scale", [0.06, 0.17, 0.4, 1.0, 2.5])
@pytest.mark.parametrize("where", [(700, 500), (5, 5), (1395, 1010), (-300, 400), (5000, 5000)])
def test_a_part_of_a_large_photo_gives_the_crop_of_the_whole(scale: float, where: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (1013, 1401, 3), np.uint8)
    angle = 0.4
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    m = np.column_stack([turn, 56 - turn @ np.array(where, float)])

    def crop(image: Image, m: np.ndarray) -> torch.Tensor:
        return warp(torch.from_numpy(image.copy()).permute(2, 0, 1)[None].double() / 255, [m], 112)

    part, moved = cut(photo, m, 112)
    assert np.shares_memory(part, photo)
    assert torch.allclose(crop(part, moved), crop(photo, m), atol=2e-3)  # the sampling grid is float32
    if scale > 0.3:
        assert part.size < photo.size / 2


def test_a_small_photo_stays_whole(faces: list[Image]) -> None:
    m = np.array([[1.0, 0, 0], [0, 1, 0]])
    part, same = cut(faces[0], m, 112)
    assert part is faces[0]
    assert same is m


def test_a_large_face_is_averaged_and_not_sampled() -> None:
    # a board of 1-pixel squares is grey from afar; sampling every 12th pixel would give black and white
    y, x = np.mgrid[:1200, :1200]
    board = np.repeat((((x + y) % 2) * 255).astype(np.uint8)[:, :, None], 3, 2)
    scale = 1100 / 112
    face = Face((50, 50, 1150, 1150), tuple((a * scale, b * scale) for a, b in ARCFACE_CROP.template), 1.0)
    for crop in (ARCFACE_CROP, Crop(112, "box")):
        part, m = cut(board, matrix(face, crop), 112)
        seen = warp(torch.from_numpy(part.copy()).permute(2, 0, 1)[None].float(), [m], 112)
        assert 120 < float(seen[..., 20:90, 20:90].min()) <= float(seen[..., 20:90, 20:90].max()) < 135


def test_a_face_in_a_phones_photo_is_where_it_is_in_a_small_one(faces: list[Image]) -> None:
    # 3,000 pixels high: detection works on averages of 2 x 2 pixels, and answers in those of the photo
    small = np.full((300, 400, 3), 120, np.uint8)
    small[70:230, 120:280] = faces[0]
    large = np.asarray(PIL.Image.fromarray(small).resize((4000, 3000), PIL.Image.Resampling.BICUBIC))
    near, far = (Detector().detect([photo])[0] for photo in (small, large))
    assert near is not None
    assert far is not None
    width = near.box[2] - near.box[0]
    a, b = np.array(near.landmarks) + 0.5, (np.array(far.landmarks) + 0.5) / 10
    assert np.abs(a - b).max() < 0.03 * width
    assert np.abs(np.array(near.box) - np.array(far.box) / 10).max() < 0.06 * width


STREAM = """
import io, sys
from pathlib import Path
import PIL.Image
from bench.store.cache import Cache
from bench.encoders import ready
from bench.photos.collection import Photos
from bench.recognition.observer import Observer
from bench.machine.progress import Silent
from bench.types import Face, Folders

home, count = sys.argv[1], int(sys.argv[2])
out = io.BytesIO()
PIL.Image.new("RGB", (4000, 3000), (90, 120, 150)).save(out, "JPEG")

class Somewhere:
    def detect(self, photos, boxes):
        points = ((1800, 1400), (2200, 1400), (2000, 1600), (1850, 1800), (2150, 1800))
        return [Face((1500, 1000, 2500, 2200), points, 1.0) for _ in photos]

where = Folders(home)
observer = Observer.on("cpu", where, Cache(Path(home)), Silent())
observer.finder.__dict__["detector"] = Somewhere()
names = tuple(f"{count}/{i}" for i in range(count))
photos = Photos(names, lambda wanted: [out.getvalue() for _ in wanted])
seen = observer.observe(photos, [ready("synth-ir", where)], "test")
assert len(seen.embeddings["synth-ir"]) == count
"""


@pytest.mark.slow
def test_the_process_does_not_grow_with_the_number_of_photos(
    tmp_path: Path, peak_of: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # 8 fill the two chunks that are held; 40 would be 1.1 GiB more if they all stayed. A detector that
    # takes no time stands in for the real one: decoding, cutting and embedding are what they are.
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    (few, _), (many, _) = (peak_of(STREAM, tmp_path, count) for count in (8, 40))
    assert many - few < 150, (few, many)
    assert many < 2048


def test_an_encoder_that_fails_for_some_photos_is_named_with_them(tmp_path: Path) -> None:
    (injection,) = encoders_that_fail.INJECTIONS
    assert_all_right(injection, 25, 3, tmp_path)


def test_several_looks_are_their_mean_and_have_a_key_of_their_own(
    faces: list[Image], watch: Watch, nowhere: Folders
) -> None:
    both = Photos(("one", "two"), lambda wanted: [faces[i] for i in wanted])
    wanted, looks = [ready(ENCODER, nowhere)], ResizePad(3, 0.8, 0)

    def seen(photos: Photos, varied: ResizePad | None) -> np.ndarray:
        return watch().observe(photos, wanted, "test", varied).embeddings[ENCODER].vectors

    found = seen(both, looks)
    crops, _ = watch().crops(both, wanted[0])
    network = watch().pool.encoder(wanted[0])
    for i, name in enumerate(both.digests):
        total = network.embed(looks(crops[i : i + 1], name)).sum(0)
        np.testing.assert_allclose(found[i], total / total.norm(), atol=1e-5)
    # alone or in company, and from the cache
    np.testing.assert_array_equal(seen(Photos(("two",), lambda wanted: [faces[1]]), looks)[0], found[1])
    others = [seen(both, varied) for varied in (None, ResizePad(4, 0.8, 0), ResizePad(3, 0.7, 0))]
    others.append(seen(both, ResizePad(3, 0.8, 1)))
    assert all(not np.array_equal(found, other) for other in others)
    assert all((found * other).sum(1).min() > 0.8 for other in others)
    # a photo that looks the same under another digest is looked at in other places
    renamed = seen(Photos(("three", "two"), lambda wanted: [faces[i] for i in wanted]), looks)
    assert not np.array_equal(renamed[0], found[0])
    np.testing.assert_array_equal(renamed[1], found[1])
