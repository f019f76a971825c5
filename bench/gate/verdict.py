"""Two folders of records -> one verdict, with every comparison behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Literal

from bench.board.user_tables import Users
from bench.comparison.differences import Difference, differences
from bench.comparison.pairing import Pair, PairedRow, Pairing, paired_rows, runs
from bench.comparison.reading import measured
from bench.errors import UserError, unknown_name
from bench.gate.acknowledged import Acknowledged, read_acknowledged
from bench.gate.judging import Judged, State, detectable, judge
from bench.gate.obstacles import equal, obstacle
from bench.gate.rows import GateRow, cells_of, pairs_of, row_of, stated
from bench.gate.sentences import more, too_few, weaker_than_allowed
from bench.records.record import CellRecord

Outcome = Literal["passed", "weaker", "could not tell", "underpowered"]

STATUS: Final[Mapping[Outcome, int]] = {"passed": 0, "weaker": 1, "could not tell": 2, "underpowered": 3}
"""Verdict -> exit status."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says.

    Attributes:
        verdict: one of `STATUS`.
        headline: the verdict and its reason in one line.
        max_drop: the largest rise that was allowed.
        detectable: the smallest rise that is called weaker four times of five; None where none is.
        rows: every comparison, the worst first.
        obstacles: why cells could not be compared.
        notes: what else has to be known.
    """

    verdict: Outcome
    headline: str
    max_drop: float
    detectable: float | None
    rows: tuple[GateRow, ...]
    obstacles: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def status(self) -> int:
        """The exit status of `bench gate`."""
        return STATUS[self.verdict]


def gate(
    records: Path,
    baseline: Path,
    max_drop: float,
    defenses: Sequence[str] = (),
    *,
    today: date | None = None,
) -> Verdict:
    """Compare a fresh run with a committed baseline.

    Args:
        records: The folder of the fresh run.
        baseline: The folder of the baseline.
        max_drop: The largest rise that is allowed of the share of users who are found, in [0, 1).
        defenses: Names of the defenses that are gated; all of the baseline by default.
        today: The day by which acknowledgements expire; by default that of the machine, in UTC.

    Raises:
        UserError: A folder cannot be read, an acknowledgement is none, or an argument is out of range.
    """
    if not 0 <= max_drop < 1:
        raise UserError(
            f"--max-drop {max_drop:g} is no share of users. Give a number from 0 to below 1, such as 0.1."
        )
    folder = baseline.parent if baseline.is_file() else baseline
    entries = read_acknowledged(folder)
    (old, before), (new, now) = measured(baseline), measured(records)
    pairing = runs(_chosen(old, defenses), [r for r in new if not defenses or r.defense.name in defenses])
    sound, obstacles, notes = _sorted_out(pairing, before, now)
    judged = _judged(paired_rows(Pairing(tuple(sound))), before, now, max_drop)
    day = today or datetime.now(UTC).date()
    made = [(row_of(*one, entries, day), cells_of(pairs_of(one[0], one[1].difference))) for one in judged]
    rows = sorted((row for row, _ in made), key=lambda row: (_WORST.index(row.state), -(row.rise.value or 0)))
    notes += _unused(entries, [(stated(row), cells) for row, cells in made], day)
    least = detectable([one.difference for _, one in judged], max_drop) if judged else None
    return _verdict(rows, obstacles, notes, max_drop, least)


_WORST: tuple[State, ...] = ("weaker", "undecided", "acknowledged", "passed")


def _chosen(cells: Sequence[CellRecord], defenses: Sequence[str]) -> list[CellRecord]:
    names = sorted({record.defense.name for record in cells})
    for name in defenses:
        if name not in names:
            raise unknown_name("defense", name, names, command="bench board BASELINE")
    return [record for record in cells if not defenses or record.defense.name in defenses]


def _sorted_out(pairing: Pairing, before: Users, now: Users) -> tuple[list[Pair], list[str], list[str]]:
    """Pairs that can be compared, why others cannot, and what is not asked."""
    sound, obstacles, notes = [], [], []
    obstacles += [
        f"{_place(record)}: the new run has no such cell" for record in pairing.alone if record.status == "ok"
    ]
    for pair in pairing.pairs:
        if pair.first.status != "ok":
            notes.append(f"{_place(pair.first)}: failed in the baseline already, and is not gated")
            continue
        reason = obstacle(pair, before, now)
        if reason:
            obstacles.append(f"{_place(pair.first)}: {reason}")
        else:
            sound.append(pair)
    if pairing.new:
        notes.append(f"{len(pairing.new)} cells of the new run are not in the baseline, and are not gated")
    return sound, obstacles, notes


def _place(record: CellRecord) -> str:
    parts = [
        record.defense.name,
        record.scenario.name,
        record.budget,
        record.attacker.name,
        record.encoder.name,
    ]
    parts += [record.channel] if record.channel != "none" else []
    parts += [f"draw {record.draw}"] if record.draw else []
    return " / ".join(parts)


def _judged(
    rows: Sequence[PairedRow], before: Users, now: Users, max_drop: float
) -> list[tuple[PairedRow, Judged]]:
    made: list[tuple[PairedRow, Difference]] = [
        (row, difference)
        for row in rows
        for difference in differences(row, before, now)
        if difference.by != "max"  # two cells may attack it, which are among the attacks
    ]
    asked = [(difference, all(map(equal, pairs_of(row, difference)))) for row, difference in made]
    return [(row, one) for (row, _), one in zip(made, judge(asked, max_drop), strict=True)]


def _unused(
    entries: Sequence[Acknowledged], about: Sequence[tuple[Mapping[str, str], frozenset[str]]], today: date
) -> list[str]:
    """Acknowledgements that do not count, or that are about nothing."""
    notes = []
    for entry in entries:
        if not entry.counts(today):
            notes.append(f"the acknowledgement has expired: {entry}")
        elif not any(entry.about(*one) for one in about):
            notes.append(f"the acknowledgement is about nothing that was compared: {entry}")
    return notes


def _verdict(
    rows: Sequence[GateRow],
    obstacles: Sequence[str],
    notes: Sequence[str],
    max_drop: float,
    least: float | None,
) -> Verdict:
    weaker = [row for row in rows if row.state == "weaker"]
    undecided = [row for row in rows if row.state == "undecided"]
    outcome: Outcome = "passed"
    if weaker:
        outcome, reason = "weaker", weaker_than_allowed(weaker, max_drop)
    elif obstacles:
        outcome, reason = "could not tell", obstacles[0] + more(len(obstacles) - 1)
    elif not rows:
        outcome, reason = "could not tell", "no cell of the baseline has a result that can be compared"
    elif undecided:
        outcome, reason = "underpowered", too_few(undecided, max_drop)
    else:
        most = max(row.rise.value or 0 for row in rows)
        reason = (
            f"{len(rows)} comparisons of {rows[0].users} users; the largest rise of users who are found is "
            f"{most:.2f}, and {max_drop:g} is allowed"
        )
    headline = f"{outcome}: {reason}"
    return Verdict(outcome, headline, max_drop, least, tuple(rows), tuple(obstacles), tuple(notes))
