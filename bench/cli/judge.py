"""`bench judge`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import Verb
from bench.errors import UserError

if TYPE_CHECKING:
    from bench.records.record import CellRecord
    from bench.submission.contents import Contents

_INSTEAD = "choose another --out"
_HELP = """Score somebody else's attack on released cloaks: where did it put each photo? Nothing is run.

Example: bench judge out/mine --cell 2e02913c0967 --blank attack.json

Example: bench judge out/mine --attack attack.json --out out/theirs

--blank writes the file that an attacker fills in. The record of the result stands in the track of the cell.
"""


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("judge", cls=Verb, help=_HELP)(judge)


def judge(
    records: Annotated[
        Path, typer.Argument(help="folder with the records of the released cloaks, also packed")
    ],
    attack: Annotated[Path | None, typer.Option(help="file with the attack's assignment of photos")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the record of the attack")] = None,
    cell: Annotated[str | None, typer.Option(help="with --blank: how the digest of the cell begins")] = None,
    blank: Annotated[
        Path | None, typer.Option(help="instead: write a file for an attacker to fill in")
    ] = None,
) -> None:
    """Parse, read, judge, write.

    Raises:
        UserError: Options are missing.
    """
    from bench.store.writing import try_file, write_output
    from bench.submission.attacks import blank as empty
    from bench.submission.attacks import target_of
    from bench.submission.contents import open_contents

    if blank is not None:
        if cell is None or attack is not None:
            raise UserError("--blank is for one cell, which --cell names, and needs no --attack.")
        try_file(blank, instead="choose another --blank")
        contents = open_contents(records)
        record = _record(contents, cell)
        document = empty(contents, record, target_of(contents, record))
        text = json.dumps(document, indent=1) + "\n"
        write_output({blank: text.encode()}, f"to {blank}", instead="choose another --blank")
        sys.stdout.write(f"{blank}\n")
        return
    if attack is None or out is None:
        raise UserError("nothing to judge: type --attack FILE --out DIR, or --cell DIGEST --blank FILE.")
    _judge(records, attack, out)


def _judge(records: Path, attack: Path, out: Path) -> None:
    from bench.board.views import view
    from bench.cli.printing import print_board
    from bench.experiment.files import spare, tables_as_files
    from bench.records.files import CELLS, Records
    from bench.store.reading import read_whole
    from bench.store.writing import try_folder, write_output
    from bench.submission.attacks import ForeignAttack, judge_attack, target_of
    from bench.submission.contents import open_contents
    from bench.submission.manifest import read_model
    from bench.submission.names import ATTACK

    try_folder(out, instead=_INSTEAD)
    content = read_whole(attack)
    contents = open_contents(records)
    read = read_model(ForeignAttack, content, str(attack))
    record = _record(contents, read.cell)
    made, tables = judge_attack(read, contents, record)
    spare(out)([made.cell])
    files = {
        CELLS.file: Records([made]).to_json().encode() + b"\n",
        "manifest.csv": target_of(contents, record).manifest,
        ATTACK: content,
        **tables_as_files({made.cell: tables}),
    }
    write_output({out / name: file for name, file in files.items()}, f"to {out}", instead=_INSTEAD)
    print_board(view("cells").table([made], {}))


def _record(contents: Contents, beginning: str) -> CellRecord:
    """The record of a cell, by the first digits of its digest.

    Raises:
        UserError: There is none, or there are several.
    """
    found = [record for record in contents.records if record.cell.startswith(beginning)]
    if len(found) != 1:
        raise UserError(
            f"{contents.path} has {len(found) or 'no'} cells whose digest begins with {beginning[:64]!r}. "
            f"'bench board {contents.path} --format json' prints the digests."
        )
    return found[0]
