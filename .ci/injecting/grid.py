"""A small ONNX network that is a function of the crop: a 4 x 4 grid of mean colours times a matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def network(
    between: Sequence[onnx.NodeProto] = (), *, extra: Mapping[str, Any] | None = None
) -> onnx.ModelProto:
    """The network: `x` [n, 3, 112, 112] -> `e` [n, 8].

    Args:
        between: Nodes from the grid `p` to `q`, which is multiplied; none for the grid itself.
        extra: Name -> value of the constants that they need.
    """
    draw = np.random.default_rng(0)
    constants = {"m": draw.standard_normal((48, 8)).astype(np.float32), **(extra or {})}
    nodes = [
        helper.make_node("AveragePool", ["x"], ["p"], kernel_shape=[28, 28], strides=[28, 28]),
        *between,
        helper.make_node("Flatten", ["q" if between else "p"], ["f"]),
        helper.make_node("MatMul", ["f", "m"], ["e"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 112, 112])],
        [helper.make_tensor_value_info("e", TensorProto.FLOAT, ["n", 8])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
