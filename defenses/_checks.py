"""What several defenses ask of their budget and parameters. Private to this folder."""

from __future__ import annotations

from bench.errors import UserError
from bench.types import Budget


def bounded(name: str, budget: Budget) -> None:
    """See that there is a budget to keep.

    Raises:
        UserError: for `unbounded`.
    """
    if budget.kind != "linf":
        raise UserError(
            f"defense {name!r} needs a budget that it can keep, not {budget}. Try --budget linf:8."
        )
