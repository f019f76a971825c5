"""What stands in a row beside numbers, texts and the records' own metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from bench.records.record import Metric


class Range(NamedTuple):
    """From a lowest to a highest value."""

    low: float
    high: float


class OneSided(NamedTuple):
    """A rate that bounds the true one from one side only.

    Attributes:
        rate: the rate.
        least: whether the true one is at least that, and not at most.
    """

    rate: Metric
    least: bool


class Deviation(NamedTuple):
    """A value with its standard error."""

    value: float | None
    error: float


@dataclass(frozen=True, slots=True)
class Strongest:
    """The strongest attack of several.

    Attributes:
        rate: the share of users who were clustered, or of probes whose person was named, with its interval;
            None where no attack has a result.
        cell: digest of the cell that it is of; empty where there is none.
        by: what this attack has that others do not: attacker, encoder, channel, and so on; may be empty.
        p: of the exact McNemar test against the row's first attack, corrected by Holm; None without a test.
        weak: whether all attacks with a result are too weak for a low rate to say anything.
        failed: how many cells have no result, whatever that would have been.
    """

    rate: Metric | None
    cell: str
    by: str
    p: float | None
    weak: bool
    failed: int


Value: TypeAlias = str | int | float | Metric | Range | OneSided | Deviation | Strongest | None
"""What a column for people shows of a row; None says nothing."""
