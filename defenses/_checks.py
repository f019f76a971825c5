"""What several defenses ask of their budget. Private to this folder."""

from __future__ import annotations

from bench.errors import UserError
from bench.types import BUDGETS, Budget, PluginCard


def check_kept(plugin: type[object], card: PluginCard, budget: Budget) -> None:
    """See that a budget is of a kind that a defense keeps.

    Args:
        plugin: The defense's class; the defense is called what its file is.
        card: What the defense states about itself.
        budget: What the released photos will be judged by.

    Raises:
        UserError: for a budget of another kind, and for none.
    """
    if budget.kind not in card.keeps:
        name = plugin.__module__.rpartition(".")[2].replace("_", "-")
        example = BUDGETS[card.keeps[0]].example
        raise UserError(
            f"defense {name!r} needs a budget that it can keep, not {budget}. Try --budget {example}."
        )
