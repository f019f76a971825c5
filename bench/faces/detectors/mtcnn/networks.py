"""The three networks of MTCNN. The weights come with facenet-pytorch and are verified before they are read.

On the CPU the networks run in onnxruntime, from graphs built here out of those weights: on one core, more
than twice as fast as the package's modules. On a GPU the package's modules run.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from bench.errors import UserError
from bench.faces.detections import Array
from bench.faces.detectors.mtcnn.card import DIGESTS
from bench.store.weights import verified
from bench.torchvision_compat import ensure

Net = Callable[[Array], tuple[Array, ...]]
"""A network: float32 [n, 3, h, w] in [-1, 1] -> box regression, (landmarks for `onet`,) face probability.

`pnet` gives maps [1, 4, h', w'] and [h', w']. The others give rows [n, 4], ([n, 10],) and [n].
"""

# layers in order: ("conv" | "dense", name of the weights, name of the PReLU) or ("pool", kernel, stride)
_Layer = tuple[str, str, str] | tuple[str, int, int]
_TRUNKS: dict[str, list[_Layer]] = {
    "pnet": [
        ("conv", "conv1", "prelu1"),
        ("pool", 2, 2),
        ("conv", "conv2", "prelu2"),
        ("conv", "conv3", "prelu3"),
    ],
    "rnet": [
        ("conv", "conv1", "prelu1"),
        ("pool", 3, 2),
        ("conv", "conv2", "prelu2"),
        ("pool", 3, 2),
        ("conv", "conv3", "prelu3"),
        ("dense", "dense4", "prelu4"),
    ],
    "onet": [
        ("conv", "conv1", "prelu1"),
        ("pool", 3, 2),
        ("conv", "conv2", "prelu2"),
        ("pool", 3, 2),
        ("conv", "conv3", "prelu3"),
        ("pool", 2, 2),
        ("conv", "conv4", "prelu4"),
        ("dense", "dense5", "prelu5"),
    ],
}
# heads in the order of the package's outputs; the last is the face probability
_HEADS = {
    "pnet": ("conv4_2", "conv4_1"),
    "rnet": ("dense5_2", "dense5_1"),
    "onet": ("dense6_2", "dense6_3", "dense6_1"),
}


def load(name: str, device: str) -> Net:
    """Load one network.

    Args:
        name: `pnet`, `rnet` or `onet`.
        device: `cpu`, `cuda` or `cuda:N`.

    Raises:
        UserError: facenet-pytorch or its file is missing, or the file is altered.
    """
    weights = state(name)
    if torch.device(device).type == "cpu":
        return in_onnxruntime(name, weights)
    return in_torch(name, weights, device)


def state(name: str) -> dict[str, torch.Tensor]:
    """The weights of one network, verified and then read."""
    spec = importlib.util.find_spec("facenet_pytorch")
    if spec is None or spec.origin is None:
        raise UserError(
            "face detection needs the package facenet-pytorch: type 'pip install facenet-pytorch'."
        )
    path = verified(Path(spec.origin).parent / "data" / f"{name}.pt", DIGESTS[name])
    loaded: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return loaded


def in_torch(name: str, weights: dict[str, torch.Tensor], device: str) -> Net:
    """The package's own module, on any device."""
    ensure()
    from facenet_pytorch.models import mtcnn

    network = {"pnet": mtcnn.PNet, "rnet": mtcnn.RNet, "onet": mtcnn.ONet}[name](pretrained=False)
    network.load_state_dict(weights)
    module = network.eval().requires_grad_(False).to(device)

    def run(x: Array) -> tuple[Array, ...]:
        with torch.no_grad():
            *rest, probability = module(torch.from_numpy(x).to(device))
        return (*(r.cpu().numpy() for r in rest), _faces(probability.cpu().numpy()))

    return run


def in_onnxruntime(name: str, weights: dict[str, torch.Tensor]) -> Net:
    """Our graph of the network, on one thread of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        graph(name, weights).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )

    def run(x: Array) -> tuple[Array, ...]:
        *rest, probability = session.run(None, {"x": x})
        return (*rest, _faces(probability))

    return run


def _faces(probability: Array) -> Array:
    """The probability of the class `face`, the second of two; the maps of `pnet` are of one photo."""
    return probability[0, 1] if probability.ndim == 4 else probability[:, 1]


def graph(name: str, weights: dict[str, torch.Tensor]) -> onnx.ModelProto:
    """One network as an ONNX graph; its input is called `x`."""
    nodes: list[onnx.NodeProto] = []
    constants: dict[str, Array] = {}
    value = "x"
    channels = 3

    def add(kind: str, inputs: list[str], **attributes: Any) -> str:
        out = f"{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def weighted(kind: str, layer: str, source: str, inner: int) -> str:
        weight, bias = (weights[f"{layer}.{part}"].numpy() for part in ("weight", "bias"))
        if kind == "dense" and inner:
            # the package flattens [channel, y, x] maps as (x, y, channel); reorder the weights instead
            side = round((weight.shape[1] / inner) ** 0.5)
            maps = weight.reshape(-1, side, side, inner)
            weight = np.ascontiguousarray(maps.transpose(0, 3, 2, 1)).reshape(len(weight), -1)
            source = add("Flatten", [source])
        constants[f"{layer}.weight"], constants[f"{layer}.bias"] = weight, bias
        inputs = [source, f"{layer}.weight", f"{layer}.bias"]
        return add("Conv", inputs) if kind == "conv" else add("Gemm", inputs, transB=1)

    for layer in _TRUNKS[name]:
        if layer[0] == "pool":
            _, kernel, stride = layer
            value = add("MaxPool", [value], kernel_shape=[kernel] * 2, strides=[stride] * 2, ceil_mode=1)
            continue
        kind, own, prelu = str(layer[0]), str(layer[1]), str(layer[2])
        value = weighted(kind, own, value, channels)
        slope = weights[f"{prelu}.weight"].numpy()
        constants[prelu] = slope.reshape(-1, 1, 1) if kind == "conv" else slope
        value = add("PRelu", [value, prelu])
        channels = len(slope)

    kind = "conv" if name == "pnet" else "dense"
    outputs = [weighted(kind, head, value, 0) for head in _HEADS[name]]
    outputs[-1] = add("Softmax", [outputs[-1]], axis=1)
    rank = 4 if name == "pnet" else 2
    return helper.make_model(
        helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])],
            [helper.make_tensor_value_info(o, TensorProto.FLOAT, [None] * rank) for o in outputs],
            [numpy_helper.from_array(v, k) for k, v in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
