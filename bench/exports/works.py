"""The works behind what a board used: cards name them, and one table, `works.toml`, has their titles."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from bench import encoders, registry
from bench.errors import UserError
from bench.records.record import CellRecord

OURS: Final = ("cloakbench", "theft2020")
"""The project, and the paper whose claims its protocol puts to the test: both are in CITATION.cff."""

UNPUBLISHED: Final = frozenset({"control", "own", "the caller's"})
"""What a card says in the place of a source."""

_YEAR = re.compile(r"\b(19|20)\d\d\b")


@dataclass(frozen=True, slots=True)
class Used:
    """Something that a board used.

    Attributes:
        kind: `defense`, `attacker`, `encoder` or `data set`.
        name: its name in the records.
        source: what its card says that it follows or comes from; None where no card of it is here.
    """

    kind: str
    name: str
    source: str | None


@cache
def works() -> Mapping[str, Mapping[str, str]]:
    """Key -> the fields of a work, from the table."""
    return tomllib.loads(files("bench.exports").joinpath("works.toml").read_text("utf-8"))


def used(records: Iterable[CellRecord]) -> list[Used]:
    """Everything that the records name and that may have a source, once each, kind by kind."""
    named: dict[tuple[str, str], None] = {}
    for record in records:
        named[("defense", record.defense.name)] = None
        named[("attacker", record.attacker.name)] = None
        for encoder in record.members or [record.encoder]:
            named[("encoder", encoder.name)] = None
        for surrogate in record.surrogate:
            named[("encoder", surrogate.name)] = None
        for dataset in record.dataset.name.split("+"):
            named[("data set", dataset)] = None
    order = ("defense", "attacker", "encoder", "data set")
    return [
        Used(kind, name, _source(kind, name))
        for kind, name in sorted(named, key=lambda one: (order.index(one[0]), one[1]))
    ]


def cited(thing: Used) -> list[str]:
    """The keys of the works that something goes back to."""
    if thing.kind == "data set":
        return [key for key, work in works().items() if work.get("dataset") == thing.name]
    return [key for key, work in works().items() if "said" in work and work["said"] in (thing.source or "")]


def remaining(thing: Used) -> Iterator[str]:
    """What the source of something says that no work of the table is: a paper with its year, or a place."""
    keys = cited(thing)
    said = [works()[key]["said"] for key in keys if "said" in works()[key]]
    parts = [] if thing.source is None or thing.kind == "data set" else thing.source.split("; ")
    for part in parts:
        if part in UNPUBLISHED or any(words in part for words in said):
            continue
        if not keys or _YEAR.search(part):
            yield part


def _source(kind: str, name: str) -> str | None:
    if kind == "data set":
        return name if name in registry.names("datasets") else None
    if kind == "encoder":
        try:
            return encoders.lookup(name)[1].source if name in encoders.names() else None
        except UserError:
            return None
    plural: registry.Kind = "defenses" if kind == "defense" else "attackers"
    if name not in registry.names(plural):
        return None
    source: str = registry.load(plural, name).card.source
    return source
