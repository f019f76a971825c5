"""dlib's network as an encoder."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from bench.encoders.families.dlib.network import ResidualNetwork
from bench.encoders.families.dlib.released import NotThisNetworkError, read_network
from bench.encoders.networks import embed, frozen
from bench.encoders.preprocessing import Prepared
from bench.errors import UserError
from bench.store.weights import read
from bench.types import EncoderCard


class DlibEncoder:
    """dlib's face recogniser. See `bench.protocols.Encoder`.

    dlib compares embeddings by their Euclidean distance and does not scale them. Here they have length 1, as
    those of all encoders.

    Attributes:
        card: The encoder's card.
        runtime: The library and the device that `embed` runs on.
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
        self.runtime = f"torch {torch.__version__} {device}"
        try:
            network = ResidualNetwork(*read_network(read(path, card.sha256)))
        except NotThisNetworkError as error:
            raise UserError(f"{path} is not dlib's face recogniser: {error}. Get it again.") from error
        self._net = frozen(Prepared(network, card.preprocessing), device)

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Float32 [n, 3, 150, 150] in [0, 1] -> unit float32 [n, 128]. See the protocol.

        Raises:
            EncoderFault: for output that is not finite, or zero.
        """
        return embed(self._net, crops, self.card.name, self.card.dimensions)

    def twin(self) -> nn.Module:
        """The network itself, up to where it would normalise its output."""
        return self._net
