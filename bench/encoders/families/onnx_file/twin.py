"""An ONNX graph as a torch module, for gradients that are fast to compute."""

from __future__ import annotations

from collections import Counter
from typing import cast

import onnx
import torch
from onnx import numpy_helper
from torch import fx, nn

from bench.encoders.families.onnx_file.rewritten import in_older_opsets, state_rank, use_float32
from bench.encoders.preprocessing import Prepare
from bench.errors import RefusedError
from bench.store.reasons import reason
from bench.torchvision_compat import ensure

_REFUSALS = (
    *(NotImplementedError, ValueError, KeyError, TypeError, AttributeError),
    *(RuntimeError, AssertionError, IndexError),
)
"""What onnx2torch raises for graphs that it does not understand; it has no error of its own."""


def from_onnx(data: bytes, name: str, prepare: Prepare, *, one_by_one: bool = False) -> nn.Module:
    """The graph as a torch module in eval mode: the same function, to rounding.

    Args:
        data: The bytes of an ONNX file, verified.
        name: The encoder's name, for the message.
        prepare: The steps from a crop to the graph's input.
        one_by_one: Whether the graph is called with one crop at a time, since it is made for a fixed batch.

    Returns:
        A module from RGB crops in [0, 1] to embeddings [n, dimensions], not normalised.

    Raises:
        RefusedError: naming the operations that have no counterpart in torch here.
    """
    ensure()
    from onnx2torch import convert

    whole = onnx.load_model_from_string(data)
    state_rank(whole)
    use_float32(whole)  # a float16 graph has gradients in full precision
    model, missing = whole, _unknown(whole)
    for older in in_older_opsets(whole):
        if not missing:
            break
        unknown = _unknown(older)
        if len(unknown) < len(missing):
            model, missing = older, unknown
    if missing:
        raise RefusedError(
            f"{_refused(name)}: nothing in torch here stands for {', '.join(missing)}. {_STILL}"
        )
    _use_initializers(model.graph)
    _use_clip(model.graph)
    try:
        module: fx.GraphModule = convert(model)
        _use_plain_slices(module)
    except _REFUSALS as error:
        raise RefusedError(
            f"{_refused(name)}: onnx2torch does not understand its graph ({reason(error)}). {_STILL}"
        ) from error
    _around(module, prepare)
    module.eval()
    return _OneByOne(module) if one_by_one else module


_STILL = "As --encoder it works."


def _refused(name: str) -> str:
    return f"encoder {name!r} cannot be a surrogate"


def _unknown(model: onnx.ModelProto) -> list[str]:
    """Types of operations that onnx2torch has no converter for."""
    from onnx2torch.node_converters import get_converter

    versions = {opset.domain: opset.version for opset in model.opset_import}
    unknown: set[str] = set()
    for node in model.graph.node:
        try:
            get_converter(node.op_type, versions.get(node.domain, 1), node.domain)
        except NotImplementedError:
            unknown.add(node.op_type)
    return sorted(unknown)


class _OneByOne(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.network(crop[None]) for crop in crops])


def _around(module: fx.GraphModule, prepare: Prepare) -> None:
    """Put the preprocessing before the graph, and give every crop one row after it."""
    graph = module.graph
    entry = next(node for node in graph.nodes if node.op == "placeholder")
    if prepare.swap or prepare.scale or prepare.last:
        module.add_submodule("prepare", prepare)
        with graph.inserting_after(entry):
            prepared = graph.call_module("prepare", (entry,))
        entry.replace_all_uses_with(prepared, delete_user_cb=lambda user: user is not prepared)
    exit_ = next(node for node in graph.nodes if node.op == "output")
    module.add_submodule("rows", nn.Flatten())
    with graph.inserting_before(exit_):
        exit_.args = (graph.call_module("rows", (cast(fx.Node, exit_.args[0]),)),)
    graph.lint()
    module.recompile()


def _use_initializers(graph: onnx.GraphProto) -> None:
    """Turn constants that are nodes, and further names of constants, into initializers, for onnx2torch.

    torch's exporter gives equal weights one initializer, and further names through Identity.
    """
    kept: list[onnx.NodeProto] = []
    constants = {tensor.name for tensor in graph.initializer}
    same: dict[str, str] = {}
    results = {value.name for value in graph.output}
    for node in graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = same.get(name, name)
        value = next((a.t for a in node.attribute if a.name == "value"), None)
        if node.op_type == "Constant" and value is not None:
            constant = graph.initializer.add()
            constant.CopyFrom(value)
            constant.name = node.output[0]
            constants.add(constant.name)
        elif node.op_type == "Identity" and node.input[0] in constants and node.output[0] not in results:
            same[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _use_clip(graph: onnx.GraphProto) -> None:
    """Turn Min(Max(x, low), high) into Clip: onnx2torch would stack the operands and reduce, twice."""
    constants = {c.name: numpy_helper.to_array(c) for c in graph.initializer}
    producers = {node.output[0]: node for node in graph.node}
    replaced: list[onnx.NodeProto] = []
    users = Counter(name for node in graph.node for name in node.input)
    for node in graph.node:
        if node.op_type != "Min" or len(node.input) != 2:
            continue
        inner, high = node.input
        low_node = producers.get(inner)
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
    """One constant slice per axis. torch knows no negative steps: such an axis is cut, then flipped."""

    def __init__(self, slices: dict[int, slice]) -> None:
        super().__init__()
        self.slices = slices
        self.backward = [axis for axis, part in slices.items() if part.step < 0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        index = [slice(None)] * x.ndim
        for axis, part in self.slices.items():
            index[axis] = part
        for axis in self.backward:
            picked = range(*self.slices[axis].indices(x.shape[axis]))[::-1]
            index[axis] = slice(picked.start, picked.stop, picked.step) if picked else slice(0, 0)
        cut = x[tuple(index)]
        return cut.flip(self.backward) if self.backward else cut


def _use_plain_slices(module: fx.GraphModule) -> None:
    """Replace onnx2torch's slicing, which indexes with lists: torch will read such lists in another way."""
    modules = dict(module.named_modules())
    for node in module.graph.nodes:
        if node.op != "call_module" or type(modules[node.target]).__name__ != "OnnxSlice":
            continue
        constants = [_constant(module, argument) for argument in node.args[1:]]
        if any(numbers is None for numbers in constants):
            continue  # computed from the input's shape: left to onnx2torch
        starts, ends, *rest = cast(list[list[int]], constants)
        axes = rest[0] if rest else list(range(len(starts)))
        steps = rest[1] if len(rest) > 1 else [1] * len(starts)
        slices = {a: slice(*part) for a, *part in zip(axes, starts, ends, steps, strict=True)}
        module.set_submodule(node.target, _Slice(slices))
        node.args = node.args[:1]
    module.graph.lint()
    module.recompile()


def _constant(module: fx.GraphModule, node: fx.Node) -> list[int] | None:
    """The numbers of a constant of the graph; None for a value that the graph computes."""
    if node.op != "get_attr":
        return None
    return [int(value) for value in module.get_buffer(str(node.target))]
