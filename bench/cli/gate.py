"""`bench gate`."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import Verb
from bench.plan.words import either

_INSTEAD = "choose another file"
_FORMATS = ("json", "md", "text")
_HELP = """Whether a defense is weaker than its committed baseline, on the same users. For CI.

Exit status: 0 passed, 1 weaker beyond the noise, 2 could not tell, 3 too few users to tell for --max-drop.

Example: bench gate out/fresh --baseline results/built-in --defense advmask --max-drop 0.25
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("gate", cls=Verb, help=_HELP)(gate)


def gate(
    records: Annotated[Path, typer.Argument(help="folder of the fresh run, written by 'bench run --out'")],
    baseline: Annotated[
        Path, typer.Option(help="folder of the committed run, which may hold acknowledged.toml")
    ],
    max_drop: Annotated[
        float, typer.Option(help="how much more of the users may be found: a share, such as 0.1")
    ],
    defense: Annotated[
        list[str] | None,
        typer.Option(help="name to gate, or one variant as printed; may be repeated; else all"),
    ] = None,
    kind: Annotated[str, typer.Option("--format", help=either(_FORMATS))] = "text",
    junit: Annotated[Path | None, typer.Option(help="file for JUnit XML")] = None,
    summary: Annotated[Path | None, typer.Option(help="file for a summary in Markdown, below 1 MiB")] = None,
    annotate: Annotated[bool, typer.Option(help="also print GitHub annotations, ten at most")] = False,
    wide: Annotated[bool, typer.Option(help="every column and word, however narrow the terminal")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="the same as --format json")] = False,
) -> None:
    """Parse, judge, print and write."""
    from bench.errors import UserError, unknown_name
    from bench.store.writing import try_file

    if kind not in _FORMATS:
        raise unknown_name("format", kind, _FORMATS, command="bench gate --help")
    files = {name: file for name, file in (("junit", junit), ("summary", summary)) if file is not None}
    for file in files.values():
        try_file(file, instead=_INSTEAD)
    try:
        status = _told(
            records, baseline, max_drop, defense or [], "json" if as_json else kind, files, annotate, wide
        )
    except (UserError, OSError):
        raise
    except Exception as fault:  # a fault of ours is no evidence that a defense is weak, which 1 would say
        traceback.print_exc()
        raise typer.Exit(2) from fault
    if status:
        raise typer.Exit(status)


def _told(
    records: Path,
    baseline: Path,
    max_drop: float,
    defenses: Sequence[str],
    kind: str,
    files: Mapping[str, Path],
    annotate: bool,
    wide: bool,
) -> int:
    """Judge, write and print; the exit status."""
    from bench.board.escaping import printable
    from bench.cli.printing import print_board
    from bench.gate.reports import commands, to_json, to_junit, to_markdown
    from bench.gate.table import log_table
    from bench.gate.verdict import gate as judged
    from bench.gate.words import logged
    from bench.store.writing import write_output

    verdict = judged(records, baseline, max_drop, defenses)
    reports = {"junit": to_junit, "summary": to_markdown}
    contents = {file: reports[name](verdict).encode("utf-8", "replace") for name, file in files.items()}
    write_output(contents, "a report of the gate", instead=_INSTEAD)
    if kind == "json":
        sys.stdout.write(to_json(verdict))
    elif kind == "md":
        sys.stdout.write(to_markdown(verdict))
    else:
        sys.stdout.write(f"{logged(printable(verdict.headline))}\n")
        print_board(log_table(verdict), wide=wide)
    if annotate:
        sys.stderr.writelines(f"{line}\n" for line in commands(verdict))
    return verdict.status
