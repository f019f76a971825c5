"""Rises of the share of users who are found -> what each of them says of the defense.

*Weaker* is a rise beyond the noise (McNemar's exact p, corrected by Holm, is at most .05 and the interval
leaves out 0) that is larger than what is allowed. *Passed* is a rise whose upper bound is at most what is
allowed, or records that are equal. Everything else is *undecided*: too few users to tell. `design/020` says
why, and `tests/gate/test_error_rates.py` how often each happens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.comparison.differences import Difference
from bench.uncertainty.intervals import LEVEL, Interval
from bench.uncertainty.paired import holm
from bench.uncertainty.power import smallest_detectable_difference

State = Literal["weaker", "undecided", "acknowledged", "passed"]
"""What one comparison says; `acknowledged` is one of the first two that somebody has answered for."""

_EXACT = 1e-9
"""A rise may be this much above what is allowed: shares of users are sums of floats."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One comparison of the baseline (first) with the new run (second).

    Attributes:
        difference: the users.
        equal: whether the records say the same in every figure, so that nothing has changed.
        p_holm: of the test, over all comparisons in which a user changed sides.
        comparisons: how many those are.
        max_drop: the largest rise that is allowed.
    """

    difference: Difference
    equal: bool
    p_holm: float
    comparisons: int
    max_drop: float

    @property
    def rise(self) -> float:
        """The share of users who are found now, less the share who were found before."""
        return 0.0 - self.difference.found.difference

    @property
    def interval(self) -> Interval:
        """The interval of the rise."""
        return Interval(-self.difference.found.high, -self.difference.found.low)

    @property
    def state(self) -> State:
        """What the comparison says."""
        beyond_noise = self.p_holm <= LEVEL and self.interval.low > 0
        if beyond_noise and self.rise > self.max_drop + _EXACT:
            return "weaker"
        return "passed" if self.equal or self.interval.high <= self.max_drop + _EXACT else "undecided"

    @property
    def needed(self) -> int | None:
        """How many users would decide it; None where it is decided, or where none would."""
        if self.state != "undecided":
            return None
        if self.rise > self.max_drop:  # they would have to show what was seen
            return self.difference.needed(self.comparisons, apart=self.rise)
        return self.difference.needed(1, apart=self.max_drop - self.rise)  # to rule out what is left of it


def judge(made: Sequence[tuple[Difference, bool]], max_drop: float) -> list[Judged]:
    """Judge all comparisons of a gate.

    Holm's correction covers the comparisons in which any user changed sides. Where none did, McNemar's test
    has nothing to decide, and its p is 1 whatever happened elsewhere.

    Args:
        made: Each difference, and whether the records behind it are equal.
        max_drop: The largest rise that is allowed, in [0, 1).
    """
    asked = [i for i, (difference, _) in enumerate(made) if difference.changed]
    corrected = dict(zip(asked, holm([made[i][0].found.p for i in asked]).tolist(), strict=True))
    return [
        Judged(difference, equal and i not in corrected, corrected.get(i, 1.0), len(asked), max_drop)
        for i, (difference, equal) in enumerate(made)
    ]


def detectable(made: Sequence[Difference], max_drop: float) -> float | None:
    """The smallest rise around one half that is called weaker four times of five, if one of all rises.

    Args:
        made: All comparisons, at least one.
        max_drop: The largest rise that is allowed.

    Returns:
        None where so few users would show none.
    """
    users, draws = min((difference.users, difference.draws) for difference in made)
    least = smallest_detectable_difference(users, draws, rate=None, comparisons=len(made), beyond=max_drop)
    return None if math.isnan(least) else least
