"""Records -> what a whole panel of attackers does to each defense.

A row is a defense under one threat model, a condition is one attacker with its encoder, detector, channel,
level, adaptation and second step. Rows are compared within a track: the same users, scenario, budget and
knowledge, and the same conditions. A condition that a row lacks, or that failed, is named, and the row is not
ranked; nor is one over its budget, or one that only attackers met who find too few people on clean photos.

The first figure is that of the attack which the attacker chose on its own cloaks (`bench.board.chosen`), and
beside it stands the largest rate of all: never a mean. Rows are ranked as if each user's photos that are not
`ok` had gone worst for this user: who blinds the detector protects nobody that the board would know of.

An attack that somebody else made on released cloaks counts for its row alone, among the strongest: a row
keeps its best known attack. No other row misses it, and it is never the attacker's own choice.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.board.chosen import Choice, Chosen, chosen_attack
from bench.board.coverage import companies, judged_by
from bench.board.figures import FIGURES, contaminated, not_ok
from bench.board.further import OF_A_DEFENSE, extended, further
from bench.board.outcomes import Met, meet, people_of
from bench.board.ranks import By, Placed, placed
from bench.board.tracks import conditions, defense, defense_labels, flagged, oracle, tracks, weak
from bench.board.user_tables import Users
from bench.records.record import CellRecord, Metric
from bench.types import Flag, FlagCode, Score
from bench.uncertainty.power import smallest_detectable_difference


@dataclass(frozen=True, slots=True)
class PanelRow:
    """A defense in one track.

    Attributes:
        protocol: of its records.
        surrogate: names of the encoders that the defense optimised against.
        figure: `cfr`, `cfr_link`, `psr1` or `protection_rate`.
        chosen: the attack that the attacker chose on its own cloaks, with CFR-chosen or PSR-chosen; None
            where the records do not say how attackers did on their own cloaks.
        worst: CFR-max, where lower protects better, or PSR-min, where higher does, without the bias of a
            maximum (`bench.uncertainty.panel`); `n` are users. None where not one attacker has a result, and
            so are the fields up to `detectable`.
        largest: the largest rate that was seen (of protection the smallest): `worst`, with the luck of having
            been picked among many.
        strongest: the condition that it is of; the first of several.
        strongest_weak: whether this attacker finds too few people on clean photos in any of its cells: what
            others would do can only be more.
        any: CFR-any, the share of users who are clustered by any attacker; None for identification, too.
        attackers: how many conditions have a result.
        users: how many there are.
        draws: over how many draws of background and seed.
        bound: `worst`, had the photos that are not ok gone worst for their users.
        not_ok: how many photos are not ok, in the cell that has most of them.
        contamination: the largest share, over the cells, of other people who are harder to sort because of
            the cloaks; None where no cell has it.
        detectable: the smallest difference of two rates around one half that so many users and draws would
            show, among as many pairs as the board compares (`bench.uncertainty.power`); None, too, where they
            would show none.
        ranked_by: `chosen` or `max`, the figure by which the row is ranked; None where it is not ranked.
        rank_first: the best rank that the row can claim in its track; None where it is not ranked.
        rank_last: the worst; another than the best where noise cannot tell the row from others.
        missing: conditions without a complete result.
        flags: why its numbers have to be read with care.
    """

    protocol: str
    dataset: str
    scenario: str
    dose: float
    distractors: int
    budget: str
    knowledge: str
    defense: str
    surrogate: tuple[str, ...]
    figure: str
    chosen: Choice | None
    worst: Metric | None
    largest: float | None
    strongest: str | None
    strongest_weak: bool
    any: Metric | None
    attackers: int | None
    users: int | None
    draws: int | None
    bound: float | None
    not_ok: int
    contamination: float | None
    detectable: float | None
    ranked_by: By | None
    rank_first: int | None
    rank_last: int | None
    missing: tuple[str, ...]
    flags: tuple[Flag, ...]


KIND = extended(PanelRow, OF_A_DEFENSE)
"""What the rows are."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A row of the panel, and the records that it is made of.

    Attributes:
        row: the row.
        cells: condition -> its cells, one a draw.
        rates: condition -> its own rate, where it has a complete result.
    """

    row: PanelRow
    cells: Mapping[str, Sequence[CellRecord]]
    rates: Mapping[str, Score]

    @property
    def first(self) -> CellRecord:
        """A cell of the row: all agree in the track, the defense and what was published."""
        return next(iter(self.cells.values()))[0]

    @property
    def deciding(self) -> str | None:
        """The condition whose rate the row is known by: the chosen one, or else the strongest."""
        return self.row.strongest if self.row.chosen is None else self.row.chosen.attacker

    @property
    def rate(self) -> Metric | None:
        """The figure that the row is known by: CFR-chosen or PSR-chosen, or else the largest of all."""
        return self.row.worst if self.row.chosen is None else self.row.chosen.rate

    @property
    def not_run(self) -> tuple[str, ...]:
        """The missing conditions that no cell of the row is about: only runs of other rows had them."""
        return tuple(condition for condition in self.row.missing if condition not in self.cells)

    @property
    def ssim(self) -> float | None:
        """The mean SSIM of the published photos; None where no cell has it."""
        return self._told(lambda record: record.perceptual.get("photo", {}).get("ssim", {}).get("mean"))

    @property
    def photos_per_second(self) -> float | None:
        """How many photos the defense cloaked in a second; None where every cell re-used its cloaks."""
        return self._told(lambda record: record.cost.photos_per_second)

    def _told(self, of: Callable[[CellRecord], float | None]) -> float | None:
        told = (of(record) for cells in self.cells.values() for record in cells)
        return next((value for value in told if value is not None), None)


@dataclass(frozen=True, slots=True)
class _Track:
    """Rows that are compared, by one figure.

    Attributes:
        figure: one of `bench.board.figures.FIGURES`.
        rows: name of a row -> its cells.
        labels: cell -> its defense, as rows call it.
        named: cell -> its condition.
        columns: name of a row -> its conditions, in the order of the panel: all of ours, and the attacks of
            other people that were made on this row in every draw.
        met: name of a row -> what its cells come to.
        chosen: name of a row -> the attacker's own choice, where there is one.
    """

    figure: str
    rows: Mapping[str, Sequence[CellRecord]]
    labels: Mapping[str, str]
    named: Mapping[str, str]
    columns: Mapping[str, Sequence[str]]
    met: Mapping[str, Met]
    chosen: Mapping[str, Chosen]

    @classmethod
    def of(
        cls,
        figure: str,
        rows: Mapping[str, Sequence[CellRecord]],
        labels: Mapping[str, str],
        users: Users,
    ) -> _Track:
        named = conditions(record for cells in rows.values() for record in cells)
        panel = list(dict.fromkeys(named[r.cell] for cells in rows.values() for r in cells if r.by is None))
        others = {name: _of_others(cells, named, users) for name, cells in rows.items()}
        columns = {name: [*panel, *others[name]] for name in rows}
        rows = {
            name: [record for record in cells if record.by is None or named[record.cell] in others[name]]
            for name, cells in rows.items()
        }
        people = people_of(rows, users)
        met = {name: meet(figure, cells, named, columns[name], people, users) for name, cells in rows.items()}
        chosen = {
            name: choice
            for name, cells in rows.items()
            if (choice := chosen_attack(cells, named, columns[name], met[name])) is not None
        }
        return cls(figure, rows, labels, named, columns, met, chosen)

    def whole(self) -> list[str]:
        """The rows that may be compared: nothing is missing, and a low rate would say something."""
        return [
            name
            for name, met in self.met.items()
            if met.panel is not None and met.panel.ranked and _evidence(self.rows[name])
        ]


def _of_others(cells: Sequence[CellRecord], named: Mapping[str, str], users: Users) -> list[str]:
    """The attacks of other people on one row, where they were made in every draw of it."""
    draws: dict[str, set[int]] = defaultdict(set)
    for record in cells:
        if record.by is not None and record.cell in users:
            draws[named[record.cell]].add(record.draw)
    whole = {record.draw for record in cells if record.by is None}
    return [name for name, held in draws.items() if held == whole]


def panel_rows(records: Iterable[CellRecord], users: Users) -> list[PanelRow]:
    """All rows, track by track, see `standings`."""
    return [standing.row for track in standings(records, users) for standing in track]


def standings(records: Iterable[CellRecord], users: Users) -> list[list[Standing]]:
    """The rows of each track, who protects best on top and who is not ranked last.

    Oracles are shown on the board and never here: their thresholds or numbers of people are not to be had.

    Args:
        records: of any runs.
        users: their users.

    Returns:
        A list for each set of rows that may be compared; none is empty.
    """
    cells = [r for r in records if r.status != "skipped" and not oracle(r)]
    places, labels = tracks(cells), defense_labels(cells)
    company = companies([r for r in cells if r.by is None], places)
    compared: dict[tuple[str, ...], dict[str, list[CellRecord]]] = defaultdict(lambda: defaultdict(list))
    for record in cells:
        place, row = places[record.cell], defense(record)
        if (place, row) not in company:  # somebody's attack on a row whose own records are not here
            continue
        for figure in judged_by(record):
            compared[figure, place, *company[place, row]][row].append(record)
    of_tracks = [_Track.of(figure, rows, labels, users) for (figure, *_), rows in compared.items()]
    ranked, pairs = placed([(t.figure, t.whole(), t.met, t.chosen) for t in of_tracks])
    return [_standings(track, of_rows, pairs) for track, of_rows in zip(of_tracks, ranked, strict=True)]


def _standings(track: _Track, ranked: Mapping[str, Placed], pairs: int) -> list[Standing]:
    """The rows of one track, in order."""

    def order(name: str) -> tuple[object, ...]:
        met, choice = track.met[name], track.chosen.get(name)
        bound = choice.choice.bound if choice else met.bound() if met.panel else math.nan
        harm = FIGURES[track.figure].harm(bound)
        return name not in ranked, choice is None, math.isnan(harm), harm

    return [_standing(track, name, ranked.get(name), pairs) for name in sorted(track.rows, key=order)]


def _standing(track: _Track, name: str, place: Placed | None, pairs: int) -> Standing:
    of_condition: dict[str, list[CellRecord]] = {condition: [] for condition in track.columns[name]}
    for record in sorted(track.rows[name], key=lambda record: record.draw):
        of_condition[track.named[record.cell]].append(record)
    panel = track.met[name].panel
    return Standing(
        _row(track, name, place, pairs),
        {condition: cells for condition, cells in of_condition.items() if cells},
        {} if panel is None else panel.by_attacker,
    )


_COUNTED = (FlagCode.WEAK_ATTACKER, FlagCode.OUT_OF_BUDGET, FlagCode.FOREIGN_ENCODER)
"""Flags of cells that a row counts."""


def _over(record: CellRecord) -> bool:
    return flagged(record, FlagCode.OUT_OF_BUDGET)


def _evidence(cells: Sequence[CellRecord]) -> bool:
    """Whether a low rate would say something of the defense: the protocol lets no other row hold a top."""
    return not all(map(weak, _ours(cells))) and not any(map(_over, cells))


def _ours(cells: Sequence[CellRecord]) -> list[CellRecord]:
    """The cells of our own attackers: how somebody else's would fare on clean photos nobody knows."""
    return [record for record in cells if record.by is None]


def _flags(track: _Track, name: str) -> tuple[Flag, ...]:
    cells, chosen = track.rows[name], track.chosen.get(name)
    done = [record for record in cells if record.status == "ok"]
    counts = {code: sum(flagged(record, code) for record in done) for code in _COUNTED}
    flags = [Flag(code, f"{count} of {len(done)} cells") for code, count in counts.items() if count]
    if chosen is not None and chosen.choice.weak:
        flags.append(Flag(FlagCode.WEAK_ATTACKER, "the chosen one"))
    if chosen is None and track.chosen:
        flags.append(Flag(FlagCode.NO_CHOICE, "other rows of the track are ranked by CFR-chosen"))
    if len({record.attacker.name for record in _ours(cells)}) == 1:
        flags.append(Flag(FlagCode.NARROW_PANEL, f"{_ours(cells)[0].attacker.name} is the only attacker"))
    return tuple(flags)


def _row(track: _Track, name: str, place: Placed | None, pairs: int) -> PanelRow:
    cells, met, chosen = track.rows[name], track.met[name], track.chosen.get(name)
    record, panel = _ours(cells)[0], met.panel
    strongest = [] if panel is None else [r for r in cells if track.named[r.cell] == panel.strongest]
    return KIND(
        protocol=record.protocol,
        dataset=record.dataset.name,
        scenario=record.scenario.name,
        dose=record.dose,
        distractors=record.distractors,
        budget=record.budget,
        knowledge=record.knowledge,
        defense=track.labels[record.cell],
        surrogate=tuple(s.name for s in record.surrogate),
        figure=track.figure,
        chosen=None if chosen is None else chosen.choice,
        worst=None if panel is None else Metric.of(panel.worst),
        largest=None if panel is None else panel.by_attacker[panel.strongest].value,
        strongest=None if panel is None else panel.strongest,
        strongest_weak=any(map(weak, strongest)),
        any=None if panel is None or panel.any is None else Metric.of(panel.any),
        attackers=None if panel is None else len(panel.by_attacker),
        users=None if panel is None else panel.worst.n,
        draws=None if panel is None else panel.draws,
        bound=None if panel is None else met.bound(),
        not_ok=max(map(not_ok, cells)),
        contamination=max(
            (value for cell in cells if (value := contaminated(cell)) is not None), default=None
        ),
        detectable=None if panel is None else _detectable(panel.worst.n, panel.draws, pairs),
        ranked_by=None if place is None else place.by,
        rank_first=None if place is None else place.rank.first,
        rank_last=None if place is None else place.rank.last,
        missing=met.missing(track.columns[name]),
        flags=_flags(track, name),
        **further(record, OF_A_DEFENSE),
    )


def _detectable(users: int, draws: int, pairs: int) -> float | None:
    least = smallest_detectable_difference(users, draws, rate=None, comparisons=max(pairs, 1))
    return None if math.isnan(least) else least
