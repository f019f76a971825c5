"""Named matrices: several runs, each with its axes, in one file.

A suite of the package has an id, such as `standard-5`, and is frozen: whoever changes what it runs gives it a
new id, so that two people who ran a suite of one id ran the same.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import UserError, unknown_name
from bench.plan.axes import AXES
from bench.plan.doors import SUITE
from bench.plan.spec import RunSpec, read_options
from bench.store.digests import digest
from bench.store.folders import expanded
from bench.store.reading import read_text
from bench.store.reasons import reason

FOLDER = Path(__file__).resolve().parent


def names() -> dict[str, str]:
    """List the suites that come with the package, and the id and the first line of each."""
    return {name: _about(name) for name in _packaged()}


def frozen(name: str) -> tuple[str, str]:
    """The id of a suite, and a digest of what it runs: the same digest whatever its comments say.

    Args:
        name: The name of a suite, or the path of a TOML file.

    Returns:
        The id, empty where the file states none, and a digest in hex.

    Raises:
        UserError: The suite does not exist or is damaged.
    """
    identity, runs = _read(name)
    return identity, digest("suite", runs)


def load(name: str, given: Mapping[str, Any]) -> list[RunSpec]:
    """The runs of a suite.

    Args:
        name: The name of a suite, or the path of a TOML file with `[[run]]` tables of options.
        given: Fields of `RunSpec` that take the place of what the suite says, in all of its runs.

    Raises:
        UserError: The suite does not exist or is damaged, or a run of it has an option that does not exist or
            a value that does not fit, or does not say what has to be said.
    """
    _, runs = _read(name)
    return [_spec(run, given, f"suite {name}, run {number}") for number, run in enumerate(runs, 1)]


def _read(name: str) -> tuple[str, list[dict[str, object]]]:
    """The id of a suite, or an empty one, and its `[[run]]` tables, as they stand there."""
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
    runs, identity = document.pop("run", None), document.pop("id", "")
    included = document.pop("include", [])
    if not isinstance(included, list) or not all(other in _packaged() for other in included):
        raise UserError(f"suite {name}: include must be a list of suites of 'bench list suites'.")
    if document or not isinstance(identity, str) or not _is_runs(runs):
        raise UserError(f"suite {name} must be [[run]] tables and nothing else; see docs/running.md.")
    return identity, [*(run for other in included for run in _read(other)[1]), *runs]


def _is_runs(runs: object) -> bool:
    return isinstance(runs, list) and bool(runs) and all(isinstance(run, dict) for run in runs)


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


def _packaged() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def _about(name: str) -> str:
    first = (FOLDER / f"{name}.toml").read_text(encoding="utf-8").splitlines()[0]
    return f"{first.removeprefix('# ')} ({frozen(name)[0]})"
