"""`bench compare`: two defenses, or two runs, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.board.figures import FIGURES
from bench.board.table import CONFIDENT, Column, Table
from bench.board.tracks import flagged, label, weak
from bench.board.user_tables import Users
from bench.board.wording import worded_value
from bench.comparison.differences import By, Difference, differences, incomplete
from bench.comparison.pairing import PairedRow, Pairing, knowledge, paired_rows
from bench.errors import UserError
from bench.records.record import CellRecord, Metric
from bench.types import FlagCode
from bench.uncertainty.intervals import LEVEL
from bench.uncertainty.paired import holm


@dataclass(frozen=True, slots=True)
class CompareRow:
    """Two measurements of the same users in one track, by one figure.

    Attributes:
        knowledge: what the defense knew of the attacker's encoder.
        surrogate: names of the encoders that the cloaks were made against.
        first: the first defense, with the parameters that tell it from the second; of two runs, the first.
        second: likewise.
        figure: `cfr`, `cfr_link`, `psr1` or `protection_rate`.
        by: `chosen`, `max`, `any` or `attack`; see `bench.comparison.differences.By`.
        attack: what attacked; of `chosen` and `max` two attacks where they differ.
        first_rate: the figure of the first, at worst.
        second_rate: the figure of the second, at worst.
        difference: the first rate less the second, with its paired interval.
        p: of McNemar's exact test, or over several draws of the t test on users and draws.
        p_holm: the same, corrected for all rows of the table.
        apart: whether the two are told apart: `p_holm` is at most .05 and the interval leaves out 0.
        first_only: how many users were found under the first alone; over several draws, users times draws.
        second_only: likewise under the second alone.
        users: how many users there are.
        draws: of background and seed.
        users_needed: how many users would tell such a difference four times of five, among as many rows; None
            where there is no difference or no number within reason would.
        missing: attacks without a complete result on both sides.
        remarks: why the row has to be read with care.
    """

    dataset: str
    scenario: str
    dose: float
    distractors: int
    budget: str
    knowledge: str
    surrogate: tuple[str, ...]
    first: str
    second: str
    figure: str
    by: By
    attack: str
    first_rate: float
    second_rate: float
    difference: Metric
    p: float
    p_holm: float
    apart: bool
    first_only: int
    second_only: int
    users: int
    draws: int
    users_needed: int | None
    missing: tuple[str, ...]
    remarks: tuple[str, ...]


def _usual(value: float, usual: float) -> float | None:
    return None if value == usual else value


COLUMNS: tuple[Column[CompareRow], ...] = (
    Column("data set", lambda row: row.dataset, place=20),
    Column("scenario", lambda row: row.scenario, place=20),
    Column("dose", lambda row: _usual(row.dose, 1), "g", place=20),
    Column("distractors", lambda row: row.distractors or None, place=20),
    Column("budget", lambda row: row.budget, place=20),
    Column("knowledge", lambda row: row.knowledge, place=5),
    Column("surrogate", lambda row: "+".join(row.surrogate), place=20),
    Column("first", lambda row: row.first, place=1),
    Column("second", lambda row: row.second, place=1),
    Column("figure", lambda row: FIGURES[row.figure].title, place=6),
    Column("by", lambda row: row.by, place=7),
    Column("attack", lambda row: row.attack, place=10),
    Column("first rate", lambda row: row.first_rate, place=8),
    Column("second rate", lambda row: row.second_rate, place=8),
    Column(f"difference [{CONFIDENT}]", lambda row: row.difference, place=2),
    Column("p (Holm)", lambda row: row.p_holm, ".2g", place=3),
    Column("apart", lambda row: "yes" if row.apart else "no", place=2),
    Column("first only", lambda row: row.first_only, place=9),
    Column("second only", lambda row: row.second_only, place=9),
    Column("users", lambda row: row.users, place=9),
    Column("draws", lambda row: _usual(row.draws, 1), "g", place=20),
    Column("users needed", lambda row: row.users_needed, place=9),
    Column("missing", lambda row: "; ".join(row.missing), place=20),
    Column("remarks", lambda row: "; ".join(row.remarks), common=False, place=20),
)


def compare_table(pairing: Pairing, first: Users, second: Users, *, every: bool = False) -> Table[CompareRow]:
    """The table, and one sentence a row below it.

    Args:
        pairing: The cells that belong together.
        first: The users of the first measurement.
        second: The users of the second.
        every: Whether there are rows for `max`, `any` and each attack, too. One row a track asks fewer
            questions, and Holm's correction leaves more of each answer.

    Raises:
        UserError: No two cells have a result, or they are not about the same users.
    """
    made = []
    for row in paired_rows(pairing):
        found = differences(row, first, second)
        missing = tuple(incomplete(row, found))
        made += [(row, missing, difference) for difference in (found if every else found[:1])]
    if not made:
        raise UserError(
            "no two cells with a result belong together: both need the same data set, users, scenario, "
            "budget, encoder and attacker. 'bench board RECORDS' shows what there is."
        )
    corrected = holm([difference.found.p for *_, difference in made]).tolist()
    rows = tuple(_row(*of_one, p, len(made)) for of_one, p in zip(made, corrected, strict=True))
    notes = [_sentence(row) for row in rows] + _left(pairing)
    return Table(CompareRow, rows, COLUMNS, tuple(notes))


def _row(
    row: PairedRow, missing: tuple[str, ...], difference: Difference, p_holm: float, comparisons: int
) -> CompareRow:
    pair, found = row.pairs[0], difference.found
    record = pair.first if pair.first.surrogate else pair.second
    both = (pair.first.defense, pair.second.defense)
    names = [label(one, both) for one in both]
    if names[0] == names[1]:
        names = [f"{names[0]} (first run)", f"{names[1]} (second run)"]
    rates = [FIGURES[row.figure].harm(rate) for rate in (difference.first, difference.second)]
    clusters = FIGURES[row.figure].clusters
    low, high = (found.low, found.high) if clusters else (-found.high, -found.low)
    return CompareRow(
        dataset=record.dataset.name,
        scenario=record.scenario.name,
        dose=record.dose,
        distractors=record.distractors,
        budget=record.budget,
        knowledge=knowledge(pair),
        surrogate=tuple(card.name for card in record.surrogate),
        first=names[0],
        second=names[1],
        figure=row.figure,
        by=difference.by,
        attack=difference.attack,
        first_rate=rates[0],
        second_rate=rates[1],
        difference=Metric(
            value=found.difference if clusters else -found.difference,
            low=low,
            high=high,
            n=difference.users,
            better="lower" if clusters else "higher",
        ),
        p=found.p,
        p_holm=p_holm,
        apart=p_holm <= LEVEL and not found.tied,
        first_only=found.first_only,
        second_only=found.second_only,
        users=difference.users,
        draws=difference.draws,
        users_needed=difference.needed(comparisons),
        missing=missing,
        remarks=tuple(_remarks(row)),
    )


def _remarks(row: PairedRow) -> Iterable[str]:
    for which, cells in (("first", [p.first for p in row.pairs]), ("second", [p.second for p in row.pairs])):
        over = sum(flagged(record, FlagCode.OUT_OF_BUDGET) for record in cells)
        if over:
            yield f"the {which} is out of budget in {over} of {len(cells)} cells"
        if all(map(weak, cells)):
            yield f"the {which} met weak attackers only"


_BY = {
    "chosen": "against the attack that the attacker chose on its own cloaks",
    "max": "against the strongest attack",
    "any": "against all attacks together",
    "attack": "",
}


def _sentence(row: CompareRow) -> str:
    """A row in words."""
    title = FIGURES[row.figure].title
    against = _BY[row.by] or f"against {row.attack}"
    where = f"{row.scenario}, {row.budget}, {row.knowledge}, {against}"
    rates = f"{title} {row.first_rate:.2f} and {row.second_rate:.2f}"
    over = f" in {row.draws} draws" if row.draws > 1 else ""
    what = "found only under" if FIGURES[row.figure].clusters else "named more often under"
    sides = (
        f"of {row.users} users{over}, {row.first_only} were {what} {row.first} and "
        f"{row.second_only} {what} {row.second}"
    )
    number = f"difference {worded_value(row.difference, '.2f')}, p {row.p_holm:.2g} (Holm over the table)"
    lower_is_first = (row.difference.value or 0) < 0
    first_better = lower_is_first == FIGURES[row.figure].clusters
    better, worse = (row.first, row.second) if first_better else (row.second, row.first)
    if row.apart:
        verdict = f"{better} protects better than {worse}"
    elif math.isclose(row.difference.value or 0, 0):
        verdict = f"no difference between {row.first} and {row.second} was seen"
    else:
        verdict = f"noise cannot tell {row.first} from {row.second}"
    needed = ""
    if not row.apart and row.users_needed is not None:
        needed = f" About {row.users_needed} users would show a difference of this size."
    return f"{where}: {verdict}: {rates}, {number}; {sides}.{needed}"


def _left(pairing: Pairing) -> list[str]:
    def told(cells: Sequence[CellRecord], which: str) -> list[str]:
        names = sorted({record.defense.name for record in cells})
        return [f"{len(cells)} cells are in {which} run only ({', '.join(names)})."] if cells else []

    return told(pairing.alone, "the first") + told(pairing.new, "the second")
