"""The main figures: what panels, steps and curves are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate over users.

    Attributes:
        title: how people call it.
        column: the column of the users' tables that it is the mean of.
        clusters: whether it is the share of users who were clustered, so that a lower rate protects better.
            Otherwise it is a share of probes whose person was not named, and a higher rate protects better.
    """

    title: str
    column: str
    clusters: bool

    def harm(self, rate: float) -> float:
        """The rate, or what it leaves of 1, such that a stronger attack has the larger one; in [0, 1]."""
        return rate if self.clusters else 1 - rate


FIGURES: Mapping[str, Figure] = {
    "cfr": Figure("CFR", "formed", clusters=True),
    "cfr_link": Figure("CFR-link", "formed_linked", clusters=True),
    "psr1": Figure("PSR@1", "psr1", clusters=False),
    "protection_rate": Figure("protection rate", "protection_rate", clusters=False),
}
"""Metric of a record -> what boards do with it."""
