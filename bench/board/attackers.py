"""Records -> how often each attacker was the strongest, or chosen: what a panel without it would miss."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.board.chosen import sent
from bench.board.figures import FIGURES
from bench.board.tracks import ALL_BUT_ATTACKER, defense, oracle, same, tracks, weak
from bench.records.record import CellRecord


@dataclass(frozen=True, slots=True)
class AttackerRow:
    """One attacker, by one figure, over the cells of defenses that optimise and that other attackers met.

    Attributes:
        attacker: its name.
        figure: `cfr`, `cfr_link`, `psr1` or `protection_rate`.
        cells: how many there are.
        strongest: in how many it did something and no other did more; where nobody was clustered or named,
            nobody was the strongest.
        alone: in how many every other did less.
        chosen: how often it was the one that an attacker sent, because it was the best on own cloaks; None
            where no record says how attackers did on theirs.
        choices: how many such choices there were: one a defense, threat model and draw.
        clean: its mean rate on clean photos, at which people are clustered or named; in [0, 1]; None where no
            cell has it.
        flagged: in how many it was too weak to be evidence.
        seconds: median of the stage `attack`; None where no cell has it.
    """

    attacker: str
    figure: str
    cells: int
    strongest: int
    alone: int
    chosen: int | None
    choices: int
    clean: float | None
    flagged: int
    seconds: float | None


@dataclass
class _Tally:
    cells: int = 0
    strongest: int = 0
    alone: int = 0
    flagged: int = 0
    clean: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def attacker_rows(records: Iterable[CellRecord]) -> list[AttackerRow]:
    """One row an attacker and figure, the most often strongest on top; oracles are left out."""
    counted = [r for r in records if _counts(r)]
    met: dict[tuple[str, str], list[tuple[CellRecord, float]]] = defaultdict(list)
    for record in counted:
        for figure in FIGURES:
            harm = _harm(record, figure, figure)
            if harm is not None:
                met[figure, same(record, ALL_BUT_ATTACKER)].append((record, harm))
    tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
    for (figure, _), attacks in met.items():
        if len({record.attacker.name for record, _ in attacks}) < 2:
            continue
        top = max(harm for _, harm in attacks)
        winners = [record for record, harm in attacks if harm == top > 0]
        for record, _ in attacks:
            tally = tallies[record.attacker.name, figure]
            tally.cells += 1
            tally.strongest += record in winners
            tally.alone += winners == [record]
            tally.flagged += weak(record)
            clean = _harm(record, f"{figure}_clean", figure)
            tally.clean += [] if clean is None else [clean]
            tally.seconds += [record.cost.seconds["attack"]] if "attack" in record.cost.seconds else []
    order = sorted(
        tallies.items(), key=lambda item: (item[0][1], -item[1].strongest / item[1].cells, item[0])
    )
    choices = _choices(counted)
    return [_row(name, figure, tally, choices[figure]) for (name, figure), tally in order]


def _counts(record: CellRecord) -> bool:
    """Whether a cell is one of our attackers' on cloaks that optimise; what others made is no panel's."""
    return record.status == "ok" and record.knowledge != "none" and record.by is None and not oracle(record)


def _choices(records: Sequence[CellRecord]) -> dict[str, Counter[str]]:
    """Figure -> attacker -> how often it was sent."""
    places = tracks(records)
    rows: dict[tuple[str, str], list[CellRecord]] = defaultdict(list)
    for record in records:
        rows[places[record.cell], defense(record)].append(record)
    return {
        figure: Counter(
            record.attacker.name for cells in rows.values() for record in sent(figure, cells).values()
        )
        for figure in FIGURES
    }


def _harm(record: CellRecord, metric: str, figure: str) -> float | None:
    found = record.metrics.get(metric)
    return None if found is None or found.value is None else FIGURES[figure].harm(found.value)


def _row(attacker: str, figure: str, tally: _Tally, choices: Counter[str]) -> AttackerRow:
    return AttackerRow(
        attacker=attacker,
        figure=figure,
        cells=tally.cells,
        strongest=tally.strongest,
        alone=tally.alone,
        chosen=choices[attacker] if choices else None,
        choices=choices.total(),
        clean=sum(tally.clean) / len(tally.clean) if tally.clean else None,
        flagged=tally.flagged,
        seconds=median(tally.seconds) if tally.seconds else None,
    )
