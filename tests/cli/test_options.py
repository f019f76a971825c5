"""The options of the command line are made from the table of axes: all of them, checked, quick to list."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main

from bench.cli import app
from bench.cli.options import Verb
from bench.plan.axes import AXES, COMMAND
from bench.plan.doors import COMMAND_LINE

Command = Callable[..., Any]

VERSION_0_1 = {
    *("defense", "attacker", "suite", "dataset", "scenario", "encoder", "surrogate", "budget", "channel"),
    *("users", "photos", "labelled", "background", "dose", "level", "adaptation", "distractors", "seed"),
    *("draws", "device", "precision", "out", "preview", "json"),
}
"""Options of `bench run` that scripts rely on."""

WRONG = {
    str: ["", "  "],
    int: ["", "x", "0.5", "-1", "nan", "true"],
    float: ["", "x", "0", "1.5", "-1", "nan", "inf", "true"],
    Path: ["", " "],
}
"""Type of a row -> texts that no row of this type takes."""


def options(verb: str) -> dict[str, Any]:
    """Option as typed -> what click knows of it."""
    group: Any = typer.main.get_command(app)
    return {name: option for option in group.commands[verb].params for name in option.opts}


def test_no_option_was_lost() -> None:
    assert {name.removeprefix("--") for name in options("run")} >= VERSION_0_1
    assert {"dataset", "scenario", "users", "photos", "labelled", "background", "seed"} <= {
        name.removeprefix("--") for name in options("manifest")
    }


@pytest.mark.parametrize("option", [*AXES, *COMMAND])
def test_an_option_says_what_it_is_and_can_be_repeated_if_its_row_says_so(option: str) -> None:
    row, shown = (AXES | COMMAND)[option], options("run")[f"--{COMMAND_LINE.named(option)}"]
    assert row.about.replace("`", "") in shown.help
    assert "`" not in shown.help
    assert shown.multiple is row.repeatable


def test_manifest_has_the_options_that_decide_the_split() -> None:
    split = {f"--{COMMAND_LINE.named(option)}" for option, row in AXES.items() if row.of == "split"}
    assert set(options("manifest")) == split | {"--left-out", "--write", "--json"}


@pytest.mark.parametrize(
    "option", [name for name, row in (AXES | COMMAND).items() if row.kind.type is not bool]
)
def test_a_wrong_value_is_one_line(bench: Command, option: str, tmp_path: Path) -> None:
    row, typed = (AXES | COMMAND)[option], f"--{COMMAND_LINE.named(option)}"
    for text in WRONG[row.kind.type]:
        base = ["run", "--defense", "none", "--attacker", "dbscan"]
        if option in ("defense", "attacker"):
            del base[base.index(typed) : base.index(typed) + 2]
        said = bench(*base, typed, text, BENCH_HOME=tmp_path).one_line()
        assert typed in said
    assert list(tmp_path.iterdir()) == []  # nothing was begun


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_suite_is_refused(bench: Command, text: str) -> None:
    said = bench("run", "--suite", text, "--defense", "none", "--attacker", "dbscan").one_line()
    assert said.startswith("bench: --suite ")
    assert "is not the name of a suite, or a TOML file. Try --suite standard." in said


def test_manifest_checks_alike(bench: Command) -> None:
    assert "--users 0 is not a whole number of at least 1" in bench("manifest", "--users", "0").one_line()
    assert "--dataset '' is not a name" in bench("manifest", "--left-out", "--dataset", "").one_line()


def test_the_table_of_options_loads_no_heavy_library() -> None:
    script = "import sys, bench.cli.application, bench.plan.spec; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"numpy", "torch", "pandas", "pydantic", "scipy"} & set(done.stdout.split())


EMPTY = [
    ("board", ""),
    ("board", "records", "--out", ""),
    ("board", "records", "--out="),
    ("curve", "records", "--axis", "dose", "--out", " "),
    ("compare", "a", "b", "--records", ""),
    ("gate", "a", "--max-drop", "0.1", "--baseline", ""),
    ("list", ""),
    ("fetch", "lfw", "--from", ""),
    ("verify", "synth-ir", "--dataset", ""),
    ("verify", "synth-ir", "--out", ""),
    ("manifest", "--dataset", ""),
    ("manifest", "--write", " "),
    ("score", "--original", "a", "--cloaked", ""),
    ("run", "--out="),
]
"""Commands with an empty text, which once stood for the current folder, a default or everything."""


@pytest.mark.parametrize("words", EMPTY, ids=" ".join)
def test_no_verb_takes_an_empty_text(bench: Command, words: tuple[str, ...], tmp_path: Path) -> None:
    said = bench(*words, BENCH_HOME=tmp_path).one_line()
    options = [word.removesuffix("=") for word in words if word.startswith("--") and word != "--axis"]
    assert (options or ["an argument"])[-1] in said
    assert list(tmp_path.iterdir()) == []


def test_every_verb_with_texts_refuses_an_empty_one() -> None:
    # a new verb that takes a text is made from rows, or is a Verb
    group: Any = typer.main.get_command(app)
    assert not [
        name
        for name, command in group.commands.items()
        if not isinstance(command, Verb)
        and name not in ("run", "plan", "manifest")
        and any(not getattr(parameter, "is_flag", False) for parameter in command.params)
    ]
