"""Letting an attacker answer: it gets embeddings and, to name people, a gallery; never who is on a probe.

Photos without a face get label -1, are named by nobody, and stay in every denominator.
"""

from __future__ import annotations

import numpy as np

from bench.protocols import Clusterer, Identifier
from bench.recognition.embedded import Embedded
from bench.types import Gallery, Labels, Mask

TOP = 5
"""How many names an identifier gives for each probe."""


def ask_clusterer(attacker: Clusterer, collection: Embedded) -> Labels:
    """Let an attacker cluster the photos that have a face.

    Returns:
        int64 [photo]: a cluster number, or -1 for noise and for photos without a face.
    """
    labels = np.full(len(collection), -1, np.int64)
    if collection.has_face.any():
        labels[collection.has_face] = attacker.cluster(collection.of_faces)
    return labels


def ask_identifier(attacker: Identifier, collection: Embedded, owners: Labels, probes: Mask) -> Labels:
    """Let an attacker name the people on the probes from its gallery, which is all other photos.

    Args:
        attacker: Who names.
        collection: The attacker's photos.
        owners: int64 [photo], who is on each; those of the gallery are shown to the attacker.
        probes: bool [photo].

    Returns:
        int64 [probe, TOP]: names, the likeliest first; -1 where there is no face.
    """
    held = collection.has_face & ~probes
    shown = collection.has_face[probes]
    ranked = np.full((shown.size, TOP), -1, np.int64)
    if shown.any() and held.any():
        gallery = Gallery(collection.vectors[held], owners[held])
        ranked[shown] = attacker.rank(collection.vectors[probes & collection.has_face], gallery, TOP)
    return ranked
