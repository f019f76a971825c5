"""The recognition networks of insightface's model packs, from local files; nothing is downloaded.

A pack's file is read by insightface's own model class too, which reads mean, standard deviation and size out
of the graph; they must be those of the card. Embedding is done by our session, so that bits do not depend on
a batch and the provider is known (design/009-encoders-from-files.md).
"""

from __future__ import annotations

from pathlib import Path

from bench.encoders.weights_family import WeightsFamily
from bench.errors import UserError
from bench.protocols import Encoder
from bench.store import weights
from bench.store.folders import expanded
from bench.store.reasons import reason
from bench.types import ARCFACE_CROP, EncoderCard, Folders, Preprocessing

FILES = {"buffalo_l": "w600k_r50.onnx", "buffalo_s": "w600k_mbf.onnx", "antelopev2": "glintr100.onnx"}
"""Pack -> its recognition network."""


def _card(name: str, architecture: str, training_set: str, parameters: int, released: str) -> EncoderCard:
    return EncoderCard(
        name=name,
        architecture=architecture,
        training_set=training_set,
        crop=ARCFACE_CROP,
        dimensions=512,
        parameters=parameters,
        released=released,
        licence="insightface weights: non-commercial research only",
        source=f"github.com/deepinsight/insightface, model pack {name}, {FILES[name]}",
        sha256="",  # stated for the archive only: pinned at first use
        # insightface/model_zoo/arcface_onnx.py, for graphs that do not scale themselves
        preprocessing=Preprocessing(mean=(127.5,) * 3, std=(127.5,) * 3),
    )


class PacksFamily(WeightsFamily):
    """One recognition network for each pack.

    Networks and training sets are stated as in insightface's model zoo; parameters follow from the files'
    sizes at 4 bytes each; the release is when the files in the archives were last changed.
    """

    stated = (
        _card("buffalo_l", "IResNet-50", "WebFace600K", 43_600_000, "2022-01"),
        _card("buffalo_s", "MobileFaceNet", "WebFace600K", 3_400_000, "2022-01"),
        _card("antelopev2", "IResNet-100", "Glint360K", 65_200_000, ""),
    )

    def file_name(self, card: EncoderCard) -> str:
        """The recognition network in a pack's folder, below a folder of weights."""
        return f"{card.name}/{FILES[card.name]}"

    def places(self, card: EncoderCard, folders: Folders) -> list[Path]:
        """The folders that are searched for packs, in order; insightface's own comes last."""
        del card
        own = expanded(Path("~/.insightface/models"))
        return [*weights.places(folders), *([own] if own.is_absolute() else [])]

    def candidates(self, card: EncoderCard, folders: Folders) -> list[Path]:
        """The paths that a pack's network may have: some archives hold the pack's folder once more."""
        file = self.file_name(card)
        return [
            place / path for place in self.places(card, folders) for path in (file, f"{card.name}/{file}")
        ]

    def inspect(self, card: EncoderCard, path: Path) -> None:
        """Look into a file whose digest is about to be pinned.

        Raises:
            UserError: if the file is no recognition network as on the card.
        """
        from bench.encoders.families.onnx_file.graph import interface, parse

        interface(parse(weights.read(path), str(path)), card, str(path))

    def open(self, card: EncoderCard, path: Path, device: str) -> Encoder:
        """The network, once insightface reads the same preprocessing out of it as the card states.

        Raises:
            UserError: if insightface reads something else, and if it does not load.
        """
        from bench.encoders.families.onnx_file.encoder import OnnxEncoder
        from bench.torchvision_compat import ensure

        encoder = OnnxEncoder(card, path, device)
        ensure()
        try:
            from insightface.model_zoo import ArcFaceONNX
        except ImportError as error:
            raise UserError(
                f"encoder {card.name!r} is checked by insightface, which does not load: {reason(error)}. "
                "Type pip install 'insightface>=1' opencv-python-headless."
            ) from error
        # on a GPU without onnxruntime's provider there is no session, and insightface opens one to look
        network = ArcFaceONNX(model_file=str(path), session=encoder.session)
        stated = card.preprocessing
        mean, std = float(network.input_mean), float(network.input_std)
        read = ((mean,) * 3, (std,) * 3, tuple(network.input_size))
        if read != (stated.mean, stated.std, (card.crop.size, card.crop.size)):
            raise UserError(
                f"{path} is not the network that the card of {card.name!r} is of: insightface reads mean "
                f"{mean:g}, std {std:g} and size {read[2]} from it, the card says "
                f"{stated.mean[0]:g}, {stated.std[0]:g} and {card.crop.size}."
            )
        return encoder


FAMILY = PacksFamily()
