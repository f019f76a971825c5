"""`bench verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Verb

_HELP = """How well encoders tell people apart: accuracy over ten folds, AUC, EER, TAR@FAR, with intervals.

Example: bench verify synth-ir --dataset synthetic

Example: bench verify --all --clustering --speed --out out/encoders
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("verify", cls=Verb, help=_HELP)(verify)


def verify(
    encoder: Annotated[list[str] | None, typer.Argument(help="names; 'bench list encoders' has all")] = None,
    every: Annotated[bool, typer.Option("--all", help="every encoder whose weights are here")] = False,
    dataset: Annotated[
        str | None,
        typer.Option(help="whose photos; else synthetic for built-in encoders and lfw for all others"),
    ] = None,
    pairs: Annotated[int, typer.Option(help="pairs to draw where LFW's own list cannot be used")] = 6000,
    seed: Annotated[int, typer.Option(help="of the draw, and of --clustering's split")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N")] = "auto",
    clustering: Annotated[bool, typer.Option(help="also sort clean photos with calibrated DBSCAN")] = False,
    speed: Annotated[bool, typer.Option(help="also measure how fast aligned faces are embedded")] = False,
    out: Annotated[Path | None, typer.Option(help="folder for verification.json and verification.md")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the records instead of the table")] = False,
) -> None:
    """Parse, verify, print."""
    from bench.errors import UserError

    if bool(encoder) == every:
        raise UserError(
            "name the encoders to verify, or --all for every one that is here, not both. Try "
            "'bench verify synth-ir'; 'bench list encoders' names all."
        )
    from bench.cli.printing import print_board
    from bench.machine.progress import Terminal
    from bench.store.writing import try_folder
    from bench.verification.records import INSTEAD, to_json, write
    from bench.verification.table import table, to_markdown
    from bench.verification.verify import VerificationSpec
    from bench.verification.verify import verify as run

    spec = VerificationSpec(tuple(encoder or ()), dataset, pairs, seed, device, clustering, speed)
    if out is not None:
        try_folder(out, instead=INSTEAD)
    verified = run(spec, Terminal())
    records = verified.records
    if out is not None:
        write(records, to_markdown(records), out)
    if as_json:
        sys.stdout.write(to_json(records))
    else:
        print_board(table(records, intervals=True))
    for fault in dict.fromkeys(map(str, verified.faults)):
        sys.stderr.write(f"bench: {fault}\n")
    if verified.faults:
        raise typer.Exit(2)
