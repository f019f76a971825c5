"""One network in every way that a file may write it: opset, precision, sizes. All are one function."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from bench import encoders
from bench.encoders.preprocessing import sample
from bench.errors import UserError
from bench.types import Folders

NEWEST = 28
"""The newest opset that the onnxruntime of the tests knows; see `test_what_is_newer_than_onnxruntime`."""

CARD = {"architecture": "a", "training_set": "", "licence": "MIT", "source": "a test", "dimensions": 8}
ANY = ("n", "", "-1", -1, -7)
"""Spellings of a size that may be any; onnxruntime reads a negative one so."""


def network(
    *,
    opset: int = 17,
    half: str = "",
    batch: int | str | None = "n",
    size: int | str = 112,
    ir: int = 8,
) -> onnx.ModelProto:
    """A small convolutional network.

    Args:
        opset: The opset.
        half: `all` for a graph of float16, `inside` for one between casts; empty for float32.
        batch: The first size of the input; None for an input without a shape.
        size: The last two sizes of the input.
        ir: The version of the file's format.
    """
    draw = np.random.default_rng(0)
    values = {
        "w": 0.3 * draw.standard_normal((4, 3, 3, 3)),
        "b": draw.standard_normal(4),
        "s": np.full((4, 1, 1), 0.25),
        "m": draw.standard_normal((4, 8)),
    }
    inner = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    outer = TensorProto.FLOAT if half != "all" else inner
    cast = half == "inside"
    nodes = [
        *([helper.make_node("Cast", ["x"], ["xh"], to=inner)] if cast else []),
        helper.make_node("Conv", ["xh" if cast else "x", "w", "b"], ["c"], pads=[1, 1, 1, 1], strides=[4, 4]),
        helper.make_node("PRelu", ["c", "s"], ["p"]),
        helper.make_node("GlobalAveragePool", ["p"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "m"], ["eh" if cast else "e"]),
        *([helper.make_node("Cast", ["eh"], ["e"], to=outer)] if cast else []),
    ]
    shape = None if batch is None else [batch, 3, size, size]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", outer, shape)],
        [helper.make_tensor_value_info("e", outer, None)],
        [
            numpy_helper.from_array(value.astype(helper.tensor_dtype_to_np_dtype(inner)), name)
            for name, value in values.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def written(model: onnx.ModelProto, folder: Path) -> str:
    """The file and its card; returns what a user types."""
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    lines = [f"{key} = {json.dumps(value)}" for key, value in CARD.items()]
    (folder / "net.card.toml").write_text("\n".join(lines))
    return f"onnx:{folder}/net.onnx"


def truth(crops: torch.Tensor) -> torch.Tensor:
    """What the network gives, by onnxruntime from the plainest of the files."""
    session = onnxruntime.InferenceSession(network().SerializeToString(), providers=["CPUExecutionProvider"])
    return torch.nn.functional.normalize(torch.from_numpy(session.run(None, {"x": crops.numpy()})[0]))


@settings(max_examples=25)
@given(
    opset=st.integers(13, NEWEST),
    half=st.sampled_from(["", "all", "inside"]),
    batch=st.sampled_from([*ANY, None, 1, 2, 5]),
    size=st.sampled_from([*ANY, 112]),
)
def test_every_spelling_embeds_and_has_a_twin(
    opset: int, half: str, batch: int | str | None, size: int | str
) -> None:
    crops = sample(112, 3)
    with tempfile.TemporaryDirectory() as folder:
        where = Folders(home=folder)
        model = network(opset=opset, half=half, batch=batch, size=size)
        encoder = encoders.load(written(model, Path(folder)), where)
        near = 2e-3 if half else 1e-5
        torch.testing.assert_close(encoder.embed(crops), truth(crops), atol=near, rtol=0)
        twin = torch.nn.functional.normalize(encoder.twin()(crops))
        torch.testing.assert_close(twin, truth(crops), atol=near, rtol=0)


@pytest.mark.parametrize("sizes", [{"batch": 0}, {"size": 0}])
def test_a_size_of_zero_is_zero_as_for_onnxruntime(
    sizes: dict[str, Any], folders: Folders, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"takes \[.*\b0\b.*\] as 'x', and its card says \[n, 3, 112, 112\]"):
        encoders.ready(written(network(**sizes), tmp_path), folders)


@pytest.mark.parametrize(
    ("newer", "says"),
    [
        ({"ir": 99}, "does not load: its IR version 99 is newer than onnxruntime here knows, which is"),
        (
            {"opset": 99},
            f"does not load: its opset 99 is newer than onnxruntime here knows, which is {NEWEST}",
        ),
    ],
)
def test_what_is_newer_than_onnxruntime(
    newer: dict[str, Any], says: str, folders: Folders, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=says):
        encoders.load(written(network(**newer), tmp_path), folders)
