"""How far a released photo may be from its original: the kinds of budgets, and a budget.

Plug-ins import all of this from `bench.types`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from bench.errors import UserError


@dataclass(frozen=True, slots=True)
class BudgetKind:
    """One way to say how far a released photo may be from its original.

    Attributes:
        form: How a budget of this kind is written.
        about: One line for `bench list`.
        example: A budget to try.
        high: The number is above 0 and at most this; it is below this where `exclusive`.
        exclusive: Whether `high` itself is out of range.
    """

    form: str
    about: str
    example: str
    high: float
    exclusive: bool = False

    @property
    def takes(self) -> str:
        """The range of its number in words, such as `N above 0 and at most 255`."""
        above = f"{self.form.partition(':')[2]} above 0"
        if math.isinf(self.high):
            return above
        return f"{above} and {'below' if self.exclusive else 'at most'} {self.high:g}"

    def fits(self, value: float) -> bool:
        """Whether a number is in range; NaN is in none."""
        return 0 < value < self.high or (value == self.high and not self.exclusive)


_WHERE = "on the whole photo and on the face"
BUDGETS: Mapping[str, BudgetKind] = {
    kind.form.partition(":")[0]: kind
    for kind in (
        BudgetKind(
            "linf:N",
            "no 8-bit value changes by more than N of 255",
            "linf:8",
            255,
        ),
        BudgetKind(
            "dssim:X",
            f"(1 - SSIM) / 2 is at most X {_WHERE}",
            "dssim:0.004",
            0.5,
        ),
        BudgetKind("ssim:X", f"SSIM is at least X {_WHERE}", "ssim:0.95", 1, exclusive=True),
        BudgetKind(
            "lpips:X",
            f"LPIPS is at most X {_WHERE}; needs a file of weights",
            "lpips:0.05",
            math.inf,
            exclusive=True,
        ),
    )
}
"""Kind -> what it is. `unbounded`, the want of a budget, is none of them."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How far a released photo may be from its original.

    Attributes:
        kind: One of `BUDGETS`, which says what the number means, or `unbounded` for no limit.
        value: The number; infinite for no limit.
    """

    kind: Literal["linf", "dssim", "ssim", "lpips", "unbounded"]
    value: float = math.inf

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read `linf:8`, `dssim:0.004`, `ssim:0.95`, `lpips:0.05` or `unbounded`.

        Raises:
            UserError: The form is another one, or the number is out of its kind's range.
        """
        given = f"budget {text!r}"
        if text == "unbounded":
            return cls("unbounded")
        name, _, number = text.partition(":")
        if name not in BUDGETS:
            forms = ", ".join(kind.form for kind in BUDGETS.values())
            raise UserError(f"{given} is not one of {forms} or unbounded. Try linf:8.")
        kind = BUDGETS[name]
        try:
            value = float(number)
        except ValueError:
            raise UserError(f"{given}: {number!r} is not a number. Try {kind.example}.") from None
        if not kind.fits(value):
            raise UserError(f"{given} is out of range; it takes {kind.takes}. Try {kind.example}.")
        return cls(cast("Literal['linf', 'dssim', 'ssim', 'lpips']", name), value)

    def __str__(self) -> str:
        """The form that `parse` reads, with as many digits as tell the number from any other."""
        if self.kind == "unbounded":
            return "unbounded"
        short = f"{self.value:g}"
        return f"{self.kind}:{short if float(short) == self.value else repr(self.value)}"
