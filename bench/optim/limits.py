"""What every photo keeps at every step: the run's budget, and the limits that a defense adds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from bench.descent import Dssim, Limit, Measure, Pictures
from bench.errors import UserError
from bench.optim.measures import measure_of
from bench.types import Budget

_TRIALS = 8
"""How many factors are tried for a change that exceeds a limit."""

_AIM, _ENOUGH = 0.999, 0.97
"""The share of a limit's root that is aimed at, and the share of a limit that is enough."""

_ROUNDING = 5e-4
"""How far below a limit a change stays, as a share of it: the engine measures in float32."""

ToPictures = Callable[[torch.Tensor, torch.Tensor], Pictures]
"""Positions of some photos and their levels -> pictures of them."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of one descent.

    Attributes:
        levels: The largest change of a value in whole levels; None for no such limit.
        measured: Each measure with the largest value that it may have.
    """

    levels: int | None
    measured: tuple[tuple[Measure, float], ...] = ()

    @property
    def limit(self) -> float:
        """The largest change of a value; infinite for no such limit."""
        return math.inf if self.levels is None else float(self.levels)

    def excess(self, pictures: Pictures) -> torch.Tensor:
        """How many times its limit each photo spends, of the limit that it spends most of: [n]."""
        ratios = [measure(pictures) / (largest * (1 - _ROUNDING)) for measure, largest in self.measured]
        return torch.stack(ratios).amax(0)

    def shrink(self, change: torch.Tensor, original: torch.Tensor, pictures: ToPictures) -> torch.Tensor:
        """Make each change smaller by a factor, until its 8-bit photo is within every limit; in place.

        The factor is sought between one that is small enough (0, at first) and one that is too large. What
        is tried next is where a measure that grows with the square of the change would meet its limit.

        Args:
            change: float [n, 3, height, width] in levels, which keeps `levels` and the range of 8 bits.
            original: The clean photos.
            pictures: For the measures.
        """
        if not self.measured:
            return change
        with torch.no_grad():
            rows = torch.arange(len(change), device=change.device)
            spent = self.excess(pictures(rows, original + change.round()))
            rows, spent = rows[spent > 1], spent[spent > 1]
            low, high = torch.zeros_like(spent), torch.ones_like(spent)
            share, wanting = high, torch.ones_like(spent, dtype=torch.bool)
            for _ in range(_TRIALS):
                if not len(rows):
                    break
                guess = share * _AIM / spent.clamp_min(1e-12).sqrt()
                share = torch.where((guess > low) & (guess < high), guess, (low + high) / 2)
                smaller = change[rows] * share[:, None, None, None].to(change.dtype)
                spent = self.excess(pictures(rows, original[rows] + smaller.round()))
                within = spent <= 1
                low = torch.where(wanting & within, share, low)
                high = torch.where(wanting & ~within, share, high)
                wanting &= ~(within & (spent > _ENOUGH))
                if not wanting.any():
                    break
            change[rows] *= low[:, None, None, None].to(change.dtype)
        return change


def bounds_of(budget: Budget, limits: Sequence[Limit] = ()) -> Bounds:
    """What photos have to keep under a budget and further limits.

    Raises:
        UserError: for a budget that the engine cannot keep.
    """
    own = tuple((measure_of(limit.measure), limit.largest) for limit in limits)
    if budget.kind == "linf":
        return Bounds(math.floor(budget.value), own)
    if budget.kind == "unbounded":
        return Bounds(None, own)
    if budget.kind == "dssim":
        return Bounds(None, ((measure_of(Dssim()), budget.value), *own))
    if budget.kind == "ssim":
        return Bounds(None, ((measure_of(Dssim()), (1 - budget.value) / 2), *own))
    raise UserError(f"this defense cannot keep {budget}. Try --budget dssim:0.004.")


def project(
    change: torch.Tensor, original: torch.Tensor, region: torch.Tensor, levels: int | None
) -> torch.Tensor:
    """Bring a change into the budget, into the region, and the photo into [0, 255]; in place.

    Rounding the result keeps all three, because the original and the limit are whole numbers.

    Args:
        change: float [n, 3, height, width] in levels.
        original: uint8, the same shape.
        region: bool [n, 1, height, width].
        levels: The largest change of a value, a whole number; None for no limit.
    """
    clean = original.to(change.dtype)
    if levels is not None:
        torch.clamp(change, -levels, levels, out=change)
    return change.add_(clean).clamp_(0, 255).sub_(clean).mul_(region)
