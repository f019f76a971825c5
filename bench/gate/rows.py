"""One comparison of a gate, with everything that people and programs read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bench.board.figures import FIGURES
from bench.comparison.differences import By, Difference
from bench.comparison.pairing import Pair, PairedRow, knowledge
from bench.gate.acknowledged import Acknowledged
from bench.gate.judging import Judged, State
from bench.gate.obstacles import changes
from bench.records.record import Metric


@dataclass(frozen=True, slots=True)
class GateRow:
    """One comparison of the new run with the baseline.

    Attributes:
        state: `weaker`, `undecided`, `acknowledged` or `passed`; see `bench.gate.judging`.
        defense: its name, with the parameters that tell it from others of this name in the baseline.
        knowledge: what the defense knew of the attacker's encoder.
        figure: `cfr`, `cfr_link`, `psr1` or `protection_rate`.
        by: `chosen`, `any` or `attack`; see `bench.comparison.differences.By`.
        attack: what attacked; empty for `any`.
        before: the figure in the baseline, at worst.
        now: the figure in the new run, at worst.
        rise: how many more of the users are found now, as a share, with its paired interval; below 0 the
            defense became stronger.
        p_holm: of the test, corrected for all comparisons in which a user changed sides.
        newly_found: users who are found now and were not; over several draws, users times draws.
        no_longer_found: users who were found and are not now.
        users: how many users there are.
        draws: of background and seed.
        users_needed: how many users would decide what is undecided; None where none would.
        changes: parameters that differ, such as `defense advmask: steps 20 -> 10`.
        acknowledged: who answers for it, why and until when; empty where nobody does.
    """

    state: State
    dataset: str
    scenario: str
    dose: float
    distractors: int
    budget: str
    knowledge: str
    defense: str
    surrogate: tuple[str, ...]
    figure: str
    by: By
    attack: str
    before: float
    now: float
    rise: Metric
    p_holm: float
    newly_found: int
    no_longer_found: int
    users: int
    draws: int
    users_needed: int | None
    changes: tuple[str, ...]
    acknowledged: str


def pairs_of(row: PairedRow, difference: Difference) -> list[Pair]:
    """The pairs behind a difference: of one attack its own, of a panel all."""
    if difference.by != "attack":
        return row.pairs
    return [pair for pair, name in zip(row.pairs, row.named, strict=True) if name == difference.attack]


def row_of(
    row: PairedRow, one: Judged, labels: Mapping[str, str], entries: Sequence[Acknowledged], today: date
) -> GateRow:
    """A comparison as a row.

    Args:
        row: The pairs of its track.
        one: The comparison.
        labels: Cells of the baseline -> their defenses, as the gate prints them.
        entries: The acknowledgements of the baseline.
        today: The day by which they expire.
    """
    pairs, difference, found = pairs_of(row, one.difference), one.difference, one.difference.found
    record = pairs[0].second
    harm = FIGURES[row.figure].harm
    made = GateRow(
        state=one.state,
        dataset=record.dataset.name,
        scenario=record.scenario.name,
        dose=record.dose,
        distractors=record.distractors,
        budget=record.budget,
        knowledge=knowledge(pairs[0]),
        defense=labels[pairs[0].first.cell],
        surrogate=tuple(card.name for card in record.surrogate),
        figure=row.figure,
        by=difference.by,
        attack=difference.attack,
        before=harm(difference.first),
        now=harm(difference.second),
        rise=Metric(
            value=one.rise, low=one.interval.low, high=one.interval.high, n=difference.users, better="lower"
        ),
        p_holm=one.p_holm,
        newly_found=found.second_only,
        no_longer_found=found.first_only,
        users=difference.users,
        draws=difference.draws,
        users_needed=one.needed,
        changes=tuple(dict.fromkeys(change for pair in pairs for change in changes(pair))),
        acknowledged="",
    )
    if one.state in ("weaker", "undecided"):
        for entry in entries:
            if entry.covers(stated(made), cells_of(pairs), one.rise, today):
                return replace(made, state="acknowledged", acknowledged=str(entry))
    return made


def stated(row: GateRow) -> dict[str, str]:
    """What an acknowledgement may name of a row."""
    names = ("defense", "attack", "by", "figure", "scenario", "budget", "knowledge")
    return {name: str(getattr(row, name)) for name in names}


def cells_of(pairs: Sequence[Pair]) -> frozenset[str]:
    """The digests of the cells of the baseline."""
    return frozenset(pair.first.cell for pair in pairs)
