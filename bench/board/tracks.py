"""Which cells of many records may be compared, and what tells those apart that may."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bench.plan.axes import AXES
from bench.records.columns import FURTHER, recorded
from bench.records.record import CellRecord, Named
from bench.types import FlagCode

TRACK = ("protocol", "publisher_detector", "knowledge")
"""Fields of a record in which all cells of a track agree, beside the options that the table of axes names."""

DEFENSE = ("defense", "surrogate")
"""Fields that say which row of its track a cell belongs to, beside further options of the cloaking."""

RELEASE = (
    *DEFENSE,
    *("dataset", "publisher_detector", "budget", "distractors", "seed", "draw", "options"),
)
"""Fields that say whose photos were released, and what was done to them, beside their numbers."""

_OLD_DETECTOR = "mtcnn"
"""The detector of every encoder in records that do not say what an encoder's card names."""

ALL_BUT_ATTACKER = (
    *RELEASE,
    *("scenario", "encoder", "detector", "adaptation", "channel", "dose", "level"),
)
"""Fields of everything that decides a cell but its attacker."""


def flagged(record: CellRecord, code: FlagCode) -> bool:
    """Whether a cell has a flag of some kind."""
    return any(flag.code is code for flag in record.flags)


def oracle(record: CellRecord) -> bool:
    """Whether a cell's attacker knew what nobody can: shown, never ranked."""
    return flagged(record, FlagCode.ORACLE)


def weak(record: CellRecord) -> bool:
    """Whether a cell's attacker finds too few people on clean photos for a low rate to be evidence."""
    return flagged(record, FlagCode.WEAK_ATTACKER)


def same(record: CellRecord, fields: Collection[str]) -> str:
    """A text that two records share only if they agree in these fields, parameters and digests and all."""
    return json.dumps(record.model_dump(mode="json", include=set(fields)), sort_keys=True)


def identity(named: Named) -> str:
    """A text that two things share only if they are the same."""
    return json.dumps(named.model_dump(mode="json"), sort_keys=True)


def sizes(record: CellRecord, parts: Collection[str] | None = None) -> str:
    """How many people play each part, and with how many photos; all parts, or some of them."""
    counts = record.scenario.parameters
    return json.dumps({k: v for k, v in counts.items() if parts is None or k in parts}, sort_keys=True)


def but_for(record: CellRecord, *fields: str) -> str:
    """A text that cells of several tracks share if these differ in some fields, and in no more.

    Args:
        record: Of a cell.
        fields: Of a record, or names of options, such as `knowledge` and `budget`.
    """
    return same(record, [field for field in TRACK if field not in fields]) + _options(record, fields)


def defense(record: CellRecord) -> str:
    """A text that two cells of a track share only if they belong to the same row."""
    further = {row.name: recorded(record, row) for row in FURTHER if row.of == "cloaking" and not row.track}
    return same(record, DEFENSE) + json.dumps(further, sort_keys=True)


def defense_labels(cells: Sequence[CellRecord]) -> dict[str, str]:
    """Cell -> its defense's name, with the parameters that tell it from others of this name and protocol."""
    variants: dict[tuple[str, str], dict[str, Named]] = defaultdict(dict)
    for record in cells:
        variants[record.protocol, record.defense.name].setdefault(identity(record.defense), record.defense)
    return {
        record.cell: label(record.defense, list(variants[record.protocol, record.defense.name].values()))
        for record in cells
    }


def label(named: Named, others: Iterable[Named]) -> str:
    """A name, with the parameters that tell the thing from others of its name."""
    alike = [other for other in others if other.name == named.name]
    keys = [
        key
        for key in named.parameters
        if len({json.dumps(other.parameters.get(key), sort_keys=True) for other in alike}) > 1
    ]
    told = ",".join(f"{key}={named.parameters[key]}" for key in keys)
    return f"{named.name}:{told}" if told else named.name


def tracks(cells: Sequence[CellRecord]) -> dict[str, str]:
    """Cell -> its track. Sizes of the parts tell tracks apart where otherwise two cells would be one.

    Otherwise they do not, because draws of a small data set may differ in them.
    """
    plain = {record.cell: _track(record) for record in cells}
    met = conditions(cells)
    several: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for record in cells:
        place = plain[record.cell], defense(record), met[record.cell], str(record.draw)
        several[place].add(sizes(record))
    mixed = {track for (track, *_), variants in several.items() if len(variants) > 1}
    return {
        record.cell: plain[record.cell] + (sizes(record) if plain[record.cell] in mixed else "")
        for record in cells
    }


def _track(record: CellRecord) -> str:
    return same(record, TRACK) + _options(record)


def _options(record: CellRecord, without: Collection[str] = ()) -> str:
    rows = [row for row in AXES.values() if row.semantic and row.track and row.name not in without]
    options = {row.name: recorded(record, row) for row in rows}
    return json.dumps(options, default=_dumped, sort_keys=True)


def _dumped(named: Named) -> dict[str, Any]:
    return named.model_dump(mode="json")


def on_surrogate(record: CellRecord) -> bool:
    """Whether the attacker looks through encoders that the defense optimised against, trained on or not."""
    if record.knowledge == "white-box":
        return True
    against = {card.digest for card in record.surrogate} - {None}
    through = {card.digest for card in record.members or [record.encoder]}
    return record.adaptation.name != "none" and through <= against


def encoder(record: CellRecord) -> str:
    """A row with one surrogate meets that one in every track: there it is the same condition for all."""
    own = on_surrogate(record) and len(record.surrogate) == 1
    return "its surrogate" if own else record.encoder.name


def other_detector(record: CellRecord) -> str:
    """The detector of an attacker who does not use the one that the encoder's card names; else empty."""
    own = record.encoder.parameters.get("detector", _OLD_DETECTOR)
    return "" if record.detector.name == own else record.detector.name


def attacker(record: CellRecord) -> str:
    """The attacker of a cell, and whose attack it is where somebody else made it."""
    return record.attacker.name if record.by is None else f"{record.attacker.name} by {record.by.name}"


def conditions(cells: Iterable[CellRecord]) -> dict[str, str]:
    """Cell -> its condition, named as shortly as tells it from the others; our own attacks come first."""
    cells = list(cells)
    named = _own_conditions([record for record in cells if record.by is None])
    variants: dict[str, set[str]] = defaultdict(set)
    others = {record.cell: record for record in cells if record.by is not None}
    for record in others.values():
        variants[_of_somebody(record)].add(same(record, _SOMEBODY))
    for cell, record in others.items():
        label, several = _of_somebody(record), sorted(variants[_of_somebody(record)])
        number = several.index(same(record, _SOMEBODY)) + 1
        named[cell] = label if len(several) == 1 else f"{label} / no. {number}"
    return named


_SOMEBODY = ("attacker", "encoder", "detector", "level", "by")
"""Fields that tell attacks of other people apart: those of a tool are no parameters of ours."""


def _of_somebody(record: CellRecord) -> str:
    return f"{attacker(record)} / {record.encoder.name}"


def _own_conditions(cells: Sequence[CellRecord]) -> dict[str, str]:
    variants: dict[str, dict[str, Named]] = defaultdict(dict)
    for record in cells:
        for label, named in _parts(record):
            variants[label].setdefault(identity(named), named)
    return {record.cell: _condition(record, variants) for record in cells}


def _parts(record: CellRecord) -> list[tuple[str, Named]]:
    """What has parameters in a condition: a label, and all that two of one label can differ in."""
    network = record.encoder
    if encoder(record) == "its surrogate":  # another network in every row, and the same condition
        network = Named(name="", parameters={"precision": network.parameters.get("precision")})
    network = network.model_copy(
        update={"parameters": {k: v for k, v in network.parameters.items() if k != "detector"}}
    )
    return [
        (record.attacker.name, record.attacker),
        (encoder(record), network),
        (record.adaptation.name, record.adaptation),
        (record.detector.name, record.detector),
    ]


def _condition(record: CellRecord, variants: Mapping[str, Mapping[str, Named]]) -> str:
    attacker, network, adaptation, detector = (
        label + differing(named, list(variants[label].values())) for label, named in _parts(record)
    )
    parts = [attacker, network]
    parts += [detector] if other_detector(record) or detector != record.detector.name else []
    parts += [record.channel] if record.channel != "none" else []
    parts += [record.level] if record.level != "oblivious" else []
    parts += [adaptation] if record.adaptation.name != "none" else []
    parts += [
        f"{row.name} {value}"
        for row in FURTHER
        if not row.track and row.of != "cloaking" and (value := recorded(record, row)) != row.before
    ]
    return " / ".join(parts)


def differing(named: Named, variants: Sequence[Named]) -> str:
    """The parameters in which things of one name differ."""
    stated = [variant.parameters | {"digest": variant.digest} for variant in variants]
    own = named.parameters | {"digest": named.digest}
    keys = list(dict.fromkeys(key for parameters in stated for key in parameters))
    values = {key: {json.dumps(parameters.get(key), sort_keys=True) for parameters in stated} for key in keys}
    differ = [key for key in keys if len(values[key]) > 1]
    return ":" + ",".join(f"{key}={own.get(key)}" for key in differ) if differ else ""
