"""`bench cache`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import Verb
from bench.cli.sizes import in_units, read_size
from bench.errors import UserError, unknown_name
from bench.plan.words import either

if TYPE_CHECKING:
    from bench.upkeep.prune import Rule

ACTIONS = ("show", "verify", "prune", "export")
_HELP = """What is stored in BENCH_HOME/cache: show it, verify it, prune it, export it.

Example: bench cache prune --unused-for 90 --dry-run

show counts results by stage. verify reads each and compares it with its checksum, and ends with status 1 if
one is damaged. prune drops what the options do not keep; what goes is computed again when it is needed.
export copies results to a folder or an object store that BENCH_STORE may name.
"""
_OPTIONS = {
    "--unused-for": ("prune",),
    "--limit": ("prune",),
    "--records": ("prune", "export"),
    "--dry-run": ("prune",),
    "--to": ("export",),
}
"""Option -> the actions that have it."""
_SHOWN = 20
"""Damaged results that are named."""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("cache", cls=Verb, help=_HELP)(cache)


def _checked(action: str) -> str:
    """An action there is.

    Raises:
        UserError: There is none of that name.
    """
    if action not in ACTIONS:
        raise unknown_name("action", action, ACTIONS, command="bench cache --help")
    return action


def cache(
    action: Annotated[str, typer.Argument(help=either(ACTIONS), callback=_checked)] = "show",
    unused_for: Annotated[
        int | None, typer.Option(metavar="DAYS", help="prune: drop what nobody used for more days", min=0)
    ] = None,
    limit: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="prune: drop what was used longest ago, until the rest fits"),
    ] = None,
    records: Annotated[
        list[Path] | None,
        typer.Option(help="prune, export: keep, and copy, what these records need; repeatable"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="prune: say what would go")] = False,
    to: Annotated[
        str | None, typer.Option(metavar="PLACE", help="export: a folder, or s3://BUCKET/FOLDER")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Do what was asked for.

    Raises:
        UserError: The options do not fit the action.
    """
    from bench.store.folders import folders

    given = {
        "--unused-for": unused_for is not None,
        "--limit": limit is not None,
        "--records": bool(records),
        "--dry-run": dry_run,
        "--to": to is not None,
    }
    for option, actions in _OPTIONS.items():
        if given[option] and action not in actions:
            raise UserError(f"{option} is no option of bench cache {action}; {either(actions)} has it.")
    home = Path(folders().home)
    if action == "show":
        _show(home, as_json)
    elif action == "verify":
        _verify(home, as_json)
    elif action == "export":
        _export(home, to, records or [], as_json)
    else:
        _prune(home, _rule(unused_for, limit, records or []), dry_run, as_json)


def _rule(unused_for: int | None, limit: str | None, records: list[Path]) -> Rule:
    from bench.upkeep.prune import Rule

    if unused_for is None and limit is None and not records:
        raise UserError(
            "bench cache prune needs to know what may go. Type --unused-for DAYS, --limit SIZE or "
            "--records DIR."
        )
    return Rule(unused_for, None if limit is None else read_size("--limit", limit), _cells(records))


def _cells(records: list[Path]) -> frozenset[str] | None:
    from bench.records.files import read

    return frozenset(record.cell for path in records for record in read(path)) if records else None


def _show(home: Path, as_json: bool) -> None:
    from bench.cli.printing import print_table
    from bench.upkeep.contents import contents

    held = contents(home)
    if as_json:
        stages = {line.stage: {"results": line.results, "bytes": line.bytes, "last_used": line.last_used}
                  for line in held.stages}  # fmt: skip
        document = {"folder": str(held.folder), "stages": stages, "leftovers": held.leftovers}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
        return
    rows = [(line.stage, f"{line.results:,}", in_units(line.bytes), line.last_used) for line in held.stages]
    count, size = sum(line.results for line in held.stages), sum(line.bytes for line in held.stages)
    print_table(["stage", "results", "size", "last used"], [*rows, ("all", f"{count:,}", in_units(size), "")])
    sys.stdout.write(f"\n{held.folder}\n")
    if held.leftovers:
        sys.stderr.write(f"bench: {held.leftovers} half-written or damaged files; 'prune' drops them.\n")


def _verify(home: Path, as_json: bool) -> None:
    from bench.machine.progress import Terminal
    from bench.upkeep.check import check

    found = check(home, Terminal())
    if as_json:
        document = {"whole": found.whole, "damaged": found.damaged, "of_version_0_1": found.old}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        for stage, key in found.damaged[:_SHOWN]:
            sys.stdout.write(f"damaged: {stage}/{key}\n")
        if len(found.damaged) > _SHOWN:
            sys.stdout.write(f"and {len(found.damaged) - _SHOWN:,} more; --json has all\n")
        old = f"; of version 0.1, not used any more: {found.old:,}" if found.old else ""
        sys.stdout.write(f"whole: {sum(found.whole.values()):,}; damaged: {len(found.damaged):,}{old}\n")
    if found.damaged:
        sys.stderr.write("bench: what is damaged is computed again when it is needed.\n")
        raise typer.Exit(1)


def _prune(home: Path, rule: Rule, dry_run: bool, as_json: bool) -> None:
    from bench.upkeep.prune import prune

    done = prune(home, rule, dry=dry_run)
    if as_json:
        document = {
            name: {"results": count, "bytes": size}
            for name, (count, size) in (("dropped", done.dropped), ("kept", done.kept))
        }
        rest = {"leftovers": done.rest, "unexplained_cells": done.unexplained, "dry_run": dry_run}
        sys.stdout.write(json.dumps(document | rest, indent=1) + "\n")
    else:
        verb = "would go" if dry_run else "gone"
        sys.stdout.write(
            f"{verb}: {done.dropped[0]:,} ({in_units(done.dropped[1])}); "
            f"kept: {done.kept[0]:,} ({in_units(done.kept[1])})\n"
        )
    _say_unexplained(done.unexplained)


def _export(home: Path, to: str | None, records: list[Path], as_json: bool) -> None:
    from bench.machine.progress import Terminal
    from bench.upkeep.export import export

    if to is None:
        raise UserError("bench cache export needs a place. Type --to FOLDER or --to s3://BUCKET/FOLDER.")
    done = export(home, to, _cells(records), Terminal())
    if as_json:
        document = {
            "results": done.results, "bytes": done.bytes, "damaged": done.damaged,
            "unexplained_cells": done.unexplained,
        }  # fmt: skip
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        sys.stdout.write(
            f"copied: {done.results:,} ({in_units(done.bytes)}). Whoever sets BENCH_STORE={to} has them.\n"
        )
    if done.damaged:
        sys.stderr.write(f"bench: {done.damaged} results are damaged, and were left out.\n")
    _say_unexplained(done.unexplained)


def _say_unexplained(count: int) -> None:
    if count:
        sys.stderr.write(
            f"bench: of {count} cells there is no note of what they are made from: only the results of these "
            "cells count as needed.\n"
        )
