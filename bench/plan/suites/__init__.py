"""Named matrices: several runs, each with its axes, in one file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import UserError, unknown_name
from bench.plan.axes import AXES
from bench.plan.doors import SUITE
from bench.plan.spec import RunSpec, read_options
from bench.store.folders import expanded
from bench.store.reading import read_text
from bench.store.reasons import reason

FOLDER = Path(__file__).resolve().parent


def names() -> dict[str, str]:
    """List the suites that come with the package, and the first line of each."""
    return {path.stem: _about(path) for path in sorted(FOLDER.glob("*.toml"))}


def load(name: str, given: Mapping[str, Any]) -> list[RunSpec]:
    """The runs of a suite.

    Args:
        name: The name of a suite, or the path of a TOML file with `[[run]]` tables of options.
        given: Fields of `RunSpec` that take the place of what the suite says, in all of its runs.

    Raises:
        UserError: The suite does not exist or is damaged, or a run of it has an option that does not exist or
            a value that does not fit, or does not say what has to be said.
    """
    runs = _read(name)
    return [_spec(run, given, f"suite {name}, run {number}") for number, run in enumerate(runs, 1)]


def _read(name: str) -> list[dict[str, object]]:
    """The `[[run]]` tables of a suite, as they stand there."""
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        path = expanded(Path(name))
    if path.suffix != ".toml" and not path.is_file():
        raise unknown_name("suite", name, names(), command="bench list suites")
    if not path.exists():
        raise UserError(f"no suite at {name}. 'bench list suites' names those there are.")
    try:
        document = tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"suite {name} cannot be read: {reason(error)}.") from error
    runs = document.pop("run", None)
    if document or not isinstance(runs, list) or not runs or not all(isinstance(run, dict) for run in runs):
        raise UserError(f"suite {name} must be [[run]] tables and nothing else; see docs/running.md.")
    return runs


def _spec(run: Mapping[str, object], given: Mapping[str, Any], where: str) -> RunSpec:
    """One run, with what was given on the command line in its place."""
    try:
        chosen = {**read_options(run, SUITE), **given}
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
    for option, row in AXES.items():
        if row.required and row.field not in chosen:
            example = SUITE.write(option, list(row.example[:1]))
            raise UserError(f"{where} names no {option}. Add {example} to it, or give --{option}.")
    return RunSpec(**chosen)


def _about(path: Path) -> str:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix("# ")
