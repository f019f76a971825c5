"""`bench manifest`."""

from __future__ import annotations

import csv
import json
import sys
from typing import Annotated

import typer

from bench.cli.words import either
from bench.plan.scenarios import CLEAN, SCENARIOS

_HELP = """Which photos a run uses, and what for, by digest of their content. Nothing is run.

Example: bench manifest --dataset lfw --users 100 --photos 10 --seed 3

The same photos give the same lines on every machine. No name and no path is among them, but for --left-out.
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("manifest", help=_HELP)(manifest)


def manifest(
    dataset: Annotated[str, typer.Option(help="as for 'bench run'")] = "synthetic",
    scenario: Annotated[str, typer.Option(help=either(SCENARIOS))] = "introduced",
    users: Annotated[int | None, typer.Option(help="protected users; else the data set's default")] = None,
    photos: Annotated[int, typer.Option(help="released photos a user")] = 10,
    labelled: Annotated[int, typer.Option(help=f"clean photos a user besides, in {either(CLEAN)}")] = 5,
    background: Annotated[int | None, typer.Option(help="other people; else the data set's default")] = None,
    seed: Annotated[int, typer.Option(help="of the split")] = 0,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="instead: files that are not used, by name, and why")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of CSV")] = False,
) -> None:
    """Parse, open, print."""
    from bench import registry
    from bench.plan.manifest import manifest as placed
    from bench.plan.manifest import manifest_csv
    from bench.plan.resolve import open_dataset
    from bench.plan.spec import RunSpec
    from bench.store.folders import folders

    if left_out:
        data = registry.make("datasets", dataset)[1].open(folders())
        reasons = sorted(data.catalogue().left_out.items())
        if as_json:
            sys.stdout.write(json.dumps(dict(reasons), indent=1) + "\n")
        else:
            csv.writer(sys.stdout, lineterminator="\n").writerows([("file", "why"), *reasons])
        return
    spec = RunSpec(
        dataset=dataset,
        scenario=scenario,
        users=users,
        photos=photos,
        labelled=labelled,
        background=background,
        seed=seed,
    )
    _, data, parts = open_dataset(spec, folders())
    rows = placed(parts, data.digest)
    if as_json:
        about = {"dataset": data.card.name, "revision": data.card.revision}
        listed = [{"part": part, "person": person, "sha256": photo} for part, person, photo in rows]
        sys.stdout.write(json.dumps({**about, "photos": listed}, indent=1) + "\n")
    else:
        sys.stdout.write(manifest_csv(rows))
