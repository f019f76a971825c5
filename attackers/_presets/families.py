"""Encoder families: which networks the thresholds of products belong to.

A threshold is a distance between embeddings, and every network has distances of its own. So the numbers of a
product belong to the network that the product embeds with. A family is a network by its architecture and its
training set, as the encoder's card states them. Other weights of one family are close enough for one
threshold; another training set is not.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.types import EncoderCard


@dataclass(frozen=True, slots=True)
class Family:
    """One encoder family.

    Attributes:
        title: The family's name in flags and on pages.
        architecture: `EncoderCard.architecture` of its members.
        training_set: `EncoderCard.training_set` of its members; empty where the architecture's name says
            which weights are meant.
    """

    title: str
    architecture: str
    training_set: str = ""


FAMILIES = {
    "w600k_r50": Family("InsightFace w600k_r50", "IResNet-50", "WebFace600K"),
    "w600k_mbf": Family("InsightFace w600k_mbf", "MobileFaceNet", "WebFace600K"),
    "glint360k_r100": Family("InsightFace glintr100", "IResNet-100", "Glint360K"),
    "facenet512": Family("FaceNet, 512-d", "InceptionResnetV1", "VGGFace2"),
    "facenet128": Family("FaceNet, 128-d", "FaceNet 128-d"),
    "dlib": Family("dlib's ResNet", "ResNet-29", "FaceScrub, VGGFace and photos of the web"),
    "sface": Family("SFace", "SFace"),
    "auraface": Family("AuraFace", "AuraFace"),
    "ente": Family("Ente's MobileFaceNet", "MobileFaceNet 192-d"),
    "arcface_r34": Family("DeepFace's ArcFace", "ArcFace ResNet-34"),
    "vggface": Family("VGG-Face", "VGG-Face"),
    "ghostfacenet": Family("GhostFaceNet", "GhostFaceNet"),
}
"""Key -> family. A product's table of numbers has these keys."""


IMMICH_FAMILIES = ("w600k_r50", "w600k_mbf", "glint360k_r100")
"""The networks of the model packs that Immich offers (buffalo_l, _m and _s, antelopev2), its default first:
machine-learning/immich_ml/models/constants.py. It has one distance for all."""

DLIB_LENGTH = 1.42
"""The mean length of dlib's embeddings: 1.418, standard deviation .074, on 600 photos of LFW.

Products compare dlib's embeddings as they are, and every attacker here gets them at length 1. A threshold on
their Euclidean distance is therefore divided by this length; the two agree on more than 99.5 % of all pairs.
"""


def family_of(card: EncoderCard) -> str:
    """The key of an encoder's family; empty where the card is of none."""
    return next((key for key, one in FAMILIES.items() if _is_of(card, one)), "")


def _is_of(card: EncoderCard, family: Family) -> bool:
    return card.architecture == family.architecture and family.training_set in ("", card.training_set)
