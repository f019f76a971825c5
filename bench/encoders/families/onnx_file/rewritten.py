"""An ONNX graph rewritten for onnx2torch, in an older opset and in float32: the same but for rounding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx
from onnx import numpy_helper, version_converter

OPSETS = (20, 18, 16)
"""Opsets that a graph is turned into, in search of one whose operations onnx2torch all has.

It lacks Cast of 19, Flatten of 21 and Conv of 22, which are new for the sake of further types alone.
"""

_HALF, _FULL = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT


def in_older_opsets(model: onnx.ModelProto) -> Iterator[onnx.ModelProto]:
    """The graph in each of `OPSETS` that is older than its own and that it can be turned into."""
    own = max((opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx")), default=0)
    for opset in OPSETS:
        if opset < own:
            try:
                yield version_converter.convert_version(model, opset)
            except (RuntimeError, ValueError, version_converter.ConvertError):
                continue  # it has an operation that the older opset lacks


def state_rank(model: onnx.ModelProto) -> None:
    """Say of an input without a shape that it is four sizes, as onnxruntime finds out when it is called."""
    constants = {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        tensor = value.type.tensor_type
        if value.name not in constants and not tensor.HasField("shape"):
            for name in ("n", "a", "b", "c"):
                tensor.shape.dim.add(dim_param=name)


def use_float32(model: onnx.ModelProto) -> None:
    """Turn every float16 of the graph into float32: weights, constants, casts, inputs and outputs."""
    graph = model.graph
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type == _HALF:
            value.type.tensor_type.elem_type = _FULL
    _widen(graph.initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                _widen([attribute.t])
            elif (node.op_type, attribute.name) == ("Cast", "to") and attribute.i == _HALF:
                attribute.i = _FULL


def _widen(tensors: Iterable[onnx.TensorProto]) -> None:
    for tensor in tensors:
        if tensor.data_type == _HALF:
            tensor.CopyFrom(
                numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float32"), tensor.name)
            )
