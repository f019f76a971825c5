"""The words of a gate: what was found, how sure it is, and what has changed, in one line."""

from __future__ import annotations

from collections.abc import Sequence

from bench.board.figures import FIGURES
from bench.gate.rows import GateRow


def weaker_than_allowed(rows: Sequence[GateRow], max_drop: float) -> str:
    """Why a gate says `weaker`: its largest rise, and how many more there are."""
    row = rows[0]
    return (
        f"{_found(row)}; {_interval(row)}, p {row.p_holm:.2g}, and a rise of {max_drop:g} is allowed"
        f"{_because(row)}{more(len(rows) - 1)}"
    )


def too_few(rows: Sequence[GateRow], max_drop: float) -> str:
    """Why a gate says `underpowered`: what may be the largest rise, and how many users would decide."""
    row = max(rows, key=lambda row: row.rise.high or 0)
    needed = [row.users_needed for row in rows]
    users = [number for number in needed if number is not None]
    enough = (
        f"about {max(users)} users would" if users and len(users) == len(needed) else "more users are needed"
    )
    return (
        f"{row.users} users cannot show that no rise is above {max_drop:g}: {_found(row)}; "
        f"{_interval(row)}; {enough}{_because(row)}{more(len(rows) - 1)}"
    )


def _found(row: GateRow) -> str:
    who = {"any": "all attacks together", "chosen": f"the chosen attack ({row.attack})"}.get(
        row.by, row.attack
    )
    verb = "finds" if row.by != "any" else "find"
    rates = f"{FIGURES[row.figure].title} {row.before:.2f} -> {row.now:.2f}"
    return (
        f"{row.defense} ({row.scenario}, {row.budget}, {row.knowledge}): {who} {verb} {row.newly_found} "
        f"users more and {row.no_longer_found} fewer ({rates})"
    )


def told(row: GateRow) -> str:
    """One comparison in a line."""
    return f"{_found(row)}; {_interval(row)}{_because(row)}"


def _interval(row: GateRow) -> str:
    return f"rise {row.rise.value:.2f} [{row.rise.low:.2f}, {row.rise.high:.2f}]"


def _because(row: GateRow) -> str:
    return f"; changed: {'; '.join(row.changes)}" if row.changes else ""


def more(count: int) -> str:
    """How many of the same kind are not told of."""
    return f" (and {count} more)" if count > 0 else ""
