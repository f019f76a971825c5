"""An InceptionResnetV1 with weights in facenet-pytorch's format, as an encoder."""

from __future__ import annotations

import io
import pickle
import struct
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from torch import nn

from bench.encoders.families.facenet import exported
from bench.encoders.networks import Run, embed, frozen
from bench.encoders.preprocessing import Prepared
from bench.errors import UserError
from bench.store.reasons import reason
from bench.store.weights import read
from bench.torchvision_compat import ensure
from bench.types import EncoderCard


class FaceNet:
    """An InceptionResnetV1 as an encoder. See `bench.protocols.Encoder`.

    Attributes:
        card: The encoder's card.
        runtime: The library that `embed` runs on: onnxruntime on a CPU, torch on a GPU.
    """

    def __init__(self, card: EncoderCard, path: Path, device: str = "cpu") -> None:
        """Read the weights.

        Args:
            card: The encoder's card.
            path: The file of weights, verified.
            device: `cpu`, `cuda`, `cuda:1`.

        Raises:
            UserError: if the file does not hold this network's weights.
        """
        self.card = card
        self._on_cpu = torch.device(device).type == "cpu"
        self.runtime = f"torch {torch.__version__} {device}"
        if self._on_cpu:
            self.runtime = f"onnxruntime {onnxruntime.__version__} CPUExecutionProvider"
        self._net = frozen(Prepared(_backbone(path, read(path, card.sha256)), card.preprocessing), device)

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Float32 [n, 3, size, size] in [0, 1] -> unit float32 [n, dimensions]. See the protocol.

        Raises:
            EncoderFault: for output that is not finite, or zero.
        """
        return embed(self._run, crops, self.card.name, self.card.dimensions)

    def raw(self, crops: torch.Tensor) -> torch.Tensor:
        """See `bench.encoders.trial.Tried`."""
        return self._run(crops)

    def twin(self) -> nn.Module:
        """The network itself, up to where it would normalise its output."""
        return self._net

    @cached_property
    def _run(self) -> Run:
        if not self._on_cpu:
            return self._net
        return partial(exported.run, exported.session(self._net, self.card.crop.size))


def _backbone(path: Path, content: bytes) -> nn.Module:
    ensure()
    from facenet_pytorch import InceptionResnetV1

    net = InceptionResnetV1(pretrained=None)
    try:
        # weights_only: tensors and plain containers; anything else that a pickle could do is refused
        state: Any = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        # the published files end in a classifier over the training identities: not part of an encoder
        net.load_state_dict({k: v for k, v in state.items() if not k.startswith("logits.")})
    except pickle.UnpicklingError as error:
        # torch's own message recommends running what is in the file
        raise UserError(
            f"{path} does not hold the weights of InceptionResnetV1: it is no file of tensors alone. "
            "Get it again."
        ) from error
    except _NOT_WEIGHTS as error:
        raise UserError(f"{path} does not hold the weights of InceptionResnetV1: {reason(error)}") from error
    # its forward normalises unless it classifies: a classifier that does nothing gives the raw embedding
    net.classify, net.logits = True, nn.Identity()
    backbone: nn.Module = net
    return backbone


_NOT_WEIGHTS = (
    *(RuntimeError, AttributeError, EOFError, ValueError, KeyError, TypeError, IndexError),
    *(OverflowError, struct.error),
)
"""The errors that torch raises for files of another kind, whole or not."""
