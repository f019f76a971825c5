"""The table of axes as pages have it, and as type checkers have it."""

from __future__ import annotations

from bench.experiment.signature import ARGUMENTS, annotation
from bench.plan.axes import AXES, COMMAND
from bench.plan.doors import COMMAND_LINE
from bench.plan.rows import Axis

_HEAD = '''"""The arguments of `bench.run` as type checkers see them; `python .ci/pages.py` writes this."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from bench.plan.chosen import UserFunction


class RunOptions(TypedDict, total=False):
    """See `bench.run`."""

'''


def typed() -> str:
    """The source of `bench/experiment/options.py`."""
    return _HEAD + "".join(f"    {name}: {annotation(row)}\n" for name, row in ARGUMENTS.items())


def table() -> str:
    """The options of `bench run`, in Markdown."""
    head = ("option", "what", "takes", "left out", "repeat for a matrix", "example")
    lines = [head, ("---",) * len(head), *map(_cells, [*AXES.values(), *COMMAND.values()])]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cells(row: Axis) -> tuple[str, ...]:
    switch = row.kind.type is bool
    takes = "" if switch else row.takes or row.kind.words
    example = " ".join(COMMAND_LINE.write(row.option, value) for value in row.example)
    return (
        f"`--{COMMAND_LINE.named(row.option)}`",
        f"{row.about} ([more]({row.see}))" if row.see else row.about,
        takes,
        row.usual or "must be given, or a suite",
        "yes" if row.repeatable else "no",
        f"`--{COMMAND_LINE.named(row.option)}`" if switch else f"`{example}`",
    )
