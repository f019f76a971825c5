"""YuNet's file is checked before it is read, and its outputs mean what OpenCV says they mean."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bench.errors import UserError
from bench.faces.detectors import yunet
from bench.faces.detectors.yunet import DETECTOR, FILE, STRIDES, Network, decode
from bench.photos.decode import decode as decode_photo
from bench.store.sources import SOURCES
from bench.types import Folders, Image

SIZES = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}


def planted(**cells: dict[int, list[float]]) -> bytes:
    """A network that answers the same to any photo of 64 x 64: `cls_8={cell: values}`, else zeros."""
    outputs, constants = [], []
    for stride in STRIDES:
        for kind, size in SIZES.items():
            values = np.zeros((1, (64 // stride) ** 2, size), np.float32)
            for cell, given in cells.get(f"{kind}_{stride}", {}).items():
                values[0, cell] = given
            name = f"{kind}_{stride}"
            constants.append(
                helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values, name))
            )
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, values.shape))
    photo = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "h", "w"])
    graph = helper.make_graph(constants, "planted", [photo], outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


POINTS = [0.0, 0.0, 1.0, 0.0, 0.5, 0.5, 0.0, 1.0, 1.0, 1.0]
PHOTO = np.zeros((64, 64, 3), np.uint8)


def test_a_cell_tells_of_a_face_where_it_says() -> None:
    # of 4 x 4 cells of 16 pixels, number 6 is in row 1 and column 2: its corner is at (32, 16)
    content = planted(
        cls_16={6: [0.81]}, obj_16={6: [1.0]}, bbox_16={6: [0.5, 0.25, np.log(3), 0.0]}, kps_16={6: POINTS}
    )
    found = Network(content).all_faces(PHOTO)
    # the centre lies at (32 + .5 * 16, 16 + .25 * 16), the box is 48 x 16
    np.testing.assert_allclose(found.boxes, [[16, 12, 64, 28]], rtol=1e-6)
    np.testing.assert_allclose(found.scores, [0.9], rtol=1e-6)
    np.testing.assert_allclose(found.landmarks[0], [[32, 16], [48, 16], [40, 24], [32, 32], [48, 32]])


def test_two_boxes_of_one_face_are_one_and_the_better_stays() -> None:
    cells = {"cls_8": {9: [0.8], 10: [1.0], 60: [0.9]}, "obj_8": {9: [1.0], 10: [1.0], 60: [1.0]}}
    size = [0.0, 0.0, np.log(4), np.log(4)]
    boxes = {9: [1.0, *size[1:]], 10: [0.1, *size[1:]], 60: size}
    found = Network(planted(**cells, bbox_8=boxes)).all_faces(PHOTO)
    np.testing.assert_allclose(found.scores, [1, np.sqrt(0.9)], rtol=1e-6)
    np.testing.assert_allclose(found.boxes[0], [0.8, -8, 32.8, 24], atol=1e-5)


def test_a_doubtful_face_is_none() -> None:
    sure = {5: [yunet.SCORE + 0.001]}
    unsure = {5: [yunet.SCORE - 0.001]}
    assert len(Network(planted(cls_32={0: [1.0]}, obj_32={0: [1.0]})).all_faces(PHOTO).boxes) == 1
    for classes, objects, count in ((sure, sure, 1), (unsure, unsure, 0), (unsure, {}, 0)):
        found = Network(planted(cls_16=classes, obj_16=objects)).all_faces(PHOTO)
        assert len(found.boxes) == count


@pytest.mark.parametrize("wild", [np.inf, 1e30, 200.0])
def test_a_wild_size_is_a_number_all_the_same(wild: float) -> None:
    sure, points = np.full((1, 1), wild, np.float32), np.zeros((1, 10), np.float32)
    size = np.array([[0, 0, wild, wild]], np.float32)
    boxes, scores, _ = decode(sure, sure, size, points, columns=1, stride=32)
    assert np.isfinite(boxes).all()
    assert scores.tolist() == [1]


def test_what_is_no_number_is_no_face() -> None:
    nothing = np.full((4, 1), np.nan, np.float32)
    size, points = np.zeros((4, 4), np.float32), np.zeros((4, 10), np.float32)
    boxes, _, _ = decode(nothing, nothing, size, points, columns=2, stride=8)
    assert len(boxes) == 0


def put(folders: Folders, content: bytes) -> Path:
    path = Path(folders.home) / "weights" / FILE.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_without_the_file_it_says_where_it_looked_and_what_to_type(folders: Folders) -> None:
    for refused in (lambda: DETECTOR.check(folders), lambda: DETECTOR.load(folders, "cpu")):
        with pytest.raises(UserError) as caught:
            refused()
        said = str(caught.value)
        for part in ("detector 'yunet'", f"no {FILE.name} in", "bench fetch yunet", folders.home):
            assert part in said
        assert str(Path(str(folders.real_data)) / "weights") in said
        assert "\n" not in said


def test_a_file_that_is_cut_short_is_refused_by_its_size(folders: Folders) -> None:
    put(folders, b"x" * 100)
    with pytest.raises(UserError, match=r"cut short or another file: it has 100 bytes.*322,906"):
        DETECTOR.check(folders)


def test_another_file_of_the_same_size_is_refused_by_its_digest(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("read unverified"))
    put(folders, b"x" * FILE.size)
    for refused in (lambda: DETECTOR.check(folders), lambda: DETECTOR.load(folders, "cpu")):
        with pytest.raises(UserError, match=f"sha256.*{FILE.sha256}"):
            refused()


@pytest.mark.parametrize("place", ["home/weights", "real/weights", "real/detectors"])
def test_it_is_found_in_every_folder_of_weights(
    folders: Folders, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = planted()
    card = replace(FILE, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(yunet, "FILE", card)
    monkeypatch.setattr(type(DETECTOR), "files", (card,))
    path = tmp_path / place / FILE.name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    DETECTOR.check(folders)
    assert len(DETECTOR.load(folders, "cpu").faces(PHOTO, 40).boxes) == 0


def photos_of(real_data: Path, count: int) -> list[Image]:
    files = sorted((real_data / "lfw").glob("*/*_0001.jpg"))
    return [decode_photo(file.read_bytes()) for file in files[:: len(files) // count][:count]]


@pytest.mark.real
def test_opencv_reads_the_same_faces_out_of_the_same_file(real_data: Path, real_folders: Folders) -> None:
    cv2: Any = pytest.importorskip("cv2")
    path = DETECTOR.path(FILE, real_folders)
    network = Network(path.read_bytes())
    photos = photos_of(real_data, 60)
    # two people beside each other, and a size that is no multiple of a cell
    photos += [np.concatenate(photos[:2], 1), photos[3][:203, :187].copy()]
    several = 0
    for photo in photos:
        height, width = photo.shape[:2]
        theirs = cv2.FaceDetectorYN.create(str(path), "", (width, height), yunet.SCORE, yunet.OVERLAP, 5000)
        _, rows = theirs.detect(np.ascontiguousarray(photo[:, :, ::-1]))
        rows = np.zeros((0, 15)) if rows is None else rows
        found = network.all_faces(photo)
        assert len(found.boxes) == len(rows)
        order, other = np.lexsort((found.boxes[:, 0],)), np.lexsort((rows[:, 0],))
        corners = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], 1)
        np.testing.assert_allclose(found.boxes[order], corners[other], atol=0.01)
        np.testing.assert_allclose(found.landmarks[order].reshape(-1, 10), rows[other, 4:14], atol=0.01)
        np.testing.assert_allclose(found.scores[order], rows[other, 14], atol=1e-4)
        several += len(rows) > 1
    assert several >= 1


@pytest.mark.real
def test_the_released_file_is_the_one_of_the_card(real_folders: Folders) -> None:
    content = DETECTOR.path(FILE, real_folders).read_bytes()
    graph = onnx.load_model_from_string(content).graph
    assert [given.name for given in graph.input] == ["input"]
    assert {given.name for given in graph.output} == {f"{k}_{s}" for k in SIZES for s in STRIDES}


def test_what_is_fetched_is_the_file_of_the_card() -> None:
    [item] = SOURCES[DETECTOR.name].items
    assert (Path(item.place).name, item.sha256, item.size) == (FILE.name, FILE.sha256, FILE.size)
