"""`bench manifest`."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.cli.options import with_options
from bench.errors import UserError
from bench.plan.axes import AXES
from bench.plan.doors import COMMAND_LINE

_HELP = """Which photos a run uses, and what for, by digest of their content. Nothing is run.

Example: bench manifest --dataset lfw --users 100 --photos 10 --seed 3

The same photos give the same lines on every machine. No name and no path is among them, but for --left-out.
With --write the photos are written to a folder, so that a tool can cloak them for 'bench score'.
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("manifest", help=_HELP)(manifest)


@with_options(row for row in AXES.values() if row.of == "split")
def manifest(
    options: dict[str, Any],
    left_out: Annotated[
        bool, typer.Option("--left-out", help="instead: files that are not used, by name, and why")
    ] = False,
    write: Annotated[
        str | None,
        typer.Option(
            "--write",
            metavar="<path>",
            help="instead: a folder for the photos that a tool has to cloak: those of the users, and those "
            "that an attacker cloaks itself",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of CSV")] = False,
) -> None:
    """Parse, open, print."""
    from bench.machine.progress import Terminal
    from bench.plan.datasets import chosen_dataset, unused_of
    from bench.plan.manifest import manifest as placed
    from bench.plan.manifest import manifest_csv
    from bench.plan.resolve import open_dataset
    from bench.plan.spec import RunSpec, read_options
    from bench.plan.tool_folders import write_photos
    from bench.store.folders import expanded, folders

    if write is not None and not write.strip():
        raise UserError("--write is an empty text. Give it a value, or leave it out.")
    spec = RunSpec(**read_options(options, COMMAND_LINE))
    if left_out:
        reasons = sorted(unused_of(chosen_dataset(spec.dataset), folders(), Terminal()).items())
        if as_json:
            sys.stdout.write(json.dumps(dict(reasons), indent=1) + "\n")
        else:
            csv.writer(sys.stdout, lineterminator="\n").writerows([("file", "why"), *reasons])
        return
    _, data, parts = open_dataset(spec, folders(), Terminal())
    if write is not None:
        count = write_photos(parts, data, expanded(Path(write)), Terminal())
        sys.stdout.write(f"{count} photos in {write}\n")
        return
    rows = placed(parts, data.digest)
    if as_json:
        about = {"dataset": data.card.name, "revision": data.card.revision}
        listed = [{"part": part, "person": person, "sha256": photo} for part, person, photo in rows]
        sys.stdout.write(json.dumps({**about, "photos": listed}, indent=1) + "\n")
    else:
        sys.stdout.write(manifest_csv(rows))
