"""FaceNet: InceptionResnetV1 as facenet-pytorch defines it, with weights in that package's format."""

from __future__ import annotations

from pathlib import Path

from bench.encoders.weights_family import WeightsFamily
from bench.protocols import Encoder
from bench.types import Crop, EncoderCard, Preprocessing

FILES = {
    "facenet-vggface2": "20180402-114759-vggface2.pt",
    "facenet-casia": "20180408-102900-casia-webface.pt",
}
"""Name -> the file, as facenet-pytorch publishes it."""

FACENET_CROP = Crop(size=160, kind="box", margin=14)
"""As facenet-pytorch evaluates its weights on LFW (examples/lfw_evaluate.ipynb)."""

_INPUT = Preprocessing(mean=(127.5,) * 3, std=(128.0,) * 3)
"""`fixed_image_standardization` of that package."""


def _card(name: str, training_set: str, released: str, licence: str) -> EncoderCard:
    return EncoderCard(
        name=name,
        architecture="InceptionResnetV1",
        training_set=training_set,
        crop=FACENET_CROP,
        dimensions=512,
        parameters=23_482_624,
        released=released,
        licence=licence,
        source="github.com/timesler/facenet-pytorch, release v2.2.9, after davidsandberg/facenet",
        sha256="",  # the publisher states none: pinned at first use
        preprocessing=_INPUT,
    )


class FaceNetFamily(WeightsFamily):
    """The weights that facenet-pytorch publishes. Training sets are those that the publisher states."""

    stated = (
        _card("facenet-vggface2", "VGGFace2", "2018-04-02", "MIT repository; none stated for the weights"),
        _card("facenet-casia", "CASIA-WebFace", "2018-04-08", "MIT repository; none stated for the weights"),
    )

    def file_name(self, card: EncoderCard) -> str:
        """The file with an encoder's weights, below a folder of weights."""
        return FILES[card.name]

    def open(self, card: EncoderCard, path: Path, device: str) -> Encoder:
        """The encoder, from a file that was verified.

        Raises:
            UserError: if the file does not hold the weights of this network.
        """
        from bench.encoders.families.facenet.encoder import FaceNet

        return FaceNet(card, path, device)


FAMILY = FaceNetFamily()
