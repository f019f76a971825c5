"""An encoder whose network an attacker has trained further."""

from __future__ import annotations

import copy
from dataclasses import replace

import safetensors.torch
import torch
from torch import nn

from bench.encoders.networks import embed, frozen
from bench.protocols import Encoder
from bench.types import EncoderCard


class Adapted:
    """A torch network in an encoder's place. See `bench.protocols.Encoder`.

    Attributes:
        card: the original's, with a name and a digest of its own.
        runtime: what `embed` runs on.
    """

    def __init__(self, card: EncoderCard, network: nn.Module, device: str) -> None:
        """Store the network, in eval mode and on the device."""
        self.card = card
        self.runtime = f"torch {torch.__version__} {device}"
        self._network = frozen(network, device)

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Float32 [n, 3, size, size] in [0, 1] -> unit float32 [n, dimensions]. See the protocol.

        Raises:
            EncoderFault: for output that is not finite, or zero.
        """
        return embed(self._network, crops, self.card.name, self.card.dimensions)

    def twin(self) -> nn.Module:
        """The network itself."""
        return self._network


def card_of(card: EncoderCard, digest: str) -> EncoderCard:
    """The card of an encoder's network after further training; the digest says of what came of what."""
    return replace(card, name=f"{card.name}@{digest[:12]}", sha256=digest, location="")


def trainable(encoder: Encoder) -> nn.Module:
    """A copy of an encoder's network whose weights may change."""
    return copy.deepcopy(encoder.twin()).requires_grad_(True)


def stored(network: nn.Module) -> bytes:
    """The trained weights, as safetensors."""
    state = {key: value.detach().cpu().contiguous().clone() for key, value in network.state_dict().items()}
    return safetensors.torch.save(state)


def restored(network: nn.Module, content: bytes) -> nn.Module:
    """The network with trained weights in the place of its own."""
    network.load_state_dict(safetensors.torch.load(content))
    return network
