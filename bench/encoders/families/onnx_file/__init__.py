"""Encoders that come as an ONNX file: those of the project, and `onnx:FILE` of any user."""

from __future__ import annotations

from pathlib import Path

from bench.encoders.families.onnx_file.cards import CARDS
from bench.encoders.weights_family import WeightsFamily
from bench.protocols import Encoder
from bench.store import weights
from bench.types import EncoderCard


class OnnxFamily(WeightsFamily):
    """Networks in ONNX files.

    Such a file is data for onnxruntime and no program: a user's card need not state its digest.
    """

    scheme = "onnx"
    endings = (".onnx",)
    scheme_about = "a network of yours; beside FILE, in NAME.card.toml, what it is (docs/add-an-encoder.md)"
    stated = CARDS

    def file_name(self, card: EncoderCard) -> str:
        """The file of one of the project's encoders, below a folder of weights."""
        return f"{card.name}.onnx"

    def inspect(self, card: EncoderCard, path: Path) -> None:
        """Look into a user's file.

        Raises:
            UserError: if the graph's input or output is not as on the card.
        """
        from bench.encoders.families.onnx_file.graph import interface, parse

        interface(parse(weights.read(path), str(path)), card, str(path))

    def open(self, card: EncoderCard, path: Path, device: str) -> Encoder:
        """The encoder, from a file that was verified.

        Raises:
            UserError: if the file does not run, or is not what its card says.
        """
        from bench.encoders.families.onnx_file.encoder import OnnxEncoder

        return OnnxEncoder(card, path, device)


FAMILY = OnnxFamily()
