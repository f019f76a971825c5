"""Two defenses on the same users: what differs, what is noise, and who shares a rank."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from bench.types import Floats, Mask
from bench.uncertainty.intervals import NARROWEST, Interval, spread, wilson
from bench.uncertainty.resampling import bootstrap_means, rescaled, stretch, tables


class McNemar(NamedTuple):
    """Which of two defenses fails more often on the same users.

    Attributes:
        first_only: users for whom the event (a cluster formed) happened under the first defense alone.
        second_only: under the second alone.
        p: two-sided.
    """

    first_only: int
    second_only: int
    p: float


def mcnemar(first: npt.ArrayLike, second: npt.ArrayLike) -> McNemar:
    """McNemar's test (1947), exact: are the users on whom two defenses differ a fair coin's tosses?

    Args:
        first: bool [user], F_u under one defense, in one draw.
        second: bool [user], under the other, the same users in the same order.

    Returns:
        p is 1 where no user differs.

    Raises:
        ValueError: for arrays that are not bool, of different lengths, or empty.
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.dtype != np.bool_ or b.dtype != np.bool_ or a.ndim != 1 or a.shape != b.shape or a.size == 0:
        raise ValueError(
            "McNemar's test needs two equally long lists of booleans, "
            f"got {a.dtype} {a.shape} and {b.dtype} {b.shape}"
        )
    first_only, second_only = int((a & ~b).sum()), int((b & ~a).sum())
    return McNemar(
        first_only,
        second_only,
        float(stats.binomtest(first_only, first_only + second_only).pvalue)
        if first_only + second_only
        else 1.0,
    )


class Comparison(NamedTuple):
    """First defense less second: of CFR-max a negative difference means that the first protects better.

    Attributes:
        difference: of the two maxima over attackers, in [-1, 1].
        low: lower end of its interval.
        high: upper end.
        p: two-sided, not yet corrected for how many pairs are compared.
        test: where p is from: `mcnemar` for one draw of yes-or-no outcomes, otherwise `t`.
        first_only: outcomes (user and draw) with a cluster under the first defense's strongest attacker and
            none under the second's.
        second_only: the other way round.
    """

    difference: float
    low: float
    high: float
    p: float
    test: Literal["mcnemar", "t"]
    first_only: int
    second_only: int

    @property
    def tied(self) -> bool:
        """Whether the interval covers 0."""
        return self.low <= 0 <= self.high


def compare(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    present: npt.ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Paired bootstrap of the difference of two defenses' CFR-max, and a test.

    Users and draws are resampled alike for both, the maximum over attackers is taken inside each replicate
    for each, and the difference of the two is read as in `bench.uncertainty.resampling.rescaled`. The test is
    McNemar's on the outcomes under each defense's own strongest attacker; over several draws, where one
    user's outcomes repeat, a t test with the standard error of `spread`.

    So few users may differ that even all of them one way would be no evidence (at 95 %, five: p = 2 / 2^5);
    hardly any replicate lies on the other side then, and the interval is made to hold 0. Two defenses that
    differ on no user have the upper bound after no event for both ends.

    Args:
        first: [attacker, draw, user] outcomes in [0, 1] under one defense; larger is worse.
        second: the same under the other; attackers may be others, draws and users are the same.
        present: bool [draw, user]; by default all in all.
        confidence: two-sided.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: for shapes that do not fit, fewer than two users, or outcomes outside [0, 1].
    """
    return _compared(
        _Row.of(first, present, replicates, seed), _Row.of(second, present, replicates, seed), confidence
    )


class _Row(NamedTuple):
    """One defense, resampled once for all its comparisons.

    Attributes:
        outcomes: [attacker, draw, user].
        in_draw: bool [draw, user], whether the user was in the draw.
        means: [replicate, attacker].
    """

    outcomes: Floats
    in_draw: Mask
    means: Floats

    @classmethod
    def of(cls, outcomes: npt.ArrayLike, present: npt.ArrayLike | None, replicates: int, seed: int) -> _Row:
        values, in_draw = tables(outcomes, present)
        if values.min() < 0 or values.max() > 1:
            raise ValueError(f"outcomes must lie in [0, 1], got {values.min()} to {values.max()}")
        return cls(values, in_draw, bootstrap_means(values, in_draw, replicates=replicates, seed=seed))


def _compared(first: _Row, second: _Row, confidence: float) -> Comparison:
    a, b, in_draw = first.outcomes, second.outcomes, first.in_draw
    if a.shape[1:] != b.shape[1:]:
        raise ValueError(
            f"both need the same draws and users, got {a.shape} and {b.shape} [attacker, draw, user]"
        )
    rate_a, rate_b = a[:, in_draw].mean(1), b[:, in_draw].mean(1)
    top_a, top_b = int(rate_a.argmax()), int(rate_b.argmax())
    strongest = a[top_a] - b[top_b]
    difference = float(rate_a[top_a] - rate_b[top_b])
    wider = stretch(strongest, first.means[:, top_a] - second.means[:, top_b], in_draw, confidence)
    maxima = first.means.max(1) - second.means.max(1)
    bias, interval = rescaled(difference, maxima, wider, confidence)
    if not strongest[in_draw].any():
        one_sided = wilson(0, in_draw.shape[1], confidence).high
        interval = Interval(min(interval.low, -one_sided), max(interval.high, one_sided))
    low, high = max(-1.0, min(difference, interval.low)), min(1.0, max(difference, interval.high))
    first_only, second_only = int((strongest[in_draw] > 0).sum()), int((strongest[in_draw] < 0).sum())
    yes_or_no = bool(np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all())
    test: Literal["mcnemar", "t"] = "mcnemar" if in_draw.shape[0] == 1 and yes_or_no else "t"
    if test == "mcnemar":
        p = mcnemar(a[top_a, 0][in_draw[0]] > 0, b[top_b, 0][in_draw[0]] > 0).p
    else:
        p = _t_test(strongest, in_draw, difference - bias)
    differing = int((strongest != 0).any(0).sum())
    if 0.5 ** (differing - 1) > 1 - confidence:
        low, high = min(low, 0.0), max(high, 0.0)
    return Comparison(difference, low, high, p, test, first_only, second_only)


def _t_test(differences: Floats, in_draw: Mask, estimate: float) -> float:
    """Two-sided p of a mean difference over draws and users."""
    variation = spread(differences, in_draw)
    variance = max(variation.variance, NARROWEST * float(differences[in_draw].var()) / variation.pairs)
    if variance <= 0:
        return 1.0 if estimate == 0 else 0.0
    return float(2 * special.stdtr(variation.df, -abs(estimate) / math.sqrt(variance)))


def holm(p: npt.ArrayLike) -> Floats:
    """Holm's (1979) step-down correction: the chance of any false finding stays below the level.

    Args:
        p: [test] uncorrected, in [0, 1].

    Returns:
        [test] corrected, never smaller, in the same order; compare each with the level.

    Raises:
        ValueError: for other shapes or values outside [0, 1].
    """
    values = np.asarray(p, np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values must be numbers in [0, 1], [test]")
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    corrected = np.empty(values.size)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


class Rank(NamedTuple):
    """Where a row stands among comparable rows; 1 is the best protection.

    Attributes:
        first: the best rank it can claim: one more than how many rows are better beyond noise.
        last: the worst: how many rows there are less those that are worse beyond noise.
        tied_with: the rows that noise cannot tell from it.
    """

    first: int
    last: int
    tied_with: tuple[str, ...]

    def __str__(self) -> str:
        """`2`, or `2-4` where it shares those ranks."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


class Ranking(NamedTuple):
    """A board's ranks and what they rest on.

    Attributes:
        ranks: row -> its rank, as ordered as the rows were.
        pairs: (row, row) -> how the first differs from the second.
        corrected: (row, row) -> Holm's p over all pairs.
    """

    ranks: dict[str, Rank]
    pairs: dict[tuple[str, str], Comparison]
    corrected: dict[tuple[str, str], float]


def rank_rows(
    rows: Mapping[str, npt.ArrayLike],
    present: npt.ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    replicates: int = 2000,
    seed: int = 0,
) -> Ranking:
    """Rank the rows of one track, ties as ties.

    Two rows are told apart when their paired interval leaves out 0 *and* Holm's corrected p is at most one
    less the confidence; everything else is a tie. Ties are not transitive: a row can be tied with two others
    of which one is better than the other; hence a range.

    Args:
        rows: name -> [attacker, draw, user] outcomes, larger is worse; the same users and draws. Rows with
            missing attackers (`bench.uncertainty.panel.Panel.ranked`) do not belong here.
        present: bool [draw, user]; by default all in all.
        confidence: two-sided.
        replicates: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ValueError: as in `compare`, and for no rows.
    """
    if not rows:
        raise ValueError("there are no rows to rank")
    drawn = {}
    for name, outcomes in rows.items():
        try:
            drawn[name] = _Row.of(outcomes, present, replicates, seed)
        except ValueError as wrong:
            raise ValueError(f"row {name}: {wrong}") from wrong
    pairs = {(one, two): _compared(drawn[one], drawn[two], confidence) for one, two in combinations(rows, 2)}
    corrected = dict(zip(pairs, holm([c.p for c in pairs.values()]).tolist(), strict=True))
    better: dict[str, int] = dict.fromkeys(rows, 0)
    worse: dict[str, int] = dict.fromkeys(rows, 0)
    tied: dict[str, list[str]] = {name: [] for name in rows}
    for (one, two), comparison in pairs.items():
        if comparison.tied or corrected[one, two] > 1 - confidence:
            tied[one].append(two)
            tied[two].append(one)
        else:
            winner, loser = (one, two) if comparison.difference < 0 else (two, one)
            better[loser] += 1
            worse[winner] += 1
    ranks = {name: Rank(better[name] + 1, len(rows) - worse[name], tuple(tied[name])) for name in rows}
    return Ranking(ranks, pairs, corrected)
