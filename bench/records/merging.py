"""Records of several folders -> each cell once. Two that disagree are refused by name.

The digest of a cell covers what was asked, and neither the machine nor its threads. So two records of one
digest can differ; a board that showed either of them would hide the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.records.files import read
from bench.records.parsing import dotted, shown
from bench.records.record import CellRecord

_MACHINE = ("cloakbench", "commit", "python", "system", "machine", "device", "threads")
"""What may explain a difference, of the environment."""


def read_all(paths: Iterable[Path]) -> list[tuple[CellRecord, Path]]:
    """Read the records of several folders or documents, each cell once and with the folder that has it.

    Of two records of one cell, one that failed gives way to one that did not, and an older one that leaves a
    field empty to a newer one that fills it.

    Raises:
        UserError: One cannot be read, or two disagree on a cell.
    """
    kept: dict[str, tuple[CellRecord, Path]] = {}
    for path in dict.fromkeys(paths):
        for record in read(path):
            before = kept.get(record.cell)
            kept[record.cell] = (record, path) if before is None else _one_of(before, (record, path))
    return list(kept.values())


def _one_of(first: tuple[CellRecord, Path], second: tuple[CellRecord, Path]) -> tuple[CellRecord, Path]:
    done = [one for one in (first, second) if one[0].status == "ok"]
    if len(done) < 2:
        return done[0] if done else first
    contradiction = disagreement(first[0], second[0])
    if contradiction:
        raise _refused(first, second, contradiction)
    return max(first, second, key=lambda one: _stated(one[0].comparable()))


def disagreement(first: CellRecord, second: CellRecord) -> tuple[tuple[str | int, ...], Any, Any] | None:
    """The first place in which two records of one cell say different things; None if they agree.

    What only one of them says is no contradiction: a younger record has more fields.

    Returns:
        The place, and what each says there.
    """
    return next(_differences((), first.comparable(), second.comparable()), None)


def _differences(
    path: tuple[str | int, ...], first: Any, second: Any
) -> Iterator[tuple[tuple[str | int, ...], Any, Any]]:
    if first in (None, [], {}) or second in (None, [], {}) or path == ("schema_version",):
        return
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for name in first:
            if name in second:
                yield from _differences((*path, name), first[name], second[name])
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for place, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from _differences((*path, place), one, other)
    elif first != second and not _alike(first, second):
        yield path, first, second


def _alike(first: Any, second: Any) -> bool:
    """Whether two numbers differ in last bits only, as those of two processors may."""
    numbers = isinstance(first, float) and isinstance(second, float | int)
    return numbers and math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)


def _stated(value: Any) -> int:
    """How many values are filled."""
    if isinstance(value, Mapping):
        return sum(map(_stated, value.values()))
    if isinstance(value, list):
        return sum(map(_stated, value))
    return int(value is not None)


def _refused(
    first: tuple[CellRecord, Path], second: tuple[CellRecord, Path], found: tuple[Any, Any, Any]
) -> UserError:
    (one, here), (other, there) = first, second
    path, mine, theirs = found
    machine = [
        f"{name} {a} and {b}"
        for name in _MACHINE
        if (a := one.environment.get(name)) != (b := other.environment.get(name))
    ]
    why = f" They were computed with {', '.join(machine)}." if machine else ""
    where = f"{here} and {there} disagree" if here != there else f"{here} says two things"
    return UserError(
        f"{where} on cell {one.cell[:12]}: {dotted(path)} is {shown(mine)} and {shown(theirs)}.{why} "
        "Name one of them, or repeat the command that wrote them."
    )
