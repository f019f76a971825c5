"""`bench plan`: before anything is spent, and with the options of `bench run`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.main

from bench.cli import app

Command = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]
COMMANDS: Any = typer.main.get_command(app)


def test_a_plan_takes_every_option_of_a_run() -> None:
    run, plan = (
        {name for p in COMMANDS.commands[verb].params for name in p.opts} for verb in ("run", "plan")
    )
    assert plan - run == {"--format"}
    assert run <= plan


@pytest.mark.parametrize(
    "wrong",
    [
        ("--defense", "nois", "--attacker", "dbscan"),
        ("--defense", "none", "--attacker", "dbscan", "--users", "99"),
        ("--defense", "none", "--attacker", "knn"),
        ("--defense", "none"),
        ("--suite", "standart"),
    ],
)
def test_a_mistake_is_told_as_a_run_tells_it(
    bench: Command, small: tuple[str, ...], tmp_path: Path, wrong: tuple[str, ...]
) -> None:
    home = tmp_path / "home"
    planned = bench("plan", *small[:-6], *wrong, BENCH_HOME=home)
    assert not home.exists()
    assert planned.one_line() == bench("run", *small[:-6], *wrong, BENCH_HOME=home).one_line()


def test_a_format_that_is_none_is_told(bench: Command, small: tuple[str, ...]) -> None:
    done = bench("plan", *small, "--defense", "none", "--attacker", "dbscan", "--format", "jsn")
    assert "no format 'jsn'. Did you mean 'json'?" in done.one_line()


def test_a_plan_writes_nothing_also_where_a_run_would(
    bench: Command, small: tuple[str, ...], tmp_path: Path
) -> None:
    out, picture = tmp_path / "out", tmp_path / "preview.png"
    options = (*small, "--defense", "none", "--attacker", "dbscan", "--out", out, "--preview", picture)
    done = bench("plan", *options, "--json", BENCH_HOME=tmp_path / "home")
    document = json.loads(done.out)
    assert (done.status, document["cells"], document["device"]) == (0, 1, "cpu")
    assert {line["stage"] for line in document["estimate"]["lines"]} >= {"cloak", "detect and embed"}
    assert list(tmp_path.iterdir()) == []


def test_the_example_of_the_page_is_what_a_first_plan_prints(bench: Command, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "plan.md").read_text("utf-8")
    command, shown = re.findall(r"```\n\$ bench (.*?)\n(.*?)```", page, re.S)[0]
    done = bench(*command.split(), BENCH_HOME=tmp_path / "home")
    assert done.status == 0
    # the processor has a name of its own on every machine
    unnamed = re.sub(r"cpu \(.*?\):", "cpu:", done.out)
    assert unnamed == re.sub(r"cpu \(.*?\):", "cpu:", shown)
