"""Which budgets can be kept, and which defenses keep them; checked before anything is computed."""

from __future__ import annotations

from bench.errors import UserError
from bench.plan.chosen import Chosen
from bench.store import lpips_weights
from bench.types import BUDGETS, Budget, Folders, PluginCard


def check_budget(budget: Budget) -> None:
    """See that a budget leaves anything to change.

    Raises:
        UserError: An L-infinity budget is below one level of 8 bits.
    """
    if budget.kind == "linf" and budget.value < 1:
        raise UserError(f"budget {str(budget)!r} changes no 8-bit value: N must be at least 1. Try linf:1.")


def lpips_weights_of(budget: Budget, defense: Chosen, folders: Folders) -> str:
    """The sha256 of the weights that a budget or a defense measures LPIPS with; empty where none does.

    Raises:
        UserError: One of them does, and there are no weights for it.
    """
    if budget.kind == "lpips":
        return lpips_weights.needed(folders, "a budget of LPIPS", "--budget dssim:0.004")
    if defense.needs_lpips:
        return lpips_weights.needed(folders, f"defense {defense.name!r} with LPIPS", "it without")
    return ""


def check_keeps(name: str, card: PluginCard, budget: Budget) -> None:
    """See that a defense keeps budgets of this kind.

    A defense that keeps no budget runs under any and is judged by it. Whether a defense can do without a
    budget is for its own `check` to say.

    Args:
        name: The defense's name on the command line.
        card: What the defense states about itself.
        budget: What its photos would be judged by.

    Raises:
        UserError: The defense keeps budgets of other kinds only.
    """
    if not card.keeps or budget.kind == "unbounded" or budget.kind in card.keeps:
        return
    forms = " or ".join(BUDGETS[kind].form for kind in card.keeps)
    example = BUDGETS[card.keeps[0]].example
    raise UserError(f"defense {name!r} keeps {forms}, not {budget}. Try --budget {example}.")
