"""Which cells of many records may be compared, and what tells those apart that may."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from bench.records.record import CellRecord, Named
from bench.types import FlagCode

FIGURES = {"cfr": "CFR", "cfr_link": "CFR-link", "psr1": "PSR@1", "protection_rate": "protection rate"}
"""Main figure -> how boards call it."""


def flagged(record: CellRecord, code: FlagCode) -> bool:
    """Whether a cell has a flag of some kind."""
    return any(flag.code is code for flag in record.flags)


def oracle(record: CellRecord) -> bool:
    """Whether a cell's attacker knew what nobody can: shown, never ranked."""
    return flagged(record, FlagCode.ORACLE)


def weak(record: CellRecord) -> bool:
    """Whether a cell's attacker finds too few people on clean photos for a low rate to be evidence."""
    return flagged(record, FlagCode.WEAK_ATTACKER)


def sizes(record: CellRecord) -> str:
    """How many people play each part, and with how many photos."""
    return json.dumps(record.scenario.parameters, sort_keys=True)


def identity(one: Named) -> str:
    """A text that two things share only if they are the same."""
    return json.dumps([one.name, one.parameters, one.digest], sort_keys=True)


def tracks(cells: Sequence[CellRecord]) -> dict[str, str]:
    """Cell -> its track. Sizes of the parts tell tracks apart where otherwise two cells would be one.

    Otherwise they do not, because draws of a small data set may differ in them.
    """
    plain = {record.cell: _track(record) for record in cells}
    met = conditions(cells)
    several: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for record in cells:
        one = plain[record.cell], defense(record), met[record.cell], str(record.draw)
        several[one].add(sizes(record))
    mixed = {track for (track, *_), found in several.items() if len(found) > 1}
    return {
        record.cell: plain[record.cell] + (sizes(record) if plain[record.cell] in mixed else "")
        for record in cells
    }


def _track(record: CellRecord) -> str:
    people = {k: v for k, v in record.scenario.parameters.items() if k in ("users", "photos", "labelled")}
    return json.dumps(
        [
            record.protocol,
            identity(record.dataset),
            record.scenario.name,
            people,
            identity(record.detector),
            record.seed,
            record.dose,
            record.distractors,
            record.budget,
            record.knowledge,
        ],
        sort_keys=True,
    )


def defense(record: CellRecord) -> str:
    """Which row of its track a cell belongs to."""
    return json.dumps([identity(record.defense), [identity(s) for s in record.surrogate]])


def encoder(record: CellRecord) -> str:
    """Under white-box a row with one surrogate meets that one: there it is the same condition for all."""
    own = record.knowledge == "white-box" and len(record.surrogate) == 1
    return "its surrogate" if own else record.encoder.name


def conditions(cells: Iterable[CellRecord]) -> dict[str, str]:
    """Cell -> its condition, named as shortly as tells it from the others."""
    cells = list(cells)
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
    return [
        (record.attacker.name, record.attacker),
        (encoder(record), network),
        (record.adaptation.name, record.adaptation),
    ]


def _condition(record: CellRecord, variants: Mapping[str, Mapping[str, Named]]) -> str:
    attacker, network, adaptation = (
        label + differing(named, list(variants[label].values())) for label, named in _parts(record)
    )
    parts = [attacker, network]
    parts += [record.channel] if record.channel != "none" else []
    parts += [record.level] if record.level != "oblivious" else []
    parts += [adaptation] if record.adaptation.name != "none" else []
    return " / ".join(parts)


def differing(named: Named, variants: Sequence[Named]) -> str:
    """The parameters in which things of one name differ."""
    stated = [one.parameters | {"digest": one.digest} for one in variants]
    own = named.parameters | {"digest": named.digest}
    keys = list(dict.fromkeys(key for one in stated for key in one))
    differ = [key for key in keys if len({json.dumps(one.get(key), sort_keys=True) for one in stated}) > 1]
    return ":" + ",".join(f"{key}={own.get(key)}" for key in differ) if differ else ""
