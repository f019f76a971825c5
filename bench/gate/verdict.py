"""Two folders of records -> one verdict, with every comparison behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Literal

from bench.board.tracks import defense_labels
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
        defenses: The defenses that are gated, by name, which means all variants of the name, or as the gate
            prints one of them; all of the baseline by default.
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
    labels = defense_labels(old)
    chosen = _chosen(old, labels, defenses)
    names = {record.defense.name for record in chosen}
    pairing = runs(chosen, [record for record in new if not defenses or record.defense.name in names])
    sound, obstacles, notes = _sorted_out(pairing, before, now, labels)
    judged = _judged(paired_rows(Pairing(tuple(sound))), before, now, max_drop)
    day = today or datetime.now(UTC).date()
    made = [
        (row_of(*one, labels, entries, day), cells_of(pairs_of(one[0], one[1].difference))) for one in judged
    ]
    rows = sorted((row for row, _ in made), key=lambda row: (_WORST.index(row.state), -(row.rise.value or 0)))
    variants = {record.defense.name: set[str]() for record in old}
    for record in old:
        variants[record.defense.name].add(labels[record.cell])
    notes += _unused(entries, [(stated(row), cells) for row, cells in made], variants, day)
    least = detectable([one.difference for _, one in judged], max_drop) if judged else None
    return _verdict(rows, obstacles, notes, max_drop, least)


_WORST: tuple[State, ...] = ("weaker", "undecided", "acknowledged", "passed")


def _chosen(
    cells: Sequence[CellRecord], labels: Mapping[str, str], defenses: Sequence[str]
) -> list[CellRecord]:
    called = {record.cell: {record.defense.name, labels[record.cell]} for record in cells}
    names = sorted(set().union(*called.values()))
    for name in defenses:
        if name not in names:
            raise unknown_name("defense", name, names, command="bench board BASELINE")
    return [record for record in cells if not defenses or called[record.cell] & set(defenses)]


def _sorted_out(
    pairing: Pairing, before: Users, now: Users, labels: Mapping[str, str]
) -> tuple[list[Pair], list[str], list[str]]:
    """Pairs that can be compared, why others cannot, and what is not asked."""
    sound, obstacles, notes = [], [], []
    missing = (record for record in pairing.alone if record.status == "ok")
    obstacles += [f"{_place(record, labels)}: the new run has no such cell" for record in missing]
    for pair in pairing.pairs:
        place = _place(pair.first, labels)
        if pair.first.status != "ok":
            notes.append(f"{place}: failed in the baseline already, and is not gated")
            continue
        reason = obstacle(pair, before, now)
        if reason:
            obstacles.append(f"{place}: {reason}")
        else:
            sound.append(pair)
    if pairing.new:
        notes.append(f"{len(pairing.new)} cells of the new run are not in the baseline, and are not gated")
    return sound, obstacles, notes


def _place(record: CellRecord, labels: Mapping[str, str]) -> str:
    parts = [
        labels[record.cell],
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
    entries: Sequence[Acknowledged],
    about: Sequence[tuple[Mapping[str, str], frozenset[str]]],
    variants: Mapping[str, Collection[str]],
    today: date,
) -> list[str]:
    """Acknowledgements that do not count, that are about nothing, or that do not say which variant."""
    notes = []
    for entry in entries:
        if not entry.counts(today):
            notes.append(f"the acknowledgement has expired: {entry}")
        elif entry.defense not in (several := variants.get(entry.defense, {entry.defense})):
            which = " or ".join(sorted(several))
            notes.append(f"the acknowledgement covers nothing until it names {which}: {entry}")
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
