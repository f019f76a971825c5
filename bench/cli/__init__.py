"""The command line: parse, call, print. No arithmetic, and no library that is slow to load."""

from __future__ import annotations

import logging
import sys

import typer

from bench.cli import board, information, run
from bench.errors import UserError

app = typer.Typer(
    name="bench",
    help="Measure whether face-cloaking defenses protect anybody from clustering and recognition.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
run.add_to(app)
board.add_to(app)
information.add_to(app)


def main() -> None:
    """Entry point: 0 done, 1 a fault of ours, 2 the user's to mend."""
    logging.basicConfig(format="bench: %(message)s", level=logging.WARNING, stream=sys.stderr)
    try:
        app()
    except UserError as error:
        sys.stderr.write(f"bench: {error}\n")
        sys.exit(2)
