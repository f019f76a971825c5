"""Encoders that users name by file: what their cards may say, and everything that can be wrong with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import bench.encoders
from bench.encoders import trial_run
from bench.encoders.faults import EncoderFault
from bench.encoders.preprocessing import sample
from bench.errors import UserError
from bench.types import ARCFACE_CROP, Folders, Preprocessing

CARD = {
    "architecture": "three means",
    "training_set": "none",
    "licence": "MIT",
    "source": "a test",
    "dimensions": 5,
}
NAMES = ("x", "y")


def graph(
    *,
    size: int | str = 112,
    batch: int | str = "n",
    channels: int = 3,
    kind: int = TensorProto.FLOAT,
    outputs: int = 1,
    value: float = 1.0,
    before: tuple[onnx.NodeProto, ...] = (),
    layout: str = "nchw",
) -> onnx.ModelProto:
    """Mean colours [n, 3] times a matrix [3, 5]: the least that is an embedding."""
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    matrix = (value * np.arange(1, 16).reshape(3, 5)).astype(dtype)
    shape = [batch, channels, size, size] if layout == "nchw" else [batch, size, size, channels]
    where = [2, 3] if layout == "nchw" else [1, 2]
    start = before[-1].output[0] if before else "some.input"
    nodes = [
        *before,
        helper.make_node("ReduceMean", [start], ["means"], axes=where, keepdims=0),
        helper.make_node("MatMul", ["means", "matrix"], ["683"]),
        *(helper.make_node("Neg", ["683"], [f"more{i}"]) for i in range(outputs - 1)),
    ]
    given = helper.make_tensor_value_info("some.input", kind, shape)
    results = [helper.make_tensor_value_info(name, kind, None) for name in ("683", "more0")[:outputs]]
    constants = [numpy_helper.from_array(matrix, "matrix")]
    model = helper.make_graph(nodes, "net", [given], results, constants)
    return helper.make_model(model, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A network and a card beside it; returns what a user types."""

    def go(model: onnx.ModelProto | bytes | None, stem: str = "net", /, **card: object) -> str:
        path = tmp_path / f"{stem}.onnx"
        if model is not None:
            path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        stated = {key: value for key, value in (CARD | card).items() if value is not None}
        lines = [f"{key} = {json.dumps(value)}" for key, value in stated.items()]
        (tmp_path / f"{stem}.card.toml").write_text("\n".join(lines))
        return f"onnx:{path}"

    return go


def refused(name: str, folders: Folders, message: str, *, at: str = "ready") -> None:
    """One line, in words of ours; when planning, so that no run starts, or when loading."""
    with pytest.raises(UserError, match=message) as caught:
        if at == "load":
            bench.encoders.load(bench.encoders.ready(name, folders), folders)
        else:
            bench.encoders.ready(name, folders)
    assert "\n" not in str(caught.value)


def test_a_file_and_its_card_are_an_encoder(write: Write, folders: Folders) -> None:
    name = write(graph())
    card = bench.encoders.ready(name, folders)
    assert (card.name, card.dimensions, card.crop) == ("net", 5, ARCFACE_CROP)
    assert card.sha256 == hashlib.sha256(Path(name[5:]).read_bytes()).hexdigest()
    crops = sample(112, 3)
    # mean colours of RGB in [0, 1], times the matrix
    raw = crops.mean((2, 3)) @ torch.arange(1, 16).reshape(3, 5).float()
    truth = torch.nn.functional.normalize(raw)
    encoder = bench.encoders.load(card, folders)
    torch.testing.assert_close(encoder.embed(crops), truth, atol=1e-6, rtol=0)
    torch.testing.assert_close(encoder.twin()(crops), raw)


def test_no_path_is_in_what_is_recorded(write: Write, folders: Folders, tmp_path: Path) -> None:
    card = bench.encoders.ready(write(graph()), folders)
    assert str(tmp_path) not in repr(card)
    assert str(tmp_path) not in json.dumps(bench.encoders.identity(card))


def test_a_card_says_the_preprocessing(write: Write, folders: Folders) -> None:
    name = write(graph(layout="nhwc"), colour="bgr", mean=[100, 110, 120], std=64, layout="nhwc")
    card = bench.encoders.ready(name, folders)
    assert card.preprocessing == Preprocessing("bgr", (100.0, 110.0, 120.0), (64.0,) * 3, "nhwc")
    crops = sample(112, 2)
    blue, green, red = (255 * crops.mean((2, 3))[:, i] for i in (2, 1, 0))
    means = torch.stack([blue - 100, green - 110, red - 120], 1) / 64
    truth = torch.nn.functional.normalize(means @ torch.arange(1, 16).reshape(3, 5).float())
    encoder = bench.encoders.load(card, folders)
    torch.testing.assert_close(encoder.embed(crops), truth, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.nn.functional.normalize(encoder.twin()(crops)), truth)


@pytest.mark.parametrize(("size", "left_eye"), [(112, 38.2946), (224, 76.5892), (128, 46.2946)])
def test_the_arcface_template_is_scaled_as_insightface_does(
    size: int, left_eye: float, write: Write, folders: Folders
) -> None:
    from insightface.utils.face_align import estimate_norm

    crop = bench.encoders.ready(write(graph(size=size), size=size), folders).crop
    assert crop.template[0][0] == pytest.approx(left_eye)
    # their map of the 112 template onto this size, applied to the template, is our template
    points = np.asarray(ARCFACE_CROP.template, np.float32)
    theirs = estimate_norm(points, size)
    np.testing.assert_allclose(points @ theirs[:, :2].T + theirs[:, 2], crop.template, atol=1e-3)


def test_a_box_has_a_margin(write: Write, folders: Folders) -> None:
    crop = bench.encoders.ready(write(graph(size=160), size=160, crop="box", margin=14), folders).crop
    assert (crop.size, crop.kind, crop.margin, crop.template) == (160, "box", 14.0, ())


@pytest.mark.parametrize("margin", [160, 200, float("inf")])
def test_a_margin_leaves_something_of_the_face(margin: float, write: Write, folders: Folders) -> None:
    # the box grows by size / (size - margin): not at all defined at 160 of 160, a mirror image beyond
    name = write(graph(size=160), size=160, crop="box", margin=margin)
    beside = Path(name.partition(":")[2]).with_suffix(".card.toml")
    beside.write_text(beside.read_text().replace("Infinity", "inf"))
    with pytest.raises(UserError, match=r"net.card.toml: margin = .* leaves nothing of a crop of 160"):
        trial_run.ready(name, folders)


WRONG = {
    "did you mean": ({"dimension": 5}, "no key in .*net.card.toml: 'dimension'. Did you mean 'dimensions'"),
    "missing": ({"licence": None}, "'licence' is missing"),
    "empty": ({"architecture": ""}, "architecture = ''"),
    "type": ({"dimensions": "512"}, "dimensions = '512'"),
    "range": ({"dimensions": 0}, "dimensions = 0"),
    "choice": ({"colour": "gbr"}, "colour = 'gbr'.*'rgb' or 'bgr'"),
    "crop": ({"crop": "centre"}, "crop = 'centre'"),
    "name": ({"name": "../net"}, "name = '../net'"),
    "scale": ({"std": 0.5}, "std = 0.5 is not of 8-bit values. For 0.5 of .0, 1. write 127.5"),
    "three": ({"mean": [1, 2]}, "mean has 2 values"),
    "digest": ({"sha256": "abc"}, "sha256 = 'abc'"),
    "another file": ({"sha256": 64 * "0"}, "says sha256 0{64}, but .* has [0-9a-f]{64}"),
    "taken": ({"name": "synth-ir"}, "'synth-ir' is the name of another encoder"),
}


@pytest.mark.parametrize(("card", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_card_is_one_line(
    card: dict[str, object], message: str, write: Write, folders: Folders
) -> None:
    refused(write(graph(), **card), folders, message)


def test_a_file_whose_name_is_no_name(write: Write, folders: Folders) -> None:
    refused(write(graph(), "my net"), folders, "'my net' is no name for an encoder")
    assert bench.encoders.ready(write(graph(), "my net", name="my-net"), folders).name == "my-net"


def test_a_missing_card_says_how_to_write_one(write: Write, folders: Folders, tmp_path: Path) -> None:
    name = write(graph())
    (tmp_path / "net.card.toml").unlink()
    refused(name, folders, r"no card .*net\.card\.toml\. Write one: architecture = ")


def test_a_missing_file(folders: Folders, tmp_path: Path) -> None:
    refused(f"onnx:{tmp_path}/none.onnx", folders, "no file .*none.onnx")
    refused("onnx:", folders, "no file")


def test_a_card_that_is_no_toml(write: Write, folders: Folders, tmp_path: Path) -> None:
    name = write(graph())
    for content in (b"architecture: x", b"\xff\xfe"):
        (tmp_path / "net.card.toml").write_bytes(content)
        refused(name, folders, "net.card.toml is not TOML")


def big() -> bytes:
    content: bytes = graph().SerializeToString()
    return content


FILES: dict[str, tuple[onnx.ModelProto | bytes, str]] = {
    "empty": (b"", "is not an ONNX file"),
    "html": (b"<html><body>404 not found</body></html>", "is not an ONNX file"),
    "pickle": (b"\x80\x02}q\x00.", "is not an ONNX file"),
    "truncated": (big()[: len(big()) // 2], "is not an ONNX file, or only part of one"),
    "another size": (graph(size=160), r"takes \[n, 3, 160, 160\] .* its card says \[n, 3, 112, 112\]"),
    "one channel": (graph(channels=1), r"takes \[n, 1, 112, 112\]"),
    "another layout": (graph(layout="nhwc"), r"takes \[n, 112, 112, 3\]"),
    "two outputs": (graph(outputs=2), r"has 2 outputs \(683, more0\); an encoder has one"),
    "bytes": (graph(kind=TensorProto.DOUBLE), "takes double as 'some.input'"),
}


@pytest.mark.parametrize(("content", "message"), FILES.values(), ids=FILES)
def test_a_wrong_file_is_one_line_before_anything_runs(
    content: onnx.ModelProto | bytes, message: str, write: Write, folders: Folders
) -> None:
    refused(write(content), folders, message)


def test_weights_in_another_file_are_refused(write: Write, folders: Folders) -> None:
    model = graph()
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "elsewhere.bin")
    refused(write(model), folders, "keeps its weights in other files")


def test_so_are_constants_of_a_branch(write: Write, folders: Folders) -> None:
    model = graph()
    elsewhere = numpy_helper.from_array(np.ones(5, np.float32), "bias")
    onnx.external_data_helper.set_external_data(elsewhere, "elsewhere.bin")
    constant = helper.make_node("Constant", [], ["deep"], value=elsewhere)
    branch = helper.make_graph([constant], "branch", [], [helper.make_empty_tensor_value_info("deep")])
    model.graph.node.append(
        helper.make_node("If", ["some.input"], ["unused"], then_branch=branch, else_branch=branch)
    )
    refused(write(model), folders, "keeps its weights in other files")


def test_dimensions_that_only_a_try_can_tell(write: Write, folders: Folders) -> None:
    refused(write(graph(), dimensions=4), folders, "gives 5 numbers a face.*dimensions 4", at="load")


def test_a_graph_that_does_not_run_at_its_size(write: Write, folders: Folders) -> None:
    # any size is accepted, and the matrix then does not fit what comes: 4 x 4 means instead of one
    model = graph(size="s")
    model.graph.node[0].attribute[0].CopyFrom(helper.make_attribute("axes", [1]))
    refused(write(model), folders, "does not (run|load)", at="load")


def test_an_operation_that_onnxruntime_does_not_know(write: Write, folders: Folders) -> None:
    model = graph(before=(helper.make_node("Frobnicate", ["some.input"], ["f"]),))
    refused(write(model), folders, "does not load: .*Frobnicate", at="load")


@pytest.mark.parametrize(("value", "message"), [(float("nan"), "not finite"), (0.0, "zero")])
def test_output_that_is_no_embedding_fails_the_cell_and_not_the_command(
    value: float, message: str, write: Write, folders: Folders
) -> None:
    encoder = bench.encoders.load(write(graph(value=value)), folders)
    with pytest.raises(EncoderFault, match=message):
        encoder.embed(sample(112, 2))


@pytest.mark.parametrize("batch", [1, 4])
def test_a_fixed_batch(batch: int, write: Write, folders: Folders) -> None:
    crops = sample(112, 5)
    free = bench.encoders.load(write(graph(), "free"), folders)
    fixed = bench.encoders.load(write(graph(batch=batch), "fixed"), folders)
    torch.testing.assert_close(fixed.embed(crops), free.embed(crops), atol=1e-6, rtol=0)
    torch.testing.assert_close(fixed.twin()(crops), free.twin()(crops))


def test_half_precision_input(write: Write, folders: Folders) -> None:
    crops = sample(112, 3)
    half = bench.encoders.load(write(graph(kind=TensorProto.FLOAT16), "half"), folders)
    full = bench.encoders.load(write(graph(), "full"), folders)
    assert half.embed(crops).dtype == torch.float32
    torch.testing.assert_close(half.embed(crops), full.embed(crops), atol=2e-3, rtol=0)
    torch.testing.assert_close(half.twin()(crops), full.twin()(crops), atol=1e-2, rtol=1e-3)


def test_two_files_of_one_name_cannot_be_in_one_run(write: Write, folders: Folders, tmp_path: Path) -> None:
    card = bench.encoders.ready(write(graph()), folders)
    (tmp_path / "other").mkdir()
    for file in ("net.onnx", "net.card.toml"):
        (tmp_path / "other" / file).write_bytes((tmp_path / file).read_bytes())
    same = bench.encoders.ready(f"onnx:{tmp_path}/other/net.onnx", folders)
    bench.encoders.distinct([card, same])  # the same bytes and words: the same encoder
    (tmp_path / "other" / "net.onnx").write_bytes(graph(value=2).SerializeToString())
    other = bench.encoders.ready(f"onnx:{tmp_path}/other/net.onnx", folders)
    with pytest.raises(UserError, match="two different encoders of this run are called 'net'"):
        bench.encoders.distinct([card, other])


@pytest.mark.parametrize("key", ["colour", "mean", "size", "training_set", "architecture"])
def test_every_word_of_a_card_that_matters_is_in_the_digest(key: str, write: Write, folders: Folders) -> None:
    before = bench.encoders.identity(bench.encoders.ready(write(graph(size="s")), folders))
    changed = {"colour": "bgr", "mean": 127.5, "size": 128, "training_set": "x", "architecture": "y"}[key]
    after = bench.encoders.ready(write(graph(size="s"), **{key: changed}), folders)
    assert bench.encoders.identity(after) != before
