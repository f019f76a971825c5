"""The main figures: what panels, steps and curves are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.records.record import CellRecord
from bench.types import Outcome


@dataclass(frozen=True, slots=True)
class Figure:
    """A rate over users.

    Attributes:
        title: how people call it.
        column: the column of the users' tables that it is the mean of.
        clusters: whether it is the share of users who were clustered, so that a lower rate protects better.
            Otherwise it is a share of probes whose person was not named, and a higher rate protects better.
        own: the figure on an attacker's own cloaks (`CellRecord.own_cloaks`) by which the attacker chooses.
        tie: the one, the larger the better for the attacker, that decides between equals; may be empty.
    """

    title: str
    column: str
    clusters: bool
    own: str
    tie: str = ""

    def harm(self, rate: float) -> float:
        """The rate, or what it leaves of 1, such that a stronger attack has the larger one; in [0, 1]."""
        return rate if self.clusters else 1 - rate


FIGURES: Mapping[str, Figure] = {
    "cfr": Figure("CFR", "formed", clusters=True, own="cfr", tie="bcubed_f"),
    "cfr_link": Figure("CFR-link", "formed_linked", clusters=True, own="cfr", tie="bcubed_f"),
    "psr1": Figure("PSR@1", "psr1", clusters=False, own="psr1"),
    "protection_rate": Figure("protection rate", "protection_rate", clusters=False, own="protection_rate"),
}
"""Metric of a record -> what boards do with it."""


def not_ok(record: CellRecord) -> int:
    """How many released photos of a cell have another outcome than `ok`."""
    return sum(count for outcome, count in record.outcomes.items() if outcome != Outcome.OK)


def contaminated(record: CellRecord) -> float | None:
    """The share of other people whom the cloaks of a cell made harder to sort; None where it has none."""
    metric = record.metrics.get("contamination")
    return None if metric is None else metric.value
