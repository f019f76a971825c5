"""Regressions that somebody has acknowledged: `acknowledged.toml` in the folder of the baseline.

[[acknowledged]]
defense = "advmask"
attack = "dbscan / synth-inc"
who = "Ada"
why = "half the steps, twice as fast"
until = 2027-01-31
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from bench.errors import UserError, cannot_read
from bench.store.reading import read_whole

FILE = "acknowledged.toml"

_TOLD = ("who", "why", "until")
_NARROWS = ("cell", "attack", "by", "figure", "scenario", "budget", "knowledge")


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """One entry.

    Attributes:
        defense: as the gate prints it. Where the baseline has several of one name, their parameters are a
            part of it, and the bare name covers none of them.
        who: took the decision.
        why: the defense may be weaker.
        until: the last day on which the entry counts.
        most: the largest rise that it covers, in (0, 1].
        only: what else a comparison has to be, such as `attack` or `budget`, as the gate prints it; `cell` is
            the beginning of the digest of a cell of the baseline.
    """

    defense: str
    who: str
    why: str
    until: date
    most: float = 1.0
    only: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line."""
        narrowed = "".join(f", {name} {value}" for name, value in self.only.items())
        return f"{self.defense}{narrowed}: {self.who}: {self.why} (until {self.until})"

    def covers(self, stated: Mapping[str, str], cells: frozenset[str], rise: float, today: date) -> bool:
        """Whether a comparison is acknowledged today.

        Args:
            stated: What the comparison is: `defense` and the names of `only` but for `cell`.
            cells: The digests of its cells in the baseline.
            rise: The rise that was seen.
            today: The day.
        """
        return self.counts(today) and rise <= self.most + 1e-9 and self.about(stated, cells)

    def counts(self, today: date) -> bool:
        """Whether the entry has not expired."""
        return today <= self.until

    def about(self, stated: Mapping[str, str], cells: frozenset[str]) -> bool:
        """Whether a comparison is the one that the entry names; see `covers`."""
        wanted = {name: value for name, value in self.only.items() if name != "cell"}
        prefix = self.only.get("cell", "")
        return (
            stated["defense"] == self.defense
            and all(stated[name] == value for name, value in wanted.items())
            and any(cell.startswith(prefix) for cell in cells)
        )


def read_acknowledged(folder: Path) -> list[Acknowledged]:
    """The entries of a baseline; none where it has no such file.

    Raises:
        UserError: The file cannot be read, or an entry is not one.
    """
    file = folder / FILE
    try:
        content = read_whole(file) if file.is_file() else b""
    except OSError as error:
        raise cannot_read(error, str(file)) from error
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is no TOML: {error}. Mend it, or remove it.") from error
    entries = document.get("acknowledged", [])
    if set(document) - {"acknowledged"} or not isinstance(entries, list):
        raise UserError(f"{file} holds tables [[acknowledged]] and nothing else. See docs/gate-a-defense.md.")
    return [_entry(entry, f"{file}: entry {number}") for number, entry in enumerate(entries, 1)]


def _entry(given: Any, where: str) -> Acknowledged:
    if not isinstance(given, Mapping):
        raise UserError(f"{where} is no table. Write [[acknowledged]] above it.")
    unknown = sorted(set(given) - {"defense", "most", *_TOLD, *_NARROWS})
    if unknown:
        raise UserError(
            f"{where} has {unknown[0]!r}; there are defense, who, why, until, most, {', '.join(_NARROWS)}."
        )
    texts = {name: given.get(name) for name in ("defense", "who", "why")}
    for name, value in texts.items():
        if not isinstance(value, str) or not value.strip():
            raise UserError(f"{where} lacks {name!r}: who acknowledges what, and why, has to be said.")
    until, most = given.get("until"), given.get("most", 1.0)
    if not isinstance(until, date) or isinstance(until, datetime):
        raise UserError(f"{where} needs a last day, such as until = 2027-01-31.")
    if isinstance(most, bool) or not isinstance(most, int | float) or not 0 < most <= 1:
        raise UserError(f"{where}: most is {most!r}, and a rise lies between 0 and 1.")
    only = {name: given[name] for name in _NARROWS if name in given}
    if not all(isinstance(value, str) and value for value in only.values()):
        raise UserError(f"{where}: {', '.join(only)} are texts.")
    return Acknowledged(str(given["defense"]), str(given["who"]), str(given["why"]), until, float(most), only)
