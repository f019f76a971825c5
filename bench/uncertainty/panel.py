"""The score of a board row: the strongest attacker of a frozen panel, never a mean over attackers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.types import Floats, Mask, Score
from bench.uncertainty.intervals import CONFIDENCE, Interval, rate_interval
from bench.uncertainty.maximum import behind, maximum
from bench.uncertainty.resampling import bootstrap_means


@dataclass(frozen=True, slots=True)
class Panel:
    """The effect of a panel of attackers on a defense.

    Attributes:
        worst: CFR-max or PSR-min over the attackers with a result, without the bias of having picked the
            largest (`bench.uncertainty.maximum`). With attackers missing it bounds the true one from one side
            only, and its interval reaches to the other end of [0, 1].
        any: CFR-any, the share of users who are clustered by any attacker; None for identification.
        strongest: The attacker with the largest rate that was seen; the first of several equal ones.
        by_attacker: Every attacker's own score, in the order of the panel.
        missing: The attackers without a complete result, in the order of the panel.
        bias: How much more harm the strongest attacker was seen to do than `worst` says, because the largest
            of several noisy rates was picked; at least 0, and 0 where one attacker is clearly the strongest.
        draws: The number of draws of background and seed.
    """

    worst: Score
    any: Score | None
    strongest: str
    by_attacker: dict[str, Score]
    missing: tuple[str, ...]
    bias: float
    draws: int

    @property
    def ranked(self) -> bool:
        """Whether the row may be compared with other rows: no attacker is missing."""
        return not self.missing


def cfr_panel(
    cells: Mapping[str, npt.ArrayLike | None],
    attackers: Sequence[str],
    *,
    present: npt.ArrayLike | None = None,
    confidence: float = CONFIDENCE,
    replicates: int = 2000,
    seed: int = 0,
) -> Panel:
    """CFR-max and CFR-any over a frozen panel of attackers.

    The estimate and the lower end of CFR-max come from `bench.uncertainty.maximum`, with the maximum inside
    each replicate of the hierarchical bootstrap. The lower end is at most the strongest attacker's own. The
    upper end is the largest of the attackers' own upper ends, which bounds a maximum however attackers depend
    on each other and however many they are. So the interval is no point after no events, as a bootstrap's
    alone would be.

    The attackers' own scores have the interval of `bench.uncertainty.intervals.rate_interval`. So has
    CFR-any, which is the rate of one more yes-or-no outcome.

    Args:
        cells: Attacker -> F_u, bool or {0, 1} [draw, user], over the same users and draws for all attackers.
            An attacker is missing if its value is None, if it has no entry, or if it is NaN where `present`
            says that the user was in the draw.
        attackers: The frozen panel.
        present: bool [draw, user], whether the user was in the draw; by default every user was in every draw.
        confidence: The two-sided confidence, in (0, 1).
        replicates: The number of bootstrap replicates.
        seed: The seed of the bootstrap.

    Raises:
        ValueError: The panel is empty or names an attacker twice, a cell belongs to no attacker of the panel,
            shapes differ, an outcome is neither 0 nor 1, or no attacker has a complete result.
    """
    names, missing, outcomes, in_draw = _complete(cells, attackers, present)
    if not np.isin(outcomes, (0, 1)).all():
        raise ValueError("whether a user was clustered must be 0 or 1")
    return _panel(
        names, missing, outcomes, in_draw, ("cfr", "cfr_max", "cfr_any"), confidence, replicates, seed
    )


def psr_panel(
    cells: Mapping[str, npt.ArrayLike | None],
    attackers: Sequence[str],
    *,
    k: int = 1,
    present: npt.ArrayLike | None = None,
    confidence: float = CONFIDENCE,
    replicates: int = 2000,
    seed: int = 0,
) -> Panel:
    """PSR-min over a frozen panel of identification attackers; as `cfr_panel`, with smaller being worse.

    Args:
        cells: Attacker -> each user's share of protected probes, in [0, 1], [draw, user].
        attackers: The frozen panel.
        k: The k of PSR@k, for the scores' names.
        present: As in `cfr_panel`.
        confidence: The two-sided confidence, in (0, 1).
        replicates: The number of bootstrap replicates.
        seed: The seed of the bootstrap.

    Raises:
        ValueError: As in `cfr_panel`, or a share lies outside [0, 1].
    """
    names, missing, protected, in_draw = _complete(cells, attackers, present)
    if protected.min() < 0 or protected.max() > 1:
        raise ValueError("a share of protected probes must lie in [0, 1]")
    labels = (f"psr{k}", f"psr{k}_min", None)
    return _panel(names, missing, 1 - protected, in_draw, labels, confidence, replicates, seed)


def _complete(
    cells: Mapping[str, npt.ArrayLike | None], attackers: Sequence[str], present: npt.ArrayLike | None
) -> tuple[list[str], tuple[str, ...], Floats, Mask]:
    """Names and outcomes [attacker, draw, user] of attackers without gaps; names of the others."""
    if not attackers or len(set(attackers)) != len(attackers):
        raise ValueError(f"a panel needs attackers, each once, got {list(attackers)}")
    strangers = sorted(set(cells) - set(attackers))
    if strangers:
        raise ValueError(f"{strangers[0]} is not in the panel {', '.join(attackers)}")
    given = {name: np.asarray(cells[name], np.float64) for name in attackers if cells.get(name) is not None}
    shapes = {array.shape for array in given.values()}
    if len(shapes) > 1 or any(len(shape) != 2 for shape in shapes):
        raise ValueError(
            "every cell must be [draw, user], the same for all: "
            + ", ".join(f"{name} {array.shape}" for name, array in given.items())
        )
    shape = next(iter(shapes), (0, 0))
    in_draw = np.ones(shape, bool) if present is None else np.asarray(present)
    if in_draw.dtype != np.bool_ or in_draw.shape != shape:
        raise ValueError(f"present must be {shape} booleans, got {in_draw.dtype} {in_draw.shape}")
    names = [name for name, array in given.items() if not np.isnan(array[in_draw]).any()]
    if not names:
        raise ValueError(f"no attacker of {', '.join(attackers)} has a complete result")
    missing = tuple(name for name in attackers if name not in names)
    return names, missing, np.stack([np.where(in_draw, given[name], 0.0) for name in names]), in_draw


def _panel(
    names: Sequence[str],
    missing: tuple[str, ...],
    harm: Floats,
    in_draw: Mask,
    labels: tuple[str, str, str | None],
    confidence: float,
    replicates: int,
    seed: int,
) -> Panel:
    """Turn the harm done to each user, in [0, 1], into scores; protection is 1 less the harm."""
    flip = labels[2] is None
    users = int(in_draw.any(0).sum())

    def score(name: str, value: float, interval: Interval) -> Score:
        better: Literal["lower", "higher"] = "higher" if flip else "lower"
        if flip:
            return Score(name, 1 - value, 1 - interval.high, 1 - interval.low, users, better)
        return Score(name, value, interval.low, interval.high, users, better)

    rates = harm[:, in_draw].mean(1)
    own = [rate_interval(of_one, in_draw, confidence) for of_one in harm]
    top = int(rates.argmax())
    value = float(rates[top])
    drawn = bootstrap_means(harm, in_draw, replicates=replicates, seed=seed)
    largest = maximum(rates, drawn, behind(harm[top], in_draw, confidence), confidence)
    low = min(largest.low, own[top].low)
    high = max(interval.high for interval in own)
    scores = {
        name: score(labels[0], float(rate), interval)
        for name, rate, interval in zip(names, rates, own, strict=True)
    }
    anybody = None
    if labels[2] is not None:
        by_any = harm.max(0)
        interval = rate_interval(by_any, in_draw, confidence)
        anybody = score(
            labels[2],
            float(by_any[in_draw].mean()),
            Interval(interval.low, 1.0 if missing else interval.high),
        )
    worst = score(labels[1], largest.estimate, Interval(low, 1.0 if missing else high))
    return Panel(worst, anybody, names[top], scores, missing, value - largest.estimate, int(in_draw.shape[0]))
