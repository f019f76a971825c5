"""Options of commands, made from the table of axes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from bench.errors import UserError
from bench.plan.doors import COMMAND_LINE
from bench.plan.rows import Axis
from bench.store.folders import expanded


class Verb(TyperCommand):
    """A command whose options and arguments are never empty texts, and whose paths may begin with `~`.

    `Path("")` would be the current folder, and an empty name would be none. No shell expands `--out=~/x`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Look at the words before they are read.

        Raises:
            UserError: One of them is empty.
        """
        for before, word in zip(["", *args], args, strict=False):
            option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
            if not (value.strip() or (option and not equals)):
                option = option or (before if before.startswith("--") else "an argument")
                raise UserError(f"{option} is an empty text. Give it a value, or leave it out.")
        return super().parse_args(ctx, [_expanded(word) for word in args])


def _expanded(word: str) -> str:
    """A word with the user's home folder in the place of `~/`, also after the name of an option."""
    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return f"{option}{equals}{expanded(Path(value))}" if value.startswith("~/") else word


def with_options(rows: Iterable[Axis]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of a function whose first argument is a dictionary of options.

    The command has an option for each row, and one for each further argument of the function. The dictionary
    holds option -> value for the rows that were given on the command line.

    Args:
        rows: The options, in the order of the help text.
    """
    table = {row.option: row for row in rows}

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(function, eval_str=True).parameters.values()
        parameters = [_parameter(row) for row in table.values()]
        parameters += [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own]

        def command(**values: Any) -> None:
            given = {option: values.pop(option) for option in table}
            function({option: value for option, value in given.items() if _was_given(value)}, **values)

        command.__annotations__.update({parameter.name: parameter.annotation for parameter in parameters})
        vars(command)["__signature__"] = inspect.Signature(parameters)
        return command

    return decorate


def _was_given(value: object) -> bool:
    return not (value is None or value is False or value == [])


def _parameter(row: Axis) -> Parameter:
    # an empty path would be the current folder, so a path is read as a text first
    place = row.kind.type is Path
    kind: Any = str if place else row.kind.type
    option = typer.Option(
        f"--{COMMAND_LINE.named(row.option)}", help=_help(row), metavar="<path>" if place else None
    )
    if kind is bool:
        return Parameter(
            row.option, Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, option]
        )
    several: Any = list[kind] if row.repeatable else kind
    return Parameter(
        row.option, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[several | None, option]
    )


def _help(row: Axis) -> str:
    parts = [row.about, row.takes]
    parts += [f"else {row.usual}"] if row.usual and row.kind.type is not bool else []
    return "; ".join(filter(None, parts)).replace("`", "")
