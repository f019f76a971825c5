"""`bench fetch`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import Verb

if TYPE_CHECKING:
    from bench.store.sources import Source
    from bench.types import Folders


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    about = "Download data sets and weights. Nothing else does.\n\nExample: bench fetch lfw"
    app.command("fetch", cls=Verb, help=about)(fetch)


def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="what to fetch; without names, the list")] = None,
    listed: Annotated[bool, typer.Option("--list", help="say what can be fetched, and what is here")] = False,
    origins: Annotated[
        list[str] | None,
        typer.Option("--from", help="a file, a folder or an address to take it from; repeatable"),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", envvar="BENCH_OFFLINE", help="use what is on this machine")
    ] = False,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="agree to the licences that are shown")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Download, verify, unpack, and say where it lies."""
    from bench.fetching.install import Wishes
    from bench.fetching.install import fetch as install
    from bench.machine.progress import Terminal
    from bench.store.folders import folders

    where = folders()
    if listed or not names:
        _table(where, as_json)
        return

    def consent(name: str, source: Source) -> None:
        _agree(name, source, where, accept_licence)

    wishes = Wishes(consent, origins or [], offline, Terminal())
    installed = {name: [str(path) for path in install(name, where, wishes)] for name in names}
    if as_json:
        sys.stdout.write(json.dumps(installed, indent=1) + "\n")
    else:
        sys.stdout.write("".join(f"{paths[0]}\n" for paths in installed.values()))


def _agree(name: str, source: Source, where: Folders, accepted: bool) -> None:
    """Show the terms, and go on only if they are agreed to."""
    from bench.errors import UserError

    sys.stderr.write(
        f"{name}: {source.about}, {_size(source)}, into {where.home}\nlicence: {source.licence}\n"
        f"cite: {source.citation}\n"
    )
    sys.stderr.flush()
    if accepted:
        return
    if not sys.stdin.isatty():
        raise UserError(
            f"{name!r} needs your consent to its licence: {source.licence}. Add --accept-licence."
        )
    if not typer.confirm("Fetch it under this licence?", err=True):
        raise UserError(f"{name!r} is not fetched: its licence was not accepted.")


def _table(where: Folders, as_json: bool) -> None:
    from bench.cli.printing import print_table
    from bench.fetching.install import state
    from bench.store.sources import SOURCES

    if as_json:
        listed = [
            {
                "name": name,
                "about": source.about,
                "state": state(source, where),
                "bytes": source.size,
                "licence": source.licence,
                "citation": source.citation,
                "files": [{"file": i.file, "urls": i.urls, "sha256": i.sha256} for i in source.items],
            }
            for name, source in SOURCES.items()
        ]
        sys.stdout.write(json.dumps(listed, indent=1) + "\n")
        return
    rows = [
        (name, source.about, _size(source), state(source, where), source.licence)
        for name, source in SOURCES.items()
    ]
    print_table(["name", "what", "size", "state", "licence"], rows)


def _size(source: Source) -> str:
    return f"{max(source.size / 1e6, 1):.0f} MB" if source.size else "size not known"
