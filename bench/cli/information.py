"""`bench list`, `bench doctor`, `bench schema`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from bench.cli.options import Verb
from bench.inventory.kinds import KINDS
from bench.plan.words import either

Json = Annotated[bool, typer.Option("--json", help="print JSON")]


def add_to(app: typer.Typer) -> None:
    """Register the verbs."""
    about = "Names with one-line descriptions.\n\nExample: bench list defenses"
    app.command("list", cls=Verb, help=about)(listing)
    app.command("doctor", help="What is installed, found and missing.\n\nExample: bench doctor")(doctor)
    app.command("schema", help="JSON Schema of the records.\n\nExample: bench schema > schema.json")(schema)


def listing(
    kind: Annotated[
        str | None,
        typer.Argument(help=f"{either(KINDS)}; else all"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the names."""
    from bench.cli.printing import print_table
    from bench.inventory.names import listed
    from bench.store.folders import folders

    where = folders()
    kinds = {name: listed(name, where) for name in ([kind] if kind else KINDS)}
    if as_json:
        sys.stdout.write(json.dumps({k: dict(v) for k, v in kinds.items()}, indent=1) + "\n")
        return
    rows = [(name, k, about) for k, entries in kinds.items() for name, about in entries]
    print_table(["name", "kind", "what"], rows)


def doctor(as_json: Json = False) -> None:
    """Print the state of this installation."""
    from bench.cli.printing import print_table
    from bench.inventory.doctor import diagnosis, screen
    from bench.store.folders import folders

    rows = diagnosis(folders())
    if as_json:
        table = [{"subject": s, "state": state, "remedy": remedy} for s, state, remedy in rows]
        sys.stdout.write(json.dumps(table, indent=1) + "\n")
        return
    print_table(["subject", "state", "what to type"], screen(rows))


def schema() -> None:
    """Print the JSON Schema."""
    from bench.records.files import schema as document

    sys.stdout.write(json.dumps(document(), indent=1) + "\n")
