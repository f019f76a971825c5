"""An ONNX graph as a torch module that gradients can go through, and go through fast."""

from __future__ import annotations

from collections import Counter

import onnx
import torch
from onnx import numpy_helper
from torch import fx, nn

from bench.torchvision_compat import ensure


def from_onnx(data: bytes) -> nn.Module:
    """The graph as a torch module in eval mode: the same function, to rounding.

    Args:
        data: an ONNX file, verified.

    Returns:
        A module from the graph's one input to its one output.
    """
    ensure()
    from onnx2torch import convert

    model = onnx.load_from_string(data)
    _use_clip(model.graph)
    module: fx.GraphModule = convert(model)
    _use_plain_slices(module)
    return module.eval()


def _use_clip(graph: onnx.GraphProto) -> None:
    """Min(Max(x, low), high) becomes Clip: onnx2torch would stack the operands and reduce, twice."""
    constants = {c.name: numpy_helper.to_array(c) for c in graph.initializer}
    made = {node.output[0]: node for node in graph.node}
    replaced: list[onnx.NodeProto] = []
    users = Counter(name for node in graph.node for name in node.input)
    for node in graph.node:
        if node.op_type != "Min" or len(node.input) != 2:
            continue
        inner, high = node.input
        low_node = made.get(inner)
        if low_node is None or low_node.op_type != "Max" or users[inner] != 1 or len(low_node.input) != 2:
            continue
        value, low = low_node.input
        if any(name not in constants or constants[name].size != 1 for name in (low, high)):
            continue
        for name in (low, high):
            scalar = numpy_helper.from_array(constants[name].reshape(()), f"{node.name or inner}/{name}")
            graph.initializer.append(scalar)
        bounds = [c.name for c in graph.initializer[-2:]]
        replaced.append(low_node)
        node.op_type = "Clip"
        node.input[:] = [value, *bounds]
    for node in replaced:
        graph.node.remove(node)


class _Slice(nn.Module):
    """One constant slice per axis."""

    def __init__(self, slices: tuple[slice, ...]) -> None:
        super().__init__()
        self.slices = slices

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[self.slices]


def _use_plain_slices(module: fx.GraphModule) -> None:
    """Replace onnx2torch's slicing, which indexes with lists: torch has announced to read those otherwise."""
    modules = dict(module.named_modules())
    for node in module.graph.nodes:
        if node.op != "call_module" or type(modules[node.target]).__name__ != "OnnxSlice":
            continue
        starts, ends, axes = (_constant(module, argument) for argument in node.args[1:4])
        steps = _constant(module, node.args[4]) if len(node.args) > 4 else [1] * len(starts)
        slices = [slice(None)] * (max(axes) + 1)
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            slices[axis] = slice(start, end, step)
        module.set_submodule(node.target, _Slice(tuple(slices)))
        node.args = node.args[:1]
    module.graph.lint()
    module.recompile()


def _constant(module: fx.GraphModule, node: fx.Node) -> list[int]:
    return [int(value) for value in module.get_buffer(str(node.target))]
