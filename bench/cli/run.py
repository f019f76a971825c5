"""`bench run`."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.words import either
from bench.machine.devices import PRECISIONS
from bench.plan.scenarios import CLEAN, LEVELS, SCENARIOS

if TYPE_CHECKING:
    from bench.experiment.session import RunResult

_EXAMPLE = """
Example: bench run --defense none --defense advmask --attacker dbscan --budget linf:8 --users 20

Repeat an option to make a matrix. A run that was stopped goes on where it was when it is repeated.
"""

Names = list[str]


def add_to(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("run", help="Run one cell, or a matrix of cells, and print the board.\n" + _EXAMPLE)(run)


def run(
    defense: Annotated[
        Names | None, typer.Option(help="what users do to their photos; NAME or NAME:field=value,…")
    ] = None,
    attacker: Annotated[
        Names | None, typer.Option(help="who recognises people; NAME or NAME:field=value,…")
    ] = None,
    suite: Annotated[
        str | None, typer.Option(help="several runs by name, or a TOML file; other options take precedence")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="whose photos; NAME or NAME:field=value,…; else synthetic")
    ] = None,
    scenario: Annotated[str | None, typer.Option(help=f"{either(SCENARIOS)}; else introduced")] = None,
    encoder: Annotated[
        Names | None,
        typer.Option(
            help="what the attacker embeds with; a+b is an ensemble; all built-in ones on built-in faces"
        ),
    ] = None,
    surrogate: Annotated[
        Names | None,
        typer.Option(help="what the defense optimises against; a+b is one ensemble; else the first encoder"),
    ] = None,
    budget: Annotated[
        Names | None,
        typer.Option(help="linf:N (of 255), dssim:X, ssim:X (at least) or unbounded; else linf:8"),
    ] = None,
    channel: Annotated[
        Names | None, typer.Option(help="none, jpeg:75, … or a+b, see bench list channels; else none")
    ] = None,
    users: Annotated[int | None, typer.Option(help="protected users; else the data set's default")] = None,
    photos: Annotated[int | None, typer.Option(help="released photos a user; else 10")] = None,
    labelled: Annotated[
        int | None, typer.Option(help=f"clean photos a user besides, in {either(CLEAN)}; else 5")
    ] = None,
    background: Annotated[int | None, typer.Option(help="other people; else the data set's default")] = None,
    dose: Annotated[
        list[float] | None, typer.Option(help="share of a user's photos that are cloaked; else 1")
    ] = None,
    level: Annotated[
        Names | None,
        typer.Option(help=f"how thresholds are tuned: {either(LEVELS)}; else oblivious"),
    ] = None,
    adaptation: Annotated[
        Names | None, typer.Option(help="what the attacker makes of its encoder: NAME or NAME:field=value,…")
    ] = None,
    distractors: Annotated[
        list[int] | None, typer.Option(help="simulated strangers among the background; else 0")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="of the split and of everything random; else 0")] = None,
    draws: Annotated[
        int | None, typer.Option(help="draws of calibration people and background; else 1")
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or cuda:N; else auto")] = None,
    precision: Annotated[
        str | None, typer.Option(help=f"that the attacker embeds in: {either(PRECISIONS)}; else fp32")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="folder for records.json and Parquet tables")] = None,
    preview: Annotated[Path | None, typer.Option(help="PNG: before, after, amplified difference")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the records instead of the board")] = False,
) -> None:
    """Parse, run, print."""
    from bench.errors import UserError
    from bench.experiment.files import write
    from bench.experiment.session import execute
    from bench.machine.progress import Terminal
    from bench.plan.spec import RunSpec
    from bench.plan.suites import load

    axes = {
        "defenses": defense,
        "attackers": attacker,
        "encoders": encoder,
        "surrogates": surrogate,
        "budgets": budget,
        "channels": channel,
        "doses": dose,
        "levels": level,
        "adaptations": adaptation,
        "distractors": distractors,
    }
    values = {
        "dataset": dataset,
        "scenario": scenario,
        "users": users,
        "photos": photos,
        "labelled": labelled,
        "background": background,
        "seed": seed,
        "draws": draws,
        "device": device,
        "precision": precision,
    }
    given: dict[str, Any] = {name: tuple(axis) for name, axis in axes.items() if axis}
    given |= {name: value for name, value in values.items() if value is not None}
    if suite is None and not (defense and attacker):
        missing = "--attacker" if defense else "--defense"
        raise UserError(
            f"nothing to run: {missing} is missing. Name one, or a --suite: 'bench list' has names."
        )
    result = execute(load(suite, given) if suite else RunSpec(**given), Terminal())
    if out is not None:
        write(result, out)
    if as_json:
        sys.stdout.write(result.records.to_json() + "\n")
    else:
        _print(result, whole=suite is None)
    if preview is not None:
        from bench.board.preview import draw

        draw(preview, result.pipeline.pairs())
    _tell(result)


def _print(result: RunResult, *, whole: bool) -> None:
    """The board, unless there are too many rows to look at; what one step further does, and the panel."""
    from bench.board.user_tables import UserTable
    from bench.board.views import view
    from bench.cli.printing import print_board

    users = {cell: UserTable.of(tables["users"]) for cell, tables in result.tables.items() if tables}
    if whole:
        print_board(view("cells").table(result.records, users))
    else:
        sys.stdout.write(f"{len(result.records)} cells; 'bench board' prints those that --out keeps.\n\n")
        sys.stdout.write("the cluster-formation rate, one step from DBSCAN on the surrogate:\n")
        print_board(view("steps").table(result.records, users))
    if len({record.attacker.name for record in result.records}) > 1:
        sys.stdout.write("\nthe strongest attacker of the panel counts:\n")
        print_board(view("panel").table(result.records, users))


def _tell(result: RunResult) -> None:
    """Say what went wrong besides; end with status 1 if a cell failed by a fault of ours, 2 by the user's."""
    from bench.errors import UserError

    ours = [fault for fault in result.faults if not isinstance(fault, UserError)]
    refused = [str(fault) for fault in result.faults if isinstance(fault, UserError)]
    for line in dict.fromkeys([*result.notes, *refused]):
        sys.stderr.write(f"bench: {line}\n")
    for fault in ours:
        sys.stderr.write("".join(traceback.format_exception(fault)))
    if result.faults:
        sys.stderr.write(f"bench: {len(result.faults)} cells failed; all others are kept.\n")
        raise typer.Exit(1 if ours else 2)
