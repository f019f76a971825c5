"""How the users of a row fared in two measurements: against each attack, and against the panel as a whole.

The unit is the user. A user counts as found where the attack clustered or named this user. Photos that are
not `ok` count as if they had gone worst, as in the ranks of a board.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.board.chosen import Chosen, chosen_attack
from bench.board.figures import FIGURES
from bench.board.outcomes import Met, complete, meet
from bench.board.user_tables import Users
from bench.comparison.pairing import PairedRow
from bench.errors import UserError
from bench.records.record import CellRecord
from bench.types import Floats
from bench.uncertainty.changed import compare_users, users_needed
from bench.uncertainty.intervals import LEVEL
from bench.uncertainty.paired import Comparison

By = Literal["chosen", "max", "any", "attack"]
"""Whose users are counted: the attack that the attacker chose on its own cloaks, the strongest attack of each
measurement, all attacks together (a user is found if any of them finds this user), or one attack.
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """The same users in two measurements.

    Attributes:
        by: whose users are counted.
        attack: the condition, for one attack; of `chosen` and `max` the two attacks; empty for `any`.
        first: the share of users who were found in the first measurement, in [0, 1].
        second: likewise in the second.
        users: how many there are.
        draws: of background and seed.
        found: the first less the second.
    """

    by: By
    attack: str
    first: float
    second: float
    users: int
    draws: int
    found: Comparison

    @property
    def changed(self) -> bool:
        """Whether any user fared otherwise."""
        return bool(self.found.first_only or self.found.second_only)

    def needed(self, comparisons: int, *, apart: float | None = None) -> int | None:
        """How many users would show a difference four times of five, if as many changed sides as here did.

        Args:
            comparisons: by how many tests Holm's first step divides the level.
            apart: the difference, in [0, 1]; the one that was seen if None.

        Returns:
            None where there is no difference, or where no number of users within reason would show it.
        """
        pairs = self.users * self.draws
        changed = (self.found.first_only + self.found.second_only) / pairs
        shown = abs(self.found.difference) if apart is None else apart
        changed = min(max(changed, shown), 1.0)
        return users_needed((changed + shown) / 2, (changed - shown) / 2, level=LEVEL / max(comparisons, 1))


@dataclass(frozen=True, slots=True)
class _Side:
    """One measurement of a row."""

    met: Met
    chosen: Chosen | None

    @classmethod
    def of(cls, row: PairedRow, records: Sequence[CellRecord], users: Users, people: Sequence[str]) -> _Side:
        cells = list({record.cell: record for record in records}.values())
        named = {record.cell: name for record, name in zip(records, row.named, strict=True)}
        met = meet(row.figure, cells, named, row.conditions, people, users)
        return cls(met, chosen_attack(cells, named, row.conditions, met))

    def harm(self, condition: str) -> Floats:
        """What was done to each user at worst: [draw, user], larger is worse."""
        return _harm(self.met.figure, self.met.at_worst[condition])


def differences(row: PairedRow, first: Users, second: Users) -> list[Difference]:
    """All differences of a row, the headline first: `chosen` where both have one, else `max`.

    Conditions without a complete result on either side have none, and the panel is that of the others.

    Args:
        row: The pairs.
        first: The users of the first measurement.
        second: The users of the second.

    Raises:
        UserError: The two are not about the same users.
    """
    people = _people(row, first, second)
    before = _Side.of(row, [pair.first for pair in row.pairs], first, people)
    after = _Side.of(row, [pair.second for pair in row.pairs], second, people)
    whole = [c for c in row.conditions if _complete(before, c) and _complete(after, c)]
    if not whole:
        return []
    one, other = (np.stack([side.harm(c) for c in whole]) for side in (before, after))
    made = []
    if before.chosen is not None and after.chosen is not None:
        sent = [_harm(row.figure, side.at_worst)[None] for side in (before.chosen, after.chosen)]
        attacks = _both(before.chosen.choice.attacker, after.chosen.choice.attacker)
        made.append(_difference("chosen", attacks, *sent))
    if len(whole) > 1:
        tops = (whole[int(side.mean((1, 2)).argmax())] for side in (one, other))
        made.append(_difference("max", _both(*tops), one, other))
        if FIGURES[row.figure].clusters:
            made.append(_difference("any", "", one.max(0)[None], other.max(0)[None]))
    each = [_difference("attack", c, one[i][None], other[i][None]) for i, c in enumerate(whole)]
    return made + each


def incomplete(row: PairedRow, made: Sequence[Difference]) -> list[str]:
    """The conditions of a row that no difference is about: a cell failed, or a draw is missing."""
    told = {difference.attack for difference in made if difference.by == "attack"}
    return [condition for condition in row.conditions if condition not in told]


def _people(row: PairedRow, first: Users, second: Users) -> list[str]:
    people: set[str] = set()
    for pair in row.pairs:
        tables = first.get(pair.first.cell), second.get(pair.second.cell)
        own, other = (set(table.users) if table else set() for table in tables)
        people |= own | other
        if all(tables) and own != other:
            raise UserError(
                f"cells {pair.first.cell[:12]} and {pair.second.cell[:12]} are not about the same users: "
                f"{len(own & other)} of {len(own)} and {len(other)} are in both. Run both with the same data "
                "set, users, photos and seed."
            )
    return sorted(people)


def _complete(side: _Side, condition: str) -> bool:
    tables = (side.met.outcomes.get(condition), side.met.at_worst.get(condition))
    return all(table is not None and complete(table) for table in tables)


def _harm(figure: str, rates: Floats) -> Floats:
    return rates if FIGURES[figure].clusters else 1 - rates


def _both(first: str, second: str) -> str:
    return first if first == second else f"{first}; {second}"


def _difference(by: By, attack: str, first: Floats, second: Floats) -> Difference:
    one, other = (float(side.mean((1, 2)).max()) for side in (first, second))
    _, draws, users = first.shape
    return Difference(by, attack, one, other, users, draws, compare_users(first, second))
