"""Torch twins of ONNX graphs: what they can follow, and what they say when they cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from bench.encoders.families.onnx_file.encoder import OnnxEncoder
from bench.encoders.preprocessing import sample
from bench.errors import UserError
from bench.optim.networks.folding import fold
from bench.types import ARCFACE_CROP, EncoderCard

CARD = EncoderCard("toy", "toy", "", ARCFACE_CROP, 5, 0, "", "", "", "")
Nodes = tuple[onnx.NodeProto, ...]
FAR = np.iinfo(np.int64).max


def encoder(
    nodes: Nodes, constants: dict[str, list[int]], path: Path, *, as_nodes: bool = False
) -> OnnxEncoder:
    """Some nodes from `x` to `z`, then a 4 x 4 grid of mean colours times a matrix."""
    arrays = {name: np.asarray(value, np.int64) for name, value in constants.items()}
    arrays["matrix"] = np.random.default_rng(0).standard_normal((48, 5)).astype(np.float32)
    tensors = [numpy_helper.from_array(value, name) for name, value in arrays.items()]
    first = [helper.make_node("Constant", [], [t.name], value=t) for t in tensors] if as_nodes else []
    tail = (
        helper.make_node("AveragePool", ["z"], ["grid"], kernel_shape=[28, 28], strides=[28, 28]),
        helper.make_node("Flatten", ["grid"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["e"]),
    )
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 112, 112])
    result = helper.make_tensor_value_info("e", TensorProto.FLOAT, ["n", 5])
    graph = helper.make_graph([*first, *nodes, *tail], "toy", [given], [result], [] if as_nodes else tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return OnnxEncoder(CARD, path)


def sliced(**inputs: list[int]) -> tuple[Nodes, dict[str, list[int]]]:
    return (helper.make_node("Slice", ["x", *inputs], ["z"]),), inputs


SLICES = {
    "colours flipped": sliced(starts=[-1], ends=[-FAR], axes=[1], steps=[-1]),
    "colours flipped, counted from the end": sliced(starts=[2], ends=[-4], axes=[-3], steps=[-1]),
    "mirrored both ways": sliced(starts=[-1, 111], ends=[-FAR, -113], axes=[2, 3], steps=[-1, -1]),
    "whole": sliced(starts=[0], ends=[FAR], axes=[1], steps=[1]),
    "without axes and steps": sliced(starts=[0, 0], ends=[FAR, 3]),
}


@pytest.mark.parametrize("as_nodes", [False, True], ids=["initializers", "nodes"])
@pytest.mark.parametrize(("nodes", "constants"), SLICES.values(), ids=SLICES)
def test_slices_backwards_too(
    nodes: Nodes, constants: dict[str, list[int]], as_nodes: bool, tmp_path: Path
) -> None:
    # onnxruntime is the judge of what a slice is
    toy = encoder(nodes, constants, tmp_path / "toy.onnx", as_nodes=as_nodes)
    crops = sample(112, 3)
    twin = toy.twin()
    torch.testing.assert_close(torch.nn.functional.normalize(twin(crops)), toy.embed(crops))
    torch.testing.assert_close(fold(twin)(crops), twin(crops))
    leaf = crops.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(twin(leaf)[0].sum(), leaf)
    assert float(gradient[0].abs().max()) > 0
    assert float(gradient[1:].abs().max()) == 0


def test_equal_weights_that_an_exporter_keeps_once(tmp_path: Path) -> None:
    # a convolution whose bias is another name of another layer's, as torch's exporter writes equal ones
    nodes = (
        helper.make_node("Cast", ["whole"], ["bias"], to=TensorProto.FLOAT),
        helper.make_node("Identity", ["x"], ["z"]),
    )
    path = tmp_path / "toy.onnx"
    encoder(nodes, {"whole": [1, 2, 3]}, path)
    model = onnx.load(path)
    weights = np.random.default_rng(1).standard_normal((3, 3, 1, 1)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(weights, "weight"))
    model.graph.initializer.append(numpy_helper.from_array(np.ones(3, np.float32), "one"))
    model.graph.node[0].CopyFrom(helper.make_node("Identity", ["one"], ["bias"]))
    model.graph.node[1].CopyFrom(helper.make_node("Conv", ["x", "weight", "bias"], ["z"]))
    onnx.save(model, path)
    toy = OnnxEncoder(CARD, path)
    crops = sample(112, 2)
    torch.testing.assert_close(torch.nn.functional.normalize(toy.twin()(crops)), toy.embed(crops))


def test_a_step_of_minus_two(tmp_path: Path) -> None:
    # every other row from the last: 56 of 112, then back to 112 by padding
    nodes = (
        helper.make_node("Slice", ["x", "starts", "ends", "axes", "steps"], ["half"]),
        helper.make_node("Concat", ["half", "half"], ["z"], axis=2),
    )
    toy = encoder(nodes, {"starts": [-1], "ends": [-FAR], "axes": [2], "steps": [-2]}, tmp_path / "toy.onnx")
    crops = sample(112, 2)
    torch.testing.assert_close(torch.nn.functional.normalize(toy.twin()(crops)), toy.embed(crops))


def test_an_operation_without_a_counterpart_is_named_and_the_encoder_embeds(tmp_path: Path) -> None:
    nodes = (
        helper.make_node("Shrink", ["x"], ["s"], lambd=0.1),
        helper.make_node("Hardmax", ["s"], ["h"]),
        helper.make_node("Add", ["s", "h"], ["z"]),
    )
    toy = encoder(nodes, {}, tmp_path / "toy.onnx")
    assert toy.embed(sample(112, 2)).shape == (2, 5)
    with pytest.raises(
        UserError, match=r"'toy' cannot be a surrogate: .* for Hardmax, Shrink\. As --enc"
    ) as caught:
        toy.twin()
    assert "\n" not in str(caught.value)


def test_a_twin_that_computes_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = encoder((helper.make_node("Identity", ["x"], ["z"]),), {}, tmp_path / "toy.onnx")
    other = torch.nn.Sequential(torch.nn.AvgPool2d(28), torch.nn.Flatten(), torch.nn.Linear(48, 5))
    monkeypatch.setattr("bench.encoders.families.onnx_file.twin.from_onnx", lambda *_, **__: other)
    with pytest.raises(UserError, match=r"cannot be a surrogate: .*other embeddings than onnx"):
        toy.twin()


@pytest.mark.parametrize("admitted", [True, False])
def test_a_batch_that_is_baked_into_the_graph(admitted: bool, tmp_path: Path) -> None:
    # exported for one crop at a time, with its shapes written into a reshape; some claim to take any batch
    nodes = (
        helper.make_node("Reshape", ["x", "shape"], ["r"]),
        helper.make_node("Reshape", ["r", "back"], ["z"]),
    )
    path = tmp_path / "toy.onnx"
    encoder(nodes, {"shape": [1, 37632], "back": [1, 3, 112, 112]}, path)
    model = onnx.load(path)
    if admitted:
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, path)
    toy = OnnxEncoder(CARD, path)
    crops = sample(112, 3)
    torch.testing.assert_close(torch.nn.functional.normalize(toy.twin()(crops)), toy.embed(crops))
    torch.testing.assert_close(fold(toy.twin())(crops), toy.twin()(crops))
