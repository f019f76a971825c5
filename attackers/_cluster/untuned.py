"""Clusterers that nothing is tuned of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from bench.types import Embeddings, Labels

from .._parameters.attacker import Attacker


class Untuned(Attacker):
    """A clusterer whose parameters are what they are: those of a product, or no threshold at all."""

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Self:
        """The attacker itself: nothing is tuned."""
        del embeddings, people, objective
        return self
