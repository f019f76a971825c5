"""The verbs as one application, and what its errors become: one line, and an exit status."""

from __future__ import annotations

import logging
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from bench.board.escaping import printable
from bench.cli import (
    board,
    cache,
    collect,
    compare,
    curve,
    export,
    fetching,
    figure,
    gate,
    information,
    judge,
    manifest,
    new,
    plan,
    run,
    score,
    submit,
    validate,
    verify,
)
from bench.cli.interrupts import STOPPED, Interrupts
from bench.cli.remarks import Remarks
from bench.cli.streams import Streams
from bench.errors import UserError, cannot_read


class Verbs(TyperGroup):
    """The verbs, each described by a whole sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of verbs; click would cut each description to one line."""
        verbs = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        rows = [(name, verb.get_short_help_str(10_000)) for name, verb in verbs.items() if verb]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


app = typer.Typer(
    name="bench",
    cls=Verbs,
    help="Measure whether face-cloaking defenses protect anybody from clustering and recognition.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
run.add_to(app)
plan.add_to(app)
collect.add_to(app)
score.add_to(app)
board.add_to(app)
curve.add_to(app)
compare.add_to(app)
figure.add_to(app)
export.add_to(app)
gate.add_to(app)
judge.add_to(app)
submit.add_to(app)
validate.add_to(app)
manifest.add_to(app)
new.add_to(app)
information.add_to(app)
verify.add_to(app)
cache.add_to(app)
fetching.add_to(app)


# what is wrong with the options themselves; typer brings its own copy of click and names only the subclass
_USAGE: Any = typer.BadParameter.__bases__[0]
_INTERRUPTED = 130


@app.callback()
def root(context: typer.Context) -> None:
    """Measure whether face-cloaking defenses protect anybody from clustering and recognition."""
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")


def carry_out(interrupts: Interrupts) -> int:
    """Run the command that was typed.

    Args:
        interrupts: What watches over it.

    Returns:
        Its exit status: 0 done, 2 the user's to mend, 130 stopped.
    """

    def said(status: int, line: str) -> int:
        interrupts.check()
        sys.stderr.write(f"bench: {printable(line)}\n")
        return status

    streams = Streams()
    remarks = Remarks()
    logging.basicConfig(level=logging.WARNING, handlers=[remarks])
    try:
        status = app(standalone_mode=False) or 0
    except UserError as error:
        status = said(2, str(error))
    except OSError as error:
        if not error.filename:
            raise
        # such as a folder that may not be looked into, wherever somebody looks
        status = said(2, str(cannot_read(error)))
    except _USAGE as error:
        path = error.ctx.command_path if error.ctx else "bench"
        wrong = " ".join(error.format_message().split()).replace("?.", "?")
        status = said(2, f"{wrong}{'' if wrong.endswith(('?', '.')) else '.'} Try '{path} --help'.")
    except (KeyboardInterrupt, typer.Abort):
        status = said(_INTERRUPTED, STOPPED)
    remarks.rest()
    lost = streams.lost()
    if lost:
        status = said(status or 2, f"cannot write to standard output: {lost}. What was computed is kept.")
    return status
