"""The command line: parse, call, print. No arithmetic, and no library that is slow to load."""

from __future__ import annotations

import logging
import sys
from typing import Any

import typer

from bench.board.escaping import printable
from bench.cli import board, curve, fetching, information, manifest, run, verify
from bench.cli.streams import Streams
from bench.errors import UserError, cannot_read

app = typer.Typer(
    name="bench",
    help="Measure whether face-cloaking defenses protect anybody from clustering and recognition.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
run.add_to(app)
board.add_to(app)
curve.add_to(app)
manifest.add_to(app)
information.add_to(app)
verify.add_to(app)
fetching.add_to(app)


# what is wrong with the options themselves; typer brings its own copy of click and names only the subclass
_USAGE: Any = typer.BadParameter.__bases__[0]
_STOPPED = 130


@app.callback()
def root(context: typer.Context) -> None:
    """Measure whether face-cloaking defenses protect anybody from clustering and recognition."""
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")


def main() -> None:
    """Entry point: 0 done, 1 a fault of ours, 2 the user's to mend, 130 stopped by Ctrl-C."""
    streams = Streams()
    logging.basicConfig(format="bench: %(message)s", level=logging.WARNING, stream=sys.stderr)
    try:
        status = app(standalone_mode=False) or 0
    except UserError as error:
        status = _said(2, str(error))
    except OSError as error:
        if not error.filename:
            raise
        # such as a folder that may not be looked into, wherever somebody looks
        status = _said(2, str(cannot_read(error)))
    except _USAGE as error:
        path = error.ctx.command_path if error.ctx else "bench"
        said = " ".join(error.format_message().split()).replace("?.", "?")
        status = _said(2, f"{said}{'' if said.endswith(('?', '.')) else '.'} Try '{path} --help'.")
    except (KeyboardInterrupt, typer.Abort):
        status = _STOPPED
    if status == _STOPPED:
        _said(status, "stopped. What was computed is kept: repeat the command to go on.")
    lost = streams.lost()
    if lost:
        status = _said(status or 2, f"cannot write to standard output: {lost}. What was computed is kept.")
    sys.exit(status)


def _said(status: int, line: str) -> int:
    sys.stderr.write(f"bench: {printable(line)}\n")
    return status
