"""The detector finds what facenet-pytorch's MTCNN finds, and a photo's face never depends on its company."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from bench.errors import UserError
from bench.faces.choice import Policy
from bench.faces.detect import Detector
from bench.faces.detections import suppress
from bench.faces.detectors.mtcnn import cascade as mtcnn
from bench.faces.detectors.mtcnn import networks as mtcnn_nets
from bench.faces.detectors.mtcnn.card import DIGESTS
from bench.machine.workers import each
from bench.registry import load
from bench.torchvision_compat import ensure
from bench.types import Folders, Image


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    """Four drawn faces, 160 x 160."""
    photos = load("datasets", "synthetic")().open(Folders(home=str(tmp_path_factory.mktemp("home"))))
    return list(photos.read(photos.catalogue().photos[:60:16]))


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def enlarged(photo: Image, times: int) -> Image:
    return photo.repeat(times, 0).repeat(times, 1)


def pasted(canvas: tuple[int, int], *placed: tuple[Image, int, int]) -> Image:
    """A grey canvas (height, width) with photos at (y, x)."""
    out = np.full((*canvas, 3), 90, np.uint8)
    for photo, y, x in placed:
        out[y : y + photo.shape[0], x : x + photo.shape[1]] = photo
    return out


def test_a_face_is_the_same_whatever_photos_share_the_call(drawn: list[Image], detector: Detector) -> None:
    photos = [*drawn, drawn[0][:, ::-1].copy(), enlarged(drawn[1], 2), np.zeros((1, 1, 3), np.uint8)]
    alone = [detector.detect([photo])[0] for photo in photos]
    assert sum(face is not None for face in alone) == 6
    order = np.random.default_rng(0).permutation(len(photos))
    assert detector.detect(photos) == alone
    assert detector.detect([photos[i] for i in order]) == [alone[i] for i in order]
    assert detector.detect(photos[2:5]) == alone[2:5]


def test_a_second_detector_and_the_calling_thread_give_the_same_bits(drawn: list[Image]) -> None:
    first = mtcnn.Cascade("cpu").faces(drawn[0], 40)
    again = each(lambda photo: mtcnn.Cascade("cpu").faces(photo, 40), [drawn[0]])[0]
    for a, b in (
        (first.boxes, again.boxes),
        (first.scores, again.scores),
        (first.landmarks, again.landmarks),
    ):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("smallest", [20, 40])
def test_agrees_with_the_package(drawn: list[Image], smallest: int) -> None:
    ensure()
    from facenet_pytorch import MTCNN

    for name in DIGESTS:
        mtcnn_nets.state(name)  # verifies the files that MTCNN() reads without looking
    theirs = MTCNN(min_face_size=smallest)
    ours = mtcnn.Cascade("cpu")
    for photo in (*drawn, pasted((200, 360), (drawn[0], 10, 10), (drawn[1], 30, 190)), enlarged(drawn[2], 2)):
        found = ours.faces(photo, smallest)
        boxes, scores, points = theirs.detect(torch.from_numpy(photo), landmarks=True)
        assert boxes is not None
        assert len(boxes) == len(found.boxes)
        boxes, scores, points = (np.asarray(a, np.float32) for a in (boxes, scores, points))
        mine, other = np.argsort(found.boxes[:, 0]), np.argsort(boxes[:, 0])
        np.testing.assert_allclose(found.boxes[mine], boxes[other], atol=0.05)
        np.testing.assert_allclose(found.landmarks[mine], points[other], atol=0.05)
        np.testing.assert_allclose(found.scores[mine], scores[other], atol=1e-4)


@pytest.mark.parametrize(("policy", "middle"), [("central", 320), ("largest", 160)])
def test_which_of_two_faces(drawn: list[Image], policy: Policy, middle: int) -> None:
    # one face in the centre of the photo, one twice as large in its corner
    photo = pasted((800, 640), (enlarged(drawn[1], 2), 0, 0), (drawn[0], 320, 240))
    (face,) = Detector(policy=policy).detect([photo])
    assert face is not None
    assert face.found == 2
    assert abs((face.box[0] + face.box[2]) / 2 - middle) < 40


def test_a_given_box_says_which_of_two_faces(drawn: list[Image], detector: Detector) -> None:
    # a large face on the left, a small one on the right; the policy would take the large one
    photo = pasted((320, 560), (enlarged(drawn[1], 2), 0, 0), (drawn[0], 80, 380))
    (large,) = detector.detect([photo])
    assert large is not None
    (small,) = detector.detect([photo], [(400.0, 100.0, 520.0, 220.0)])
    assert small is not None
    assert small.box[0] > 380 > large.box[2]
    # both faces lie in a box around everything: the one whose corners are nearer to its corners is meant
    everything = (0.0, 0.0, 560.0, 320.0)
    distance = [sum((a - b) ** 2 for a, b in zip(f.box, everything, strict=True)) for f in (large, small)]
    assert detector.detect([photo], [everything]) == [large if distance[0] < distance[1] else small]
    # no face where the data set says that the person is: somebody else's is not taken
    assert detector.detect([photo], [(330.0, 0.0, 370.0, 40.0)]) == [None]
    assert detector.detect([photo, photo], [None, large.box]) == [large, large]


def test_as_many_boxes_as_photos_or_none(drawn: list[Image], detector: Detector) -> None:
    with pytest.raises(ValueError, match="shorter"):
        detector.detect(drawn, [None])


def test_landmarks_are_in_the_order_of_face(drawn: list[Image], detector: Detector) -> None:
    for photo in (drawn[0], drawn[0][:, ::-1].copy()):
        (face,) = detector.detect([photo])
        assert face is not None
        left, right, nose, mouth_left, mouth_right = face.landmarks
        assert left[0] < right[0]
        assert mouth_left[0] < mouth_right[0]
        assert max(left[1], right[1]) < nose[1] < min(mouth_left[1], mouth_right[1])
        assert 0 <= face.score <= 1


def test_coordinates_lie_on_a_grid(drawn: list[Image], detector: Detector) -> None:
    (face,) = detector.detect([drawn[0]])
    assert face is not None
    for value in (*face.box, *(v for point in face.landmarks for v in point)):
        assert type(value) is float
        assert value * 256 == round(value * 256)


@pytest.mark.parametrize("shape", [(1, 1), (11, 300), (39, 39), (40, 40), (64, 2000)])
def test_photos_without_a_face(detector: Detector, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert detector.detect([np.zeros((*shape, 3), np.uint8), noise]) == [None, None]


def test_no_photos(detector: Detector) -> None:
    assert detector.detect([]) == []


def test_small_faces_are_sought_only_where_asked(drawn: list[Image]) -> None:
    small = pasted((160, 160), (drawn[0][::4, ::4], 50, 50))
    assert Detector(min_face=100).detect([small]) == [None]
    (face,) = Detector(min_face=20).detect([small])
    assert face is not None
    large = pasted((800, 800), (drawn[0], 300, 300))
    assert Detector(min_share=0.5).detect([large]) == [None]
    assert Detector(min_share=0.04).detect([large]) != [None]


def test_every_parameter_is_in_parameters() -> None:
    plain = Detector().parameters()
    others = [Detector(policy="largest"), Detector(min_face=30), Detector(min_share=0.1)]
    assert all(other.parameters() != plain for other in others)
    assert plain["weights"] == DIGESTS
    assert Detector().parameters() == plain


def test_bad_parameters_are_the_users_mistake() -> None:
    unknown: Any = "best"  # as a config file might say
    with pytest.raises(UserError, match="'central' or 'largest'"):
        Detector(policy=unknown)
    with pytest.raises(UserError, match="at least 12"):
        Detector(min_face=3)


def test_altered_weights_are_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    right = DIGESTS["rnet"]
    monkeypatch.setitem(DIGESTS, "rnet", "0" * 64)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("read before verified"))
    with pytest.raises(UserError, match=f"{right}.*{'0' * 64}"):
        mtcnn_nets.state("rnet")


@pytest.mark.parametrize(("name", "side"), [("pnet", 31), ("rnet", 24), ("onet", 48)])
def test_our_graphs_are_the_packages_networks(name: str, side: int) -> None:
    # in_torch runs the package's modules on any device: here on the CPU, beside our graph of them
    weights = mtcnn_nets.state(name)
    x = (
        np.random.default_rng(3)
        .uniform(-1, 1, (1 if name == "pnet" else 5, 3, side, side))
        .astype(np.float32)
    )
    ours = mtcnn_nets.in_onnxruntime(name, weights)(x)
    theirs = mtcnn_nets.in_torch(name, weights, "cpu")(x)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


def test_averages_are_area_interpolation() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (53, 71, 3), np.uint8)
    planes = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].double()

    def area(part: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
        return ((torch.nn.functional.interpolate(part, size, mode="area") - 127.5) / 128).numpy()

    table = mtcnn.summed(photo)
    np.testing.assert_allclose(mtcnn.level(table, 17, 40), area(planes, (17, 40)), atol=1e-6)
    windows = np.array([[0, 0, 71, 53], [5, 7, 8, 50], [70, 52, 71, 53]])  # x0, y0, x1, y1
    crops = mtcnn.crops(table, windows, 24)
    for crop, (x0, y0, x1, y1) in zip(crops, windows, strict=True):
        np.testing.assert_allclose(crop, area(planes[:, :, y0:y1, x0:x1], (24, 24))[0], atol=1e-6)


def test_sums_may_wrap_around() -> None:
    # a photo of over 16 million pixels passes 2**32; shifting every sum by a constant does the same
    photo = np.random.default_rng(2).integers(0, 256, (40, 40, 3), np.uint8)
    table = mtcnn.summed(photo)
    wrapped = table + np.uint32(2**32 - 100_000)
    assert (wrapped < table).any()
    np.testing.assert_array_equal(mtcnn.level(wrapped, 9, 9), mtcnn.level(table, 9, 9))


@pytest.mark.parametrize("count", [0, 1, 40, 700])
@pytest.mark.parametrize("of_smaller", [False, True])
def test_suppression_by_definition(count: int, of_smaller: bool) -> None:
    rng = np.random.default_rng(count)
    low = rng.integers(0, 100, (count, 2))
    boxes = np.concatenate([low, low + rng.integers(5, 40, (count, 2))], 1).astype(np.float32)
    scores = rng.integers(0, 50, count).astype(np.float32)  # ties on purpose
    plus = 1 if of_smaller else 0

    def overlap(a: np.ndarray, b: np.ndarray) -> float:
        w = min(a[2], b[2]) - max(a[0], b[0]) + plus
        h = min(a[3], b[3]) - max(a[1], b[1]) + plus
        both = max(w, 0) * max(h, 0)
        one, two = ((x[2] - x[0] + plus) * (x[3] - x[1] + plus) for x in (a, b))
        return float(both / (min(one, two) if of_smaller else one + two - both))

    kept: list[int] = []
    for i in sorted(range(count), key=lambda i: -scores[i]):
        if all(overlap(boxes[i], boxes[k]) <= 0.5 for k in kept):
            kept.append(i)
    assert suppress(boxes, scores, 0.5, of_smaller=of_smaller).tolist() == kept


def test_torchvisions_nms_works_whichever_build_is_installed() -> None:
    from bench.torchvision_compat import non_maximum_suppression

    first = ensure()
    assert ensure() is first  # a second call changes nothing
    import torchvision

    rng = np.random.default_rng(5)
    low = rng.uniform(0, 80, (200, 2))
    boxes = np.concatenate([low, low + rng.uniform(5, 40, (200, 2))], 1).astype(np.float32)
    scores = rng.permutation(200).astype(np.float32)
    expected = suppress(boxes, scores, 0.4).tolist()
    arguments = (torch.from_numpy(boxes), torch.from_numpy(scores), 0.4)
    assert torchvision.ops.nms(*arguments).tolist() == expected
    assert non_maximum_suppression(*arguments).tolist() == expected
    assert non_maximum_suppression(torch.zeros(0, 4), torch.zeros(0), 0.4).tolist() == []
