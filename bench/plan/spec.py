"""What a run is asked for: a matrix of cells, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.errors import unknown_name
from bench.plan.axes import AXES, Axes
from bench.plan.doors import PYTHON, Door
from bench.plan.rows import Axis


@dataclass(frozen=True, slots=True)
class RunSpec(Axes):
    """A matrix of cells by name: a field for each row of `bench.plan.axes`. A tuple is an axis.

    Raises:
        UserError: A field has a value of another type, or one out of range.
    """

    def __post_init__(self) -> None:
        """See that every field holds what its row takes."""
        for row in AXES.values():
            object.__setattr__(self, row.field, row.read(getattr(self, row.field), PYTHON))


def read_options(
    options: Mapping[str, object], door: Door, table: Mapping[str, Axis] = AXES
) -> dict[str, Any]:
    """Fields of `RunSpec` from options as somebody gave them.

    Args:
        options: Option -> what was given.
        door: Where the options were given.
        table: The rows that there are.

    Raises:
        UserError: There is no such option, or its value has another type or is out of range.
    """
    for option in options:
        if option not in table:
            raise unknown_name("option", option, table, command="bench run --help")
    return {table[option].field: table[option].read(value, door) for option, value in options.items()}
