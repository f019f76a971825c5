"""A row of the table of axes: everything that the program has to know of one option of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Literal

from bench.errors import UserError
from bench.plan.doors import Door
from bench.plan.kinds import Kind

Of = Literal["split", "cloaking", "view", "attack", "run", "command"]
"""What an option decides: who plays which part, a noun of the cell, the run as a whole, or no result."""

FIRST: Final = object()
"""Stands for the value before an option of the first published digests: it is in every digest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Axis:
    """One option of a run.

    Attributes:
        option: Its name on the command line, in a suite, and as an argument of `bench.run`.
        field: Its field of `RunSpec`; empty for an option of the command alone.
        default: What it is when it is left out. A tuple says that the option may be repeated.
        kind: What one value may be.
        of: What it decides.
        about: What it is, as a noun phrase in Markdown.
        takes: What it takes, in Markdown; empty where the words of `kind` say it.
        left_out: What happens when it is left out, in Markdown; empty where the default says it.
        example: Values for a matrix, or one value; the first is suggested to whoever gives a wrong one.
        see: The page that says more, as a link from `docs/`; empty for none.
        in_python: What `bench.run` takes besides; empty for nothing, None where it has no such argument.
        required: Whether the command line and every run of a suite have to name it.
        semantic: Whether it can change a result.
        before: What cells were before the option existed: at this value it is in no digest. Without it, the
            default.
        attribute: The attribute of its noun that holds it, where that is called otherwise than the option.
        name: What cells and records call it, where they call it otherwise than the command line.
        record: Where a record has it, as names joined by dots; empty where the name says it.
        column: Whether tables of records have a column of it.
        track: Whether cells with other values are never compared.
    """

    option: str = ""
    field: str = ""
    default: Any
    kind: Kind
    of: Of
    about: str
    takes: str = ""
    left_out: str = ""
    example: tuple[Any, ...]
    see: str = ""
    in_python: str | None = ""
    required: bool = False
    semantic: bool = True
    before: Any
    attribute: str = ""
    name: str = ""
    record: str = ""
    column: bool = True
    track: bool = True

    @property
    def repeatable(self) -> bool:
        """Whether several values make a matrix."""
        return isinstance(self.default, tuple)

    @property
    def younger(self) -> bool:
        """Whether it decides results, and is in the digest of a cell only at other values than `before`."""
        return self.semantic and self.before is not FIRST

    @property
    def usual(self) -> str:
        """What happens when it is left out, in Markdown; empty for an option that has to be named."""
        if self.left_out or self.required:
            return self.left_out
        (value,) = self.default if self.repeatable else (self.default,)
        return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"

    def read(self, value: object, door: Door) -> Any:
        """The value as `RunSpec` holds it: one value, or a tuple of at least one.

        Args:
            value: What was given.
            door: Where it was given.

        Raises:
            UserError: The value has another type, is out of range, is a list where one value is due, or the
                other way round.
        """
        if not self.repeatable:
            return self._one(value, value, door)
        listed = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        if isinstance(value, Sequence) and listed and (value or not self.default):
            return tuple(self._one(item, value if door.lists else item, door) for item in value)
        if listed or not door.bare:
            raise self._refused(door, value, "", f"a list of at least one value, each {self.kind.words}")
        return (self._one(value, value, door),)

    def _one(self, item: object, given: object, door: Door) -> Any:
        """One value, which was given alone or in a list."""
        if item is None and self.default is None:
            return None
        try:
            return self.kind.read(item)
        except ValueError:
            which = "" if item is given else f": {door.short(item)}"
            raise self._refused(door, given, which, self.kind.words) from None

    def _refused(self, door: Door, given: object, which: str, words: str) -> UserError:
        listed = self.repeatable and not door.bare
        example = door.write(self.option, [self.example[0]] if listed else self.example[0])
        return UserError(f"{door.write(self.option, given)}{which} is not {words}. Try {example}.")


def axis(default: Any, **about: Any) -> Any:
    """A field of the table: its default, and the rest of its row (see `Axis`).

    It returns `Any`, so that the declared type of the field is the one that type checkers see.
    """
    before = default[0] if isinstance(default, tuple) and default else default
    return field(default=default, metadata={"axis": Axis(**{"default": default, "before": before} | about)})


def rows(table: type) -> dict[str, Axis]:
    """Option -> its row, in the order of the table's fields.

    Args:
        table: A dataclass whose fields were made by `axis`.
    """
    named: dict[str, Axis] = {}
    for declared in fields(table):
        row: Axis = declared.metadata["axis"]
        option = row.option or declared.name
        name = row.name or option
        named[option] = replace(row, option=option, field=declared.name, name=name, record=row.record or name)
    return named
