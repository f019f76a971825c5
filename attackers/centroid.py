"""Nearest centroid: a person is the mean of their gallery photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.types import PluginCard

from ._identify.enrolled import Enrolled, Scorer
from ._identify.openset import OpenSet


@dataclass(frozen=True)
class Centroid(OpenSet):
    """Ranks people by the cosine between the probe and the mean of their gallery photos.

    The mean is the usual template of a person with several photos in face recognition. This is the nearest
    class mean of Mensink et al. by cosine, without a learned metric. Only the threshold is tuned.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="ranks gallery people by the mean of their photos",
        source="Mensink, Verbeek, Perronnin and Csurka, IEEE TPAMI 35(11), 2013",
    )

    def fitted(self, gallery: Enrolled) -> Scorer:
        """The cosine with the mean, in [-1, 1]; 0 for a person whose photos cancel out."""
        starts = np.searchsorted(gallery.person, np.arange(gallery.people.size))
        sums = np.add.reduceat(gallery.rows, starts, axis=0)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        means = np.asarray(sums / np.where(lengths > 1e-6, lengths, np.inf), np.float32)
        return lambda probes: probes @ means.T


PLUGIN = Centroid
