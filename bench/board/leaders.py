"""Records -> the leaderboard: one row a defense, with all that decides between it and others side by side.

The panel (`bench.board.panel`) has a row for each defense *and figure*. Here the figures of one defense
under one threat model stand in one row, beside what the cloaks cost. `none` and `noise` optimise against
nothing, so they have no threat model: they are references in every track of their data set and budget.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bench.board.figures import FIGURES
from bench.board.further import OF_A_DEFENSE, extended
from bench.board.panel import PanelRow, Standing, standings
from bench.board.ranks import By
from bench.board.user_tables import Users
from bench.records.record import CellRecord, Metric
from bench.types import Flag

UNINFORMED = "none"
"""The knowledge of a defense that optimises against no encoder."""

REFERENCES = ("none", "noise", "pgd")
"""Defenses that belong to every track: without them a rate cannot be read."""

UNLABELLED = "introduced"
"""The scenario in which an attacker has no labels, and only clusters tell who is who."""


@dataclass(frozen=True, slots=True)
class LeaderRow:
    """A defense under one threat model, or a reference beside it.

    Attributes:
        protocol: of its records.
        knowledge: what the defense knew of the attacker's encoder; a reference has that of its track.
        surrogate: names of the encoders that the defense optimised against.
        reference: whether the row is only there to be compared with, and has no rank.
        rank_first: the best rank that the row can claim, by CFR-chosen or, where the track has none, CFR-max;
            None where it is not ranked.
        rank_last: the worst; another than the best where noise cannot tell the row from others.
        ranked_by: the figure by which it is ranked.
        chosen: CFR-chosen, the rate of the attack that an attacker chose on its own cloaks.
        chosen_weak: whether that attack finds too few people on clean photos.
        worst: CFR-max over all attackers.
        worst_weak: whether the strongest attacker finds too few people on clean photos.
        any: CFR-any, the share of users whom any attacker clusters.
        link_max: CFR-link-max, where users have some photos among clean ones with a name.
        psr_min: PSR@1-min, the least share of cloaked probes that are not named among clean photos.
        protection_min: the least share of clean probes that are not named by who learned from cloaks.
        broken_by: the attack that the rank stands on, in words: the chosen one, or else the strongest;
            and the strongest where somebody else made it.
        clean: what this attack achieves on clean photos; None where the records do not say it.
        contamination: the largest share of other people who are harder to sort because of the cloaks.
        ssim: mean structural similarity of the released photos to the originals, at most 1.
        seconds: of cloaking one photo, in the first cell that says it; None where all was cached.
        not_ok: how many photos are not ok, in the cell that has most of them.
        attackers: how many conditions have a result, over all figures.
        panel: how many the track has.
        users: how many there are.
        draws: over how many draws of background and seed.
        flags: why its numbers have to be read with care.
    """

    protocol: str
    dataset: str
    dose: float
    distractors: int
    budget: str
    knowledge: str
    defense: str
    surrogate: tuple[str, ...]
    reference: bool
    rank_first: int | None
    rank_last: int | None
    ranked_by: By | None
    chosen: Metric | None
    chosen_weak: bool
    worst: Metric | None
    worst_weak: bool
    any: Metric | None
    link_max: Metric | None
    psr_min: Metric | None
    protection_min: Metric | None
    broken_by: str | None
    clean: float | None
    contamination: float | None
    ssim: float | None
    seconds: float | None
    not_ok: int
    attackers: int
    panel: int
    users: int | None
    draws: int | None
    flags: tuple[Flag, ...]


KIND = extended(LeaderRow, OF_A_DEFENSE)
"""What the rows are."""


def leader_rows(records: Iterable[CellRecord], users: Users) -> list[LeaderRow]:
    """All rows, track by track: who protects best on top, then who is not ranked, then the references.

    Args:
        records: of any runs.
        users: their users.
    """
    return rows_of(standings_of_rows(records, users))


def rows_of(groups: Mapping[tuple[object, ...], Sequence[Standing]]) -> list[LeaderRow]:
    """The same, of what `standings_of_rows` gives."""
    rows = [made for figures in groups.values() for made in _merged(figures)]
    tracks: dict[tuple[object, ...], list[LeaderRow]] = defaultdict(list)
    for made in rows:
        tracks[track(made)].append(made)
    return [row for place, of_track in tracks.items() for row in _with_references(place, of_track, tracks)]


def track(row: LeaderRow) -> tuple[object, ...]:
    """What rows of one track share; its last part is the knowledge."""
    return row.protocol, row.dataset, row.dose, row.distractors, row.budget, *_options(row), row.knowledge


def missing_references(rows: Sequence[LeaderRow]) -> dict[tuple[object, ...], list[str]]:
    """Track -> the references that it lacks; tracks that lack none are left out."""
    held: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for row in rows:
        held[track(row)].add(row.defense.partition(":")[0])
    lacking = {place: [name for name in REFERENCES if name not in there] for place, there in held.items()}
    return {place: names for place, names in lacking.items() if names and place[-1] != UNINFORMED}


def standings_of_rows(
    records: Iterable[CellRecord], users: Users
) -> dict[tuple[object, ...], list[Standing]]:
    """What the cells of one row share, see `group_of` -> the rows of the panel that it is made of."""
    return grouped(standing for of_track in standings(records, users) for standing in of_track)


def grouped(rows: Iterable[Standing]) -> dict[tuple[object, ...], list[Standing]]:
    """What the cells of one row share, see `group_of` -> its rows of a panel, one a figure."""
    groups: dict[tuple[object, ...], list[Standing]] = defaultdict(list)
    for standing in rows:
        groups[group_of(standing.row)].append(standing)
    return groups


def group_of(row: PanelRow | LeaderRow) -> tuple[object, ...]:
    """What the cells of a row have in common; the cells of a reference have the knowledge `UNINFORMED`."""
    named = row.protocol, row.dataset, row.dose, row.distractors, row.budget
    return *named, row.knowledge, row.defense, row.surrogate, _options(row)


def _options(row: PanelRow | LeaderRow) -> tuple[object, ...]:
    return tuple(getattr(row, axis.name) for axis in OF_A_DEFENSE)


def _with_references(
    place: tuple[object, ...], rows: list[LeaderRow], tracks: dict[tuple[object, ...], list[LeaderRow]]
) -> list[LeaderRow]:
    """The rows of one track, and those of no knowledge below them; alone, these are a track of their own."""
    *shared, knowledge = place
    informed = any(other[:-1] == tuple(shared) and other[-1] != UNINFORMED for other in tracks)
    if knowledge == UNINFORMED:
        return [] if informed else rows
    beside = tracks.get((*shared, UNINFORMED), [])
    return rows + [
        replace(
            row, knowledge=str(knowledge), reference=True, rank_first=None, rank_last=None, ranked_by=None
        )
        for row in beside
    ]


def _merged(figures: Sequence[Standing]) -> list[LeaderRow]:
    """The rows of one defense: as many as the figure has that it is ranked by, which is one as a rule."""
    of = {name: [one.row for one in figures if one.row.figure == name] for name in FIGURES}
    first = next(name for name, rows in of.items() if rows)
    heads = [one for one in figures if one.row.figure == first]
    # clusters are counted where users' clean photos are labelled, too: the row is of those without labels
    plain = [one for one in heads if one.row.scenario == UNLABELLED]
    return [_row(one, figures, of) for one in plain or heads]


def _row(standing: Standing, figures: Sequence[Standing], of: Mapping[str, Sequence[PanelRow]]) -> LeaderRow:
    head = standing.row
    clusters = head.figure == "cfr"
    shown = [head, *(one.row for one in figures if one.row.figure != head.figure)]
    speed = _first(one.photos_per_second for one in (standing, *figures))
    shares = [row.contamination for row in shown if row.contamination is not None]
    return KIND(
        protocol=head.protocol,
        dataset=head.dataset,
        dose=head.dose,
        distractors=head.distractors,
        budget=head.budget,
        knowledge=head.knowledge,
        defense=head.defense,
        surrogate=head.surrogate,
        reference=False,
        rank_first=head.rank_first if clusters else None,
        rank_last=head.rank_last if clusters else None,
        ranked_by=head.ranked_by if clusters else None,
        chosen=head.chosen.rate if clusters and head.chosen else None,
        chosen_weak=bool(clusters and head.chosen and head.chosen.weak),
        worst=head.worst if clusters else None,
        worst_weak=clusters and head.strongest_weak,
        any=head.any if clusters else None,
        link_max=_hardest(of["cfr_link"]),
        psr_min=_hardest(of["psr1"]),
        protection_min=_hardest(of["protection_rate"]),
        broken_by=_broken_by(standing),
        clean=head.chosen.clean if head.chosen else None,
        contamination=max(shares, default=None),
        ssim=_first(one.ssim for one in (standing, *figures)),
        seconds=1 / speed if speed else None,
        not_ok=max(row.not_ok for row in shown),
        attackers=sum(row.attackers or 0 for row in shown),
        panel=sum((row.attackers or 0) + len(row.missing) for row in shown),
        users=head.users,
        draws=head.draws,
        flags=tuple(dict.fromkeys(flag for row in shown for flag in row.flags)),
        **{axis.name: getattr(head, axis.name) for axis in OF_A_DEFENSE},
    )


def _hardest(rows: Sequence[PanelRow]) -> Metric | None:
    """The rate that is worst for the defense; there are several where runs differ in their sizes."""
    rates = [(FIGURES[row.figure].harm(row.worst.value), row.worst) for row in rows if row.worst is not None
             and row.worst.value is not None]  # fmt: skip
    return max(rates, key=lambda rate: rate[0])[1] if rates else None


def _broken_by(standing: Standing) -> str | None:
    """The attack that the rank stands on, and the best known one where somebody else made it."""
    row = standing.row
    strongest = _in_words(row.strongest)
    if row.chosen is None:
        return strongest
    chosen = _in_words(row.chosen.attacker)
    others = row.strongest is not None and any(r.by is not None for r in standing.cells[row.strongest])
    return f"{chosen}; best known: {strongest}" if others else chosen


def _in_words(condition: str | None) -> str | None:
    """`hdbscan / synth-inc / adaptive` -> `hdbscan through synth-inc, adaptive`."""
    if condition is None:
        return None
    attacker, _, rest = condition.partition(" / ")
    through, _, others = rest.partition(" / ")
    return f"{attacker} through {through}" + (f", {others.replace(' / ', ', ')}" if others else "")


def _first(told: Iterable[float | None]) -> float | None:
    return next((value for value in told if value is not None), None)
