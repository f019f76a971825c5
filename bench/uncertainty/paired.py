"""Two defenses on the same users: their difference, its noise, and the rows that share a rank."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from bench.types import Floats, Mask
from bench.uncertainty.intervals import CONFIDENCE, NARROWEST, Interval, spread, wilson
from bench.uncertainty.maximum import behind, true_rates
from bench.uncertainty.resampling import bootstrap_means, rescaled, stretch, tables


class McNemar(NamedTuple):
    """The users on whom two defenses differ.

    Attributes:
        first_only: The number of users for whom the event (a cluster formed) happened under the first defense
            alone.
        second_only: The number of users for whom it happened under the second defense alone.
        p: The two-sided p-value, in [0, 1].
    """

    first_only: int
    second_only: int
    p: float


def mcnemar(first: npt.ArrayLike, second: npt.ArrayLike) -> McNemar:
    """McNemar's exact test (1947) of two defenses on the same users.

    Its question: do the users on whom the defenses differ fall on both sides like tosses of a fair coin?

    Args:
        first: bool [user], F_u under one defense, in one draw.
        second: bool [user], F_u under the other defense, for the same users in the same order.

    Returns:
        The counts and p; p is 1 where no user differs.

    Raises:
        ValueError: An array is not bool, the lengths differ, or the arrays are empty.
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
    """The first defense less the second; a negative difference of CFR-max: the first protects better.

    Attributes:
        difference: The difference of the two maxima over attackers, in [-1, 1].
        low: The lower end of its interval.
        high: The upper end of its interval.
        p: The two-sided p-value, not yet corrected for the number of pairs compared.
        test: The test behind p: `mcnemar` for one draw of yes-or-no outcomes, otherwise `t`.
        first_only: The number of (draw, user) pairs with a cluster under the first defense's strongest
            attacker and none under the second defense's strongest attacker.
        second_only: The number of (draw, user) pairs the other way round.
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
    confidence: float = CONFIDENCE,
    replicates: int = 2000,
    seed: int = 0,
) -> Comparison:
    """The paired bootstrap of the difference of two defenses' CFR-max, and a test.

    Both defenses share the resampled users and draws. Each replicate takes the maximum over attackers for
    each defense, and the difference is read as in `bench.uncertainty.resampling.rescaled`. The test is
    McNemar's on the outcomes under each defense's own strongest attacker. Over several draws one user's
    outcomes repeat, and the test is a t test with the standard error of `spread`.

    So few users may differ that even all of them one way would be no evidence (at 95 %, five: p = 2 / 2^5).
    Hardly any replicate lies on the other side then, and the interval is extended to 0. Where two defenses
    differ on no user, both ends are the upper bound after no event.

    Args:
        first: float [attacker, draw, user], outcomes in [0, 1] under one defense; larger is worse.
        second: float [attacker, draw, user], outcomes under the other defense. Its attackers may be others;
            draws and users are the same.
        present: bool [draw, user], whether the user was in the draw; by default every user was in every draw.
        confidence: The two-sided confidence, in (0, 1).
        replicates: The number of bootstrap replicates.
        seed: The seed of the bootstrap.

    Raises:
        ValueError: Shapes do not fit, there are fewer than two users, or an outcome lies outside [0, 1].
    """
    return _compared(
        _Row.of(first, present, replicates, seed), _Row.of(second, present, replicates, seed), confidence
    )


class _Row(NamedTuple):
    """One defense, resampled once for all its comparisons.

    Attributes:
        outcomes: float64 [attacker, draw, user].
        in_draw: bool [draw, user], whether the user was in the draw.
        means: float64 [replicate, attacker].
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

    def above(self, top: int, confidence: float) -> Floats:
        """How far the largest rate of each replicate lies above the largest true one: [replicate].

        The true rates are those of `bench.uncertainty.maximum`: many attackers may be about equally strong.
        """
        rates = self.outcomes[:, self.in_draw].mean(1)
        true = rates
        if len(rates) > 1:
            true = true_rates(rates, self.means, behind(self.outcomes[top], self.in_draw, confidence))
        largest: Floats = (true + self.means - rates).max(1) - true.max()
        return largest


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
    maxima = first.above(top_a, confidence) - second.above(top_b, confidence)
    bias, interval = rescaled(difference, difference + maxima, wider, confidence)
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
    """The two-sided p of a mean difference over draws and users."""
    variation = spread(differences, in_draw)
    variance = max(variation.variance, NARROWEST * float(differences[in_draw].var()) / variation.pairs)
    if variance <= 0:
        return 1.0 if estimate == 0 else 0.0
    return float(2 * special.stdtr(variation.df, -abs(estimate) / math.sqrt(variance)))


def holm(p: npt.ArrayLike) -> Floats:
    """Holm's (1979) step-down correction: the chance of any false finding stays below the level.

    Args:
        p: float [test], uncorrected p-values in [0, 1].

    Returns:
        float64 [test], corrected p-values in the same order, never smaller than before. Each is compared with
            the level.

    Raises:
        ValueError: The shape is another one, or a value lies outside [0, 1].
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
    """The place of a row among comparable rows; 1 is the best protection.

    Attributes:
        first: The best rank it can claim: one more than the number of rows that are better beyond noise.
        last: The worst rank: the number of rows less those that are worse beyond noise.
        tied_with: The rows that noise cannot tell from it.
    """

    first: int
    last: int
    tied_with: tuple[str, ...]

    def __str__(self) -> str:
        """`2`, or `2-4` where the row shares those ranks."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


class Ranking(NamedTuple):
    """A board's ranks and the comparisons behind them.

    Attributes:
        ranks: Each row's rank, in the order of the rows.
        pairs: How the first row of each pair differs from the second.
        corrected: Holm's p of each pair, over all pairs.
    """

    ranks: dict[str, Rank]
    pairs: dict[tuple[str, str], Comparison]
    corrected: dict[tuple[str, str], float]


def compare_rows(
    rows: Mapping[str, npt.ArrayLike],
    present: npt.ArrayLike | None = None,
    *,
    confidence: float = CONFIDENCE,
    replicates: int = 2000,
    seed: int = 0,
) -> dict[tuple[str, str], Comparison]:
    """Compare every two rows of one track.

    Args:
        rows: Name -> float [attacker, draw, user] of outcomes, larger is worse, over the same users and
            draws. Rows with missing attackers (`bench.uncertainty.panel.Panel.ranked`) do not belong here.
        present: bool [draw, user], whether the user was in the draw; by default every user was in every draw.
        confidence: The two-sided confidence, in (0, 1).
        replicates: The number of bootstrap replicates.
        seed: The seed of the bootstrap.

    Returns:
        How the first row of each pair differs from the second.

    Raises:
        ValueError: As in `compare`, or there are no rows.
    """
    if not rows:
        raise ValueError("there are no rows to rank")
    drawn = {}
    for name, outcomes in rows.items():
        try:
            drawn[name] = _Row.of(outcomes, present, replicates, seed)
        except ValueError as wrong:
            raise ValueError(f"row {name}: {wrong}") from wrong
    return {
        (left, right): _compared(drawn[left], drawn[right], confidence)
        for left, right in combinations(rows, 2)
    }


def ranks_of(
    rows: Iterable[str],
    pairs: Mapping[tuple[str, str], Comparison],
    corrected: Mapping[tuple[str, str], float],
    confidence: float = CONFIDENCE,
) -> dict[str, Rank]:
    """The ranks of the rows of one track; ties stay ties.

    Two rows are told apart when their paired interval leaves out 0 *and* the corrected p is at most one less
    the confidence. All other pairs are ties. Ties are not transitive: a row can be tied with two others of
    which one is better than the other. So a rank is a range.

    Args:
        rows: Their names.
        pairs: What `compare_rows` gave.
        corrected: Holm's p of each of these pairs, over all pairs of the board.
        confidence: The two-sided confidence, in (0, 1).
    """
    names = list(rows)
    better: dict[str, int] = dict.fromkeys(names, 0)
    worse: dict[str, int] = dict.fromkeys(names, 0)
    tied: dict[str, list[str]] = {name: [] for name in names}
    for (left, right), comparison in pairs.items():
        if comparison.tied or corrected[left, right] > 1 - confidence:
            tied[left].append(right)
            tied[right].append(left)
        else:
            winner, loser = (left, right) if comparison.difference < 0 else (right, left)
            better[loser] += 1
            worse[winner] += 1
    return {name: Rank(better[name] + 1, len(names) - worse[name], tuple(tied[name])) for name in names}


def rank_rows(
    rows: Mapping[str, npt.ArrayLike],
    present: npt.ArrayLike | None = None,
    *,
    confidence: float = CONFIDENCE,
    replicates: int = 2000,
    seed: int = 0,
) -> Ranking:
    """Rank the rows of a board that has one track: `compare_rows`, `holm` over all pairs, and `ranks_of`.

    Args:
        rows: As in `compare_rows`.
        present: As in `compare_rows`.
        confidence: The two-sided confidence, in (0, 1).
        replicates: The number of bootstrap replicates.
        seed: The seed of the bootstrap.

    Raises:
        ValueError: As in `compare_rows`.
    """
    pairs = compare_rows(rows, present, confidence=confidence, replicates=replicates, seed=seed)
    corrected = dict(zip(pairs, holm([c.p for c in pairs.values()]).tolist(), strict=True))
    return Ranking(ranks_of(rows, pairs, corrected, confidence), pairs, corrected)
