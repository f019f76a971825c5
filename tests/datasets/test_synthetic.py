"""The built-in faces: what is promised of parameters, pixels and landmarks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from bench.datasets._synthetic import revision
from bench.datasets._synthetic.head import SIDE, landmarks, surface
from bench.datasets._synthetic.identity import Identity, identity
from bench.datasets._synthetic.photo import Photo, noise, photo
from bench.datasets._synthetic.planes import power, stack
from bench.datasets._synthetic.render import render
from bench.datasets.synthetic import Synthetic

from bench.errors import UserError
from bench.types import Folders

ROOT = Path(__file__).resolve().parents[2]
NOWHERE = Folders(home="/nowhere")


def vector(parameters: Identity | Photo) -> npt.NDArray[np.float64]:
    return np.concatenate([np.ravel(value) for value in astuple(parameters)])


def fingerprint(parameters: Identity | Photo) -> str:
    # ten digits: what is left of a libm's freedom in the last bit is not a change of the person
    text = " ".join(f"{value:.10g}" for value in vector(parameters))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# --- parameters


def test_a_number_is_the_same_person_for_ever() -> None:
    assert fingerprint(identity(123)) == "6b8ead62b9b7cab3"


def test_a_pair_is_the_same_photo_for_ever() -> None:
    assert fingerprint(photo(123, 7, 0.6)) == "573a9e86363df637"


def test_people_differ_and_photos_differ() -> None:
    people = {fingerprint(identity(i)) for i in range(300)}
    photos = {fingerprint(photo(i, j, 0.6)) for i in range(15) for j in range(20)}
    assert (len(people), len(photos)) == (300, 300)


def test_identity_does_not_depend_on_the_photo_nor_on_what_was_asked_before() -> None:
    before = vector(identity.__wrapped__(5))
    photo(5, 0, 0.6), identity(6), photo(5, 1, 0.6)
    assert np.array_equal(before, vector(identity.__wrapped__(5)))


def test_hardness_scales_the_pose_and_keeps_the_person_the_smile_and_the_clothes() -> None:
    easy, hard = photo(9, 3, 0.3), photo(9, 3, 0.6)
    assert hard.yaw == pytest.approx(2 * easy.yaw)
    assert (hard.smile, hard.cloth, hard.back_near) == (easy.smile, easy.cloth, easy.back_near)


def test_without_hardness_the_camera_looks_straight_and_adds_no_noise() -> None:
    studio = photo(9, 3, 0.0)
    assert (studio.yaw, studio.pitch, studio.roll, studio.scale) == (0, 0, 0, 1)
    assert (studio.noise, studio.blur) == (0, 0)


def test_glasses_are_worn_as_often_as_the_person_wears_them() -> None:
    odds = np.array([identity(i).glasses_odds for i in range(2000)])
    # 15 % wear them on .85 of their photos, the rest on .06; three standard errors of 2,000 draws
    assert np.mean(odds == 0.85) == pytest.approx(0.15, abs=3 * (0.15 * 0.85 / 2000) ** 0.5)
    wearer = int(np.flatnonzero(odds == 0.85)[0])
    worn = np.mean([photo(wearer, j, 0.6).glasses_on for j in range(1000)])
    assert worn == pytest.approx(0.85, abs=3 * (0.85 * 0.15 / 1000) ** 0.5)


@pytest.mark.parametrize(("person", "number", "hardness"), [(-1, 0, 0.6), (0, -1, 0.6), (0, 0, -0.1)])
def test_negative_numbers_are_refused(person: int, number: int, hardness: float) -> None:
    with pytest.raises(ValueError, match=r"negative|0 or above"):
        render([person], [number], hardness=hardness)


# --- pixels


@pytest.fixture(scope="module")
def drawn() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    pixels, landmarks = render([10, 10, 11, 12], [0, 1, 0, 5])
    return pixels, landmarks


def test_the_same_photo_has_the_same_bytes_whatever_its_batch(
    drawn: tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]],
) -> None:
    alone = [render([i], [j]) for i, j in ((10, 0), (10, 1), (11, 0), (12, 5))]
    assert np.array_equal(drawn[0], np.concatenate([pixels for pixels, _ in alone]))
    assert np.array_equal(drawn[1], np.concatenate([points for _, points in alone]))
    backwards, _ = render([12, 11, 10, 10], [5, 0, 1, 0], batch=3)
    assert np.array_equal(drawn[0], backwards[::-1])


def test_the_same_bytes_on_one_thread_and_on_many(
    drawn: tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]],
) -> None:
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 5):
            torch.set_num_threads(count)
            assert np.array_equal(drawn[0], render([10, 10, 11, 12], [0, 1, 0, 5])[0])
    finally:
        torch.set_num_threads(threads)


def test_photos_are_rgb_bytes_with_something_on_them(
    drawn: tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]],
) -> None:
    pixels, _ = drawn
    assert (pixels.shape, pixels.dtype) == ((4, SIDE, SIDE, 3), np.uint8)
    assert pixels.std(axis=(1, 2, 3)).min() > 10


def test_noise_is_the_photos_own() -> None:
    assert np.array_equal(noise(1, 2, 8), noise(1, 2, 8))
    assert not np.array_equal(noise(1, 2, 8), noise(1, 3, 8))
    assert not np.array_equal(noise(1, 2, 8), noise(2, 2, 8))


def test_power_is_the_power() -> None:
    base = torch.tensor([0.0, 0.25, 1.0, 2.0])
    assert torch.allclose(power(base, 2.5), base**2.5, atol=1e-6)


# --- landmarks


def test_landmarks_are_inside_the_photo_and_in_order() -> None:
    identities, photos = np.repeat(np.arange(40), 5).tolist(), list(range(5)) * 40
    people = stack([identity(i) for i in identities], "cpu")
    points = landmarks(
        people, stack([photo(i, j, 1.0) for i, j in zip(identities, photos, strict=True)], "cpu")
    ).numpy()
    assert points.min() > 8
    assert points.max() < SIDE - 8
    left, right, nose, mouth_left, mouth_right = points.transpose(1, 0, 2)
    assert (left[:, 0] < right[:, 0]).all()
    assert (mouth_left[:, 0] < mouth_right[:, 0]).all()
    assert (nose[:, 1] > np.minimum(left[:, 1], right[:, 1])).all()
    assert (nose[:, 1] < np.maximum(mouth_left[:, 1], mouth_right[:, 1])).all()
    assert np.linalg.norm(right - left, axis=1).mean() == pytest.approx(35, abs=1.5)


def test_a_ray_through_a_landmark_meets_that_feature() -> None:
    people = [identity(i) for i in range(30)]
    shots = [photo(i, 2, 1.0) for i in range(30)]
    person, shot = stack(people, "cpu").double(), stack(shots, "cpu").double()
    at = (landmarks(stack(people, "cpu"), stack(shots, "cpu")) + 0.5) * (2 / SIDE) - 1
    seen = surface(person, shot, at[:, :, :1], at[:, :, 1:])
    left = person.asymmetry[0] - person.eye_x
    right = person.asymmetry[1] + person.eye_x
    assert torch.allclose(seen.face_x[:, 0:1], left, atol=1e-6)
    assert torch.allclose(seen.face_x[:, 1:2], right, atol=1e-6)
    assert seen.nose_x[:, 2].abs().max() < 1e-6


def test_roll_scale_and_shift_move_landmarks_as_a_similarity_does() -> None:
    straight = replace(photo(4, 0, 0.0))
    moved = replace(straight, roll=0.15, scale=1.1, shift_x=0.05, shift_y=-0.03)
    person = stack([identity(4)], "cpu")
    plain, seen = (landmarks(person, stack([shot], "cpu"))[0].numpy() for shot in (straight, moved))
    centre = (SIDE - 1) / 2
    turn = np.array([[np.cos(0.15), -np.sin(0.15)], [np.sin(0.15), np.cos(0.15)]])
    expected = 1.1 * (plain - centre) @ turn.T + np.array([0.05, -0.03]) * SIDE / 2 + centre
    assert np.allclose(seen, expected, atol=1e-4)


def test_yaw_moves_the_nose_further_than_the_eyes() -> None:
    straight = photo(4, 0, 0.0)
    person = stack([identity(4)], "cpu")
    before, after = (
        landmarks(person, stack([replace(straight, yaw=yaw)], "cpu"))[0].numpy() for yaw in (0.0, 0.3)
    )
    eyes, nose = (after - before)[:2, 0].mean(), (after - before)[2, 0]
    assert 0 < eyes < nose


def test_a_detector_of_real_faces_finds_them_where_they_are() -> None:
    from bench import torchvision_compat

    torchvision_compat.ensure()
    from facenet_pytorch import MTCNN

    pixels, points = render(list(range(40)), [0] * 40)
    _, score, points_found = MTCNN(keep_all=True, min_face_size=40, device="cpu").detect(
        pixels, landmarks=True
    )
    seen = [i for i in range(40) if score[i][0] is not None]
    assert len(seen) >= 38
    miss = [
        np.linalg.norm(points_found[i][np.argmax(score[i])].astype(float) - points[i], axis=1) for i in seen
    ]
    assert np.median(miss) < 3


# --- the data set


def test_names_digests_and_pixels_belong_together() -> None:
    opened = Synthetic(people=3, photos_each=2).open(NOWHERE)
    catalogue = opened.catalogue()
    assert catalogue.photos == tuple(sorted(catalogue.photos))
    assert list(zip(catalogue.photos, catalogue.identities, strict=True))[2:4] == [
        ("p000001/00", "p000001"),
        ("p000001/01", "p000001"),
    ]
    assert len({opened.digest(name) for name in catalogue.photos}) == 6
    first, again = opened.read(["p000002/01", "p000000/00"]), opened.read(["p000002/01"])
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[0], render([2], [1])[0][0])


def test_what_was_drawn_of_late_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def counted(identities: list[int], photos: list[int], **how: float) -> object:
        drawn.extend(photos)
        return render(identities, photos, **how)

    monkeypatch.setattr("bench.datasets._synthetic.render.render", counted)
    monkeypatch.setattr("bench.datasets.synthetic.KEPT", 2)
    data = Synthetic(people=2, photos_each=4).open(NOWHERE)
    first, second = (np.asarray(p) for p in data.read(["p000000/00", "p000000/01"]))
    again = data.read(["p000000/01", "p000000/00", "p000000/01"])
    assert drawn == [0, 1]
    assert np.array_equal(again[1], first)
    assert np.array_equal(again[0], second)
    # whoever writes on a photo writes on a copy
    np.asarray(again[1])[:] = 0
    assert np.array_equal(data.read(["p000000/00"])[0], first)
    # two are kept, those asked for last
    data.read(["p000000/02"])
    data.read(["p000000/00", "p000000/01"])
    assert drawn == [0, 1, 2, 1]


def test_a_digest_changes_with_hardness_and_not_with_how_many_people_there_are() -> None:
    small, large = (Synthetic(people=n).open(NOWHERE) for n in (2, 5))
    harder = Synthetic(people=2, hardness=0.7).open(NOWHERE)
    assert small.digest("p000001/03") == large.digest("p000001/03") != harder.digest("p000001/03")
    assert small.card.revision == harder.card.revision


@pytest.mark.parametrize("name", ["p000003/00", "p000000/20", "p0/0", "p1000000/00", "p000000/007", "../x"])
def test_a_photo_that_is_not_there_is_a_user_error(name: str) -> None:
    opened = Synthetic(people=3, photos_each=20).open(NOWHERE)
    with pytest.raises(UserError, match="its names go from p000000/00 to p000002/19"):
        opened.digest(name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"people": 0},
        {"people": 1_000_001},
        {"photos_each": 0},
        {"photos_each": 1001},
        {"hardness": -0.1},
        {"hardness": float("nan")},
        {"population": "train-ir"},
        {"population": "nobody"},
    ],
)
def test_parameters_out_of_range_are_a_user_error_of_one_line(wrong: dict[str, object]) -> None:
    with pytest.raises(UserError) as error:
        replace(Synthetic(), **wrong).open(NOWHERE)
    assert "\n" not in str(error.value)
    assert next(iter(wrong)) in str(error.value)


def test_the_revision_follows_the_code_and_not_its_docstrings() -> None:
    code = revision.digest_of_code
    assert code('"""One."""\ndef f():\n    """Two."""\n    return 1  # three\n') == code(
        "def f():\n    return 1\n"
    )
    assert code("def f():\n    return 1\n") != code("def f():\n    return 2\n")


def test_the_committed_records_are_of_todays_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    # the revision counts the libraries' versions, too: those of the records, whatever is installed here
    record = json.loads((ROOT / "results" / "built-in" / "records.json").read_text("utf-8"))["cells"][0]
    monkeypatch.setattr(revision, "version", record["environment"]["packages"].__getitem__)
    assert revision.renderer_revision.__wrapped__() == record["dataset"]["digest"]


def test_the_revision_covers_every_file_that_draws() -> None:
    folder = Path(revision.__file__).parent
    parts = {path.stem for path in folder.glob("*.py")}
    # populations say who may be drawn, not how; the revision is about the others
    assert parts - {"__init__", "populations", "revision"} == set(revision.PARTS)
