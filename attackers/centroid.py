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

    The template of a person in face recognition with several photos; the nearest class mean of Mensink et al.
    without a learned metric, and by cosine. Nothing is tuned but the reject threshold.

    Attributes:
        open_set: reject probes that are like nobody.
        threshold: cosine up to which a probe is rejected; None takes it from calibration identities.
        far: false accept rate that the threshold is calibrated at.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="ranks gallery people by the mean of their photos",
        source="Mensink, Verbeek, Perronnin and Csurka, IEEE TPAMI 35(11), 2013",
    )

    def fitted(self, held: Enrolled) -> Scorer:
        """Cosine with the mean, in [-1, 1]; 0 for somebody whose photos cancel out."""
        starts = np.searchsorted(held.person, np.arange(held.people.size))
        sums = np.add.reduceat(held.rows, starts, axis=0)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        means = np.asarray(sums / np.where(lengths > 1e-6, lengths, np.inf), np.float32)
        return lambda probes: probes @ means.T


PLUGIN = Centroid
