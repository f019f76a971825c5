"""Rewrites a frozen network into one that computes the same function, and its input gradient, faster.

Batch norms, biases and constant factors go into the convolution or linear layer before them; chains of
constant arithmetic become one operation; PReLU becomes the form of `bench.optim.networks.layers`.
Everything is exact up to rounding (folding is done in float64), and `tests/optim/test_optim_folding.py`
compares outputs and input gradients.
"""

from __future__ import annotations

import copy
from typing import Any, cast

import torch
from torch import fx, nn

from bench.optim.networks.layers import Affine, FrozenPReLU, StridedDepthwise

_Linear = nn.Conv2d | nn.Linear
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def fold(network: nn.Module) -> nn.Module:
    """A frozen copy of a network in eval mode, with everything constant folded.

    A network that torch.fx cannot trace (its Python code looks at its data) comes back as a frozen copy.

    Args:
        network: Any module. Layers of torch and of onnx2torch are understood, all others are kept.

    Returns:
        A module of the same function; weights and buffers without gradients.
    """
    network = copy.deepcopy(network).eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    graph = _traced(network)
    if graph is None:
        return network
    _canonical(graph)
    while _fused(graph):
        pass
    graph.graph.eliminate_dead_code()
    graph.delete_all_unused_submodules()
    graph.recompile()
    return graph


def bfloat16_on_cpu(network: nn.Module) -> nn.Module:
    """Turn a folded network into bfloat16 on the CPU, in place, around kernels that are slow there."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if StridedDepthwise.fits(child):
                setattr(parent, name, StridedDepthwise(cast(nn.Conv2d, child)))
    return network.to(torch.bfloat16)


def _traced(network: nn.Module) -> fx.GraphModule | None:
    if isinstance(network, fx.GraphModule):
        return network
    try:
        return fx.symbolic_trace(network)
    # the two that torch.fx documents for code that depends on data: a branch on it, and Python numbers of it
    except (fx.proxy.TraceError, TypeError):
        return None


def _canonical(graph: fx.GraphModule) -> None:
    """Replace what has a faster or a foldable equivalent, node by node."""
    for node in list(graph.graph.nodes):
        equivalent = _equivalent(graph, node)
        if equivalent is not None:
            source, module = equivalent
            _replace(graph, node, source, module)


def _equivalent(graph: fx.GraphModule, node: fx.Node) -> tuple[fx.Node, nn.Module] | None:
    """The node's variable input and a module that maps it to the node's output; None to leave it."""
    if node.op != "call_module" or node.kwargs:
        return None
    module = graph.get_submodule(str(node.target))
    kind = type(module).__name__
    if isinstance(module, _BATCH_NORMS) and module.running_mean is not None:
        return cast(fx.Node, node.args[0]), _of_batch_norm(module)
    if isinstance(module, nn.PReLU):
        return cast(fx.Node, node.args[0]), FrozenPReLU(module.weight)
    if kind == "OnnxPReLU":
        slope = _constant(graph, node.args[1])
        if slope is not None and _per_channel(slope, 4):
            return cast(fx.Node, node.args[0]), FrozenPReLU(slope.flatten())
    if kind == "OnnxBinaryMathOperation" and getattr(module, "broadcast", None) != 1:
        return _of_arithmetic(graph, node, module)
    return None


def _of_batch_norm(norm: Any) -> Affine:
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.double()
    shift = -norm.running_mean.double() * scale
    if norm.bias is not None:
        shift = shift + norm.bias.double()
    dtype = norm.running_mean.dtype
    return Affine(scale.to(dtype), shift.to(dtype))


def _of_arithmetic(
    graph: fx.GraphModule, node: fx.Node, module: nn.Module
) -> tuple[fx.Node, nn.Module] | None:
    """Variable (+ - * /) constant, and constant (+ *) variable."""
    first, second = node.args
    operation = getattr(module, "math_op_function", None)
    name = getattr(operation, "__name__", "")
    if _constant(graph, first) is not None and name in ("add", "mul"):
        first, second = second, first
    constant = _constant(graph, second)
    rank = 2 if _is_linear(graph, first) else 4
    if constant is None or not _per_channel(constant, rank) or not isinstance(first, fx.Node):
        return None
    ones, zeros = torch.ones_like(constant), torch.zeros_like(constant)
    if name == "add":
        return first, Affine(ones, constant)
    if name == "sub":
        return first, Affine(ones, -constant)
    if name == "mul":
        return first, Affine(constant, zeros)
    if name == "_onnx_div":
        return first, Affine((1 / constant.double()).to(constant.dtype), zeros)
    return None


def _fused(graph: fx.GraphModule) -> bool:
    """Join one pair of neighbours; False when there is none left."""
    for node in graph.graph.nodes:
        if node.op != "call_module" or not node.args or not isinstance(node.args[0], fx.Node):
            continue
        before = node.args[0]
        if before.op != "call_module" or len(before.users) != 1 or before.kwargs or len(node.args) != 1:
            continue
        joined = _joined(graph.get_submodule(str(before.target)), graph.get_submodule(str(node.target)))
        if joined is not None and len(before.args) == 1:
            _replace(graph, node, cast(fx.Node, before.args[0]), joined)
            graph.graph.erase_node(before)
            return True
    return False


def _joined(first: nn.Module, second: nn.Module) -> nn.Module | None:
    """One module for second(first(x)), where that is exact."""
    if isinstance(second, Affine):
        if isinstance(first, nn.Conv2d | nn.Linear):
            return _after(first, second)
        if isinstance(first, Affine):
            # (x a + b) c + d = x (a c) + (b c + d)
            return Affine(first.scale * second.scale, first.shift * second.scale + second.shift)
    if isinstance(first, Affine) and isinstance(second, nn.Conv2d | nn.Linear) and _unpadded(second):
        return _before(first, second)
    return None


def _after(layer: _Linear, affine: Affine) -> nn.Module:
    """(W x + b) s + t = (s W) x + (s b + t)."""
    weight = layer.weight.double()
    scale = affine.scale.double().expand(len(weight))
    bias = torch.zeros(len(weight), dtype=torch.float64) if layer.bias is None else layer.bias.double()
    bias = bias.to(scale.device) * scale + affine.shift.double()
    return _with(layer, weight * scale.view(-1, *([1] * (weight.ndim - 1))), bias)


def _before(affine: Affine, layer: _Linear) -> nn.Module:
    """W (x s + t) + b = (W s) x + (W t + b); a padded convolution has no such form at its border."""
    weight = layer.weight.double()
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    incoming = weight.shape[1] * groups
    scale, shift = (v.double().expand(incoming).reshape(groups, -1) for v in (affine.scale, affine.shift))
    grouped = weight.reshape(groups, len(weight) // groups, weight.shape[1], -1)
    bias = torch.einsum("goik,gi->go", grouped, shift).flatten()
    if layer.bias is not None:
        bias = bias + layer.bias.double()
    return _with(layer, (grouped * scale[:, None, :, None]).reshape(weight.shape), bias)


def _with(layer: _Linear, weight: torch.Tensor, bias: torch.Tensor) -> nn.Module:
    joined = copy.deepcopy(layer)
    dtype = layer.weight.dtype
    joined.weight = nn.Parameter(weight.to(dtype), requires_grad=False)
    joined.bias = nn.Parameter(bias.to(dtype), requires_grad=False)
    return joined


def _unpadded(layer: _Linear) -> bool:
    if isinstance(layer, nn.Linear):
        return True
    return not isinstance(layer.padding, str) and not any(layer.padding)


def _replace(graph: fx.GraphModule, node: fx.Node, source: fx.Node, module: nn.Module) -> None:
    name = f"folded_{node.name}"
    graph.add_submodule(name, module)
    with graph.graph.inserting_before(node):
        fresh = graph.graph.call_module(name, (source,))
    node.replace_all_uses_with(fresh)
    graph.graph.erase_node(node)


def _constant(graph: fx.GraphModule, argument: object) -> torch.Tensor | None:
    if not isinstance(argument, fx.Node) or argument.op != "get_attr":
        return None
    value: Any = graph
    for part in str(argument.target).split("."):
        value = getattr(value, part)
    return value.detach() if isinstance(value, torch.Tensor) else None


def _per_channel(constant: torch.Tensor, rank: int) -> bool:
    """Whether a constant broadcasts along the channels alone of a tensor [n, channels, ...] of this rank."""
    shape = (1,) * (rank - constant.ndim) + tuple(constant.shape)
    return len(shape) == rank and all(side == 1 for axis, side in enumerate(shape) if axis != 1)


def _is_linear(graph: fx.GraphModule, argument: object) -> bool:
    return (
        isinstance(argument, fx.Node)
        and argument.op == "call_module"
        and isinstance(graph.get_submodule(str(argument.target)), nn.Linear)
    )
