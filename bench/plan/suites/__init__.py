"""Named matrices: several runs, each with its axes, in one file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bench.errors import UserError, unknown_name
from bench.plan.spec import RunSpec

FOLDER = Path(__file__).resolve().parent
_AXES = {
    "defense": "defenses",
    "attacker": "attackers",
    "encoder": "encoders",
    "surrogate": "surrogates",
    "budget": "budgets",
    "channel": "channels",
    "dose": "doses",
    "level": "levels",
    "adaptation": "adaptations",
}
"""Option of `bench run` -> field of RunSpec, where they are called otherwise. All are lists in a suite."""


def names() -> dict[str, str]:
    """The suites that come with the package, and the first line of each."""
    return {path.stem: _about(path) for path in sorted(FOLDER.glob("*.toml"))}


def load(asked: str, given: Mapping[str, Any]) -> list[RunSpec]:
    """The runs of a suite.

    Args:
        asked: a name, or the path of a TOML file with `[[run]]` tables of options.
        given: fields of RunSpec that take the place of what the suite says, in all of its runs.

    Raises:
        UserError: for a suite that does not exist, is damaged, or has an option that does not.
    """
    path = FOLDER / f"{asked}.toml"
    if not path.is_file():
        path = Path(asked)
    if path.suffix != ".toml" and not path.is_file():
        raise unknown_name("suite", asked, names(), command="bench list suites")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"no suite at {asked}. 'bench list suites' names those there are.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"suite {asked} cannot be read: {error}.") from error
    runs = document.pop("run", None)
    if document or not isinstance(runs, list) or not runs or not all(isinstance(r, dict) for r in runs):
        raise UserError(f"suite {asked} must be [[run]] tables and nothing else; see docs/running.md.")
    return [replace(_spec(run, asked), **given) for run in runs]


def _spec(run: Mapping[str, Any], asked: str) -> RunSpec:
    known = {field.name: field for field in fields(RunSpec)}
    options = {**{name: name for name in known if name not in _AXES.values()}, **_AXES}
    found: dict[str, Any] = {}
    for option, value in run.items():
        if option not in options:
            near = get_close_matches(option, options, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UserError(f"suite {asked} has an option {option!r}, and 'bench run' has none.{hint}")
        field = options[option]
        listed = isinstance(getattr(RunSpec(), field), tuple)
        if listed is not isinstance(value, list):
            takes = "a list" if listed else "one value"
            raise UserError(f"suite {asked}: {option} takes {takes}, not {value!r}.")
        found[field] = tuple(value) if listed else value
    return RunSpec(**found)


def _about(path: Path) -> str:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix("# ")
