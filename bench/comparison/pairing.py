"""Which cells of two measurements belong together: read off the records, and never listed by hand.

Two defenses of one run belong together in cells that agree in everything but the defense. Two runs of one
defense belong together in cells that were asked for in the same words: a default that has changed is a change
of the defense, and no other question. The digests of such cells differ.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.board.coverage import judged_by
from bench.board.figures import FIGURES
from bench.board.tracks import ALL_BUT_ATTACKER, DEFENSE, conditions, defense, oracle, same, tracks
from bench.errors import UserError, unknown_name
from bench.records.columns import named
from bench.records.record import CellRecord, Named

_SIZES = ("users", "photos", "labelled", "background", "background_photos", "calibration")
"""Options that say how many people play a part: two runs that differ in them have asked the same question."""

_ALIKE = (*(name for name in ALL_BUT_ATTACKER if name not in DEFENSE), "protocol", "attacker", "members")
"""Fields in which a cell of one defense agrees with the cell of another that it is compared with."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two cells that belong together."""

    first: CellRecord
    second: CellRecord


@dataclass(frozen=True, slots=True)
class Pairing:
    """The cells of two measurements.

    Attributes:
        pairs: those that belong together.
        alone: cells of the first measurement without a counterpart in the second.
        new: cells of the second measurement without a counterpart in the first.
    """

    pairs: tuple[Pair, ...]
    alone: tuple[CellRecord, ...] = ()
    new: tuple[CellRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class PairedRow:
    """The pairs of one defense, or of two, in one track, by one figure.

    Attributes:
        figure: one of `bench.board.figures.FIGURES`.
        pairs: by draw and condition.
        named: the condition of each pair.
    """

    figure: str
    pairs: list[Pair] = field(default_factory=list)
    named: list[str] = field(default_factory=list)

    @property
    def conditions(self) -> list[str]:
        """All conditions, in the order of the panel."""
        return list(dict.fromkeys(self.named))


def compared(cells: Iterable[CellRecord]) -> list[CellRecord]:
    """The cells that a comparison is about: what was skipped or is an oracle is no attack on anybody.

    Nor are attacks of other people compared: nobody makes the same one twice.
    """
    return [
        record for record in cells if record.status != "skipped" and record.by is None and not oracle(record)
    ]


def runs(first: Sequence[CellRecord], second: Sequence[CellRecord]) -> Pairing:
    """The cells of two runs that were asked for in the same words.

    Where one run has several cells of the same words, the parameters in which these differ tell them apart.

    Raises:
        UserError: Not even the parameters tell them apart.
    """
    groups: dict[str, tuple[list[CellRecord], list[CellRecord]]] = defaultdict(lambda: ([], []))
    for i, side in enumerate((first, second)):
        for record in side:
            groups[_words(record)][i].append(record)
    pairs, alone, new = [], [], []
    for before, after in groups.values():
        telling = sorted(_telling(before) | _telling(after))
        own, other = _by(telling, before), _by(telling, after)
        pairs += [Pair(own[key], other[key]) for key in own if key in other]
        alone += [own[key] for key in own if key not in other]
        new += [other[key] for key in other if key not in own]
    return Pairing(tuple(pairs), tuple(alone), tuple(new))


def defenses(cells: Sequence[CellRecord], first: str, second: str) -> Pairing:
    """The cells of two defenses of one run that differ in nothing else.

    Args:
        cells: Of any runs.
        first: `NAME`, or `NAME:field=value,…` where a run has several of the name.
        second: Likewise.

    Raises:
        UserError: There is no such defense, both are one, or nothing can be compared.
    """
    sides = [_of(cells, first), _of(cells, second)]
    groups: dict[str, tuple[list[CellRecord], list[CellRecord]]] = defaultdict(lambda: ([], []))
    for i, side in enumerate(sides):
        for record in side:
            groups[same(record, _ALIKE)][i].append(record)
    pairs = [
        Pair(one, other)
        for ones, others in groups.values()
        for one in ones
        for other in others
        if one.cell != other.cell and _against_the_same(one, other)
    ]
    if not pairs:
        raise UserError(
            f"{first} and {second} share no cell: the same data set, users, scenario, budget, surrogate, "
            "encoder and attacker are needed. Run both with one command, or name both folders with --records."
        )
    return Pairing(tuple(pairs))


def paired_rows(pairing: Pairing) -> list[PairedRow]:
    """The pairs together that may be read together: of one track, one defense or two, and one figure."""
    first = list({pair.first.cell: pair.first for pair in pairing.pairs}.values())
    of_track, of_condition = tracks(first), conditions(first)
    rows: dict[tuple[str, ...], PairedRow] = {}
    for pair in pairing.pairs:
        cell = pair.first.cell
        for figure in judged_by(pair.first):
            key = figure, of_track[cell], knowledge(pair), defense(pair.first), defense(pair.second)
            row = rows.setdefault(key, PairedRow(figure))
            row.pairs.append(pair)
            row.named.append(of_condition[cell])
    return sorted(rows.values(), key=_order)


def knowledge(pair: Pair) -> str:
    """What the defense knew of the encoder; of two, the one that optimised against any."""
    known = [cell.knowledge for cell in (pair.first, pair.second) if cell.knowledge != "none"]
    return known[0] if known else "none"


def _order(row: PairedRow) -> tuple[object, ...]:
    pair = row.pairs[0]
    record = pair.first
    place = list(FIGURES).index(row.figure)
    return (
        record.dataset.name,
        record.scenario.name,
        record.budget,
        knowledge(pair),
        record.defense.name,
        place,
    )


def _words(record: CellRecord) -> str:
    return _text({name: value for name, value in named(record).items() if name not in _SIZES})


def _stated(record: CellRecord) -> dict[str, str]:
    """Every parameter of a cell, as texts."""
    parts: dict[str, Named] = {
        "defense": record.defense,
        "attacker": record.attacker,
        "encoder": record.encoder,
        "detector": record.detector,
        "adaptation": record.adaptation,
        "dataset": record.dataset,
        "scenario": record.scenario,
        **{f"surrogate {i}": card for i, card in enumerate(record.surrogate)},
    }
    return {
        f"{part} {key}": _text(value) for part, one in parts.items() for key, value in one.parameters.items()
    }


def _telling(cells: Sequence[CellRecord]) -> set[str]:
    """The parameters in which cells of one run differ."""
    stated = [_stated(record) for record in cells]
    return {key for one in stated for key in one if len({other.get(key) for other in stated}) > 1}


def _by(telling: Sequence[str], cells: Sequence[CellRecord]) -> dict[tuple[str | None, ...], CellRecord]:
    keyed: dict[tuple[str | None, ...], CellRecord] = {}
    for record in cells:
        stated = _stated(record)
        key = tuple(stated.get(name) for name in telling)
        if key in keyed:
            raise UserError(
                f"cells {keyed[key].cell[:12]} and {record.cell[:12]} of one run differ in nothing that was "
                "asked for, so that nothing says which of them to compare. Name folders of one run each."
            )
        keyed[key] = record
    return keyed


def _of(cells: Sequence[CellRecord], text: str) -> list[CellRecord]:
    names = sorted({record.defense.name for record in cells})
    name, _, given = (text, "", "") if text in names else text.partition(":")
    wanted = dict(part.partition("=")[::2] for part in given.split(",") if part)
    if name not in names:
        raise unknown_name("defense", name, names, command="bench board RECORDS")
    chosen = [record for record in cells if record.defense.name == name and _has(record.defense, wanted)]
    if not chosen:
        raise UserError(
            f"no cell of {name} has {given}. 'bench board RECORDS --format json' shows what there is."
        )
    return chosen


def _has(plugin: Named, wanted: Mapping[str, str]) -> bool:
    return all(
        key in plugin.parameters and value in (str(plugin.parameters[key]), _text(plugin.parameters[key]))
        for key, value in wanted.items()
    )


def _against_the_same(first: CellRecord, second: CellRecord) -> bool:
    """Whether neither defense had better surrogates than the other: the same ones, or one has none."""
    if "none" in (first.knowledge, second.knowledge):
        return True
    return first.knowledge == second.knowledge and same(first, ["surrogate"]) == same(second, ["surrogate"])


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
