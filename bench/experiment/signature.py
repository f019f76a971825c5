"""The arguments of `bench.run`, read off the table of axes: for `help` and for editors."""

from __future__ import annotations

import inspect
import textwrap
from inspect import Parameter
from typing import Final

from bench.plan.axes import AXES, COMMAND
from bench.plan.rows import Axis

ARGUMENTS: Final[dict[str, Axis]] = AXES | {
    option: row for option, row in COMMAND.items() if row.in_python is not None
}
"""Argument of `bench.run` -> its row."""

_WIDTH = 110


def signature() -> inspect.Signature:
    """What `help(bench.run)` shows: keyword-only arguments with their types and defaults."""
    parameters = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=_default(row), annotation=annotation(row))
        for name, row in ARGUMENTS.items()
    ]
    return inspect.Signature(parameters, return_annotation="Records")


def described() -> str:
    """A line or more for each argument, as the section `Args` of a docstring has them."""
    return "\n".join(
        textwrap.fill(f"{name}: {_sentence(row)}", _WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 12)
        for name, row in ARGUMENTS.items()
    )


def _sentence(row: Axis) -> str:
    takes = [row.takes or row.kind.words]
    takes += [f"or {row.in_python}"] if row.in_python else []
    takes += ["or a list of several"] if row.repeatable else []
    usual = row.usual or f"`{_default(row)}`"
    return f"{row.about[0].upper()}{row.about[1:]}. It takes {'; '.join(takes)}. Without it: {usual}."


def annotation(row: Axis) -> str:
    """The type of an argument, as source."""
    value = {"Path": "str | Path"}.get(row.kind.type.__name__, row.kind.type.__name__)
    if row.in_python and row.repeatable:
        value = f"{value} | UserFunction"
    if row.repeatable:
        return f"{value} | Sequence[{value}]"
    return f"{value} | None" if row.default is None else value


def _default(row: Axis) -> object:
    return row.default[0] if row.repeatable and len(row.default) == 1 else row.default
