"""Help texts name what there is: all of it, and nothing else."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer.main

from bench.board import render, views
from bench.board.curves import AXES
from bench.charts.names import NAMES, PAPER
from bench.cli import app
from bench.cli.board import formats
from bench.cli.cache import ACTIONS
from bench.cli.plan import FORMATS
from bench.errors import UserError
from bench.exports import formats as exports
from bench.inventory.kinds import KINDS
from bench.machine.devices import PRECISIONS, device
from bench.plan.scenarios import CLEAN, CLOAK_DETECTORS, LEVELS, SCENARIOS, SECOND_STEPS
from bench.plan.spec import RunSpec
from bench.plan.words import either
from bench.types import BUDGETS

GROUP: Any = typer.main.get_command(app)
COMMANDS: dict[str, Any] = GROUP.commands
BUDGET_FORMS = [*(kind.form for kind in BUDGETS.values()), "unbounded"]
SPEC = RunSpec(defenses=("none",), attackers=("dbscan",))
DEVICES = ("auto", "cpu", "cuda", "cuda:N")

LISTS = {
    "cache action": ACTIONS,
    "list kind": KINDS,
    "run scenario": SCENARIOS,
    "manifest scenario": SCENARIOS,
    "run labelled": CLEAN,
    "manifest labelled": CLEAN,
    "run budget": BUDGET_FORMS,
    "run level": LEVELS,
    "run second_step": SECOND_STEPS,
    "run cloak_detector": CLOAK_DETECTORS,
    "run precision": PRECISIONS,
    "run device": DEVICES,
    "verify device": DEVICES,
    "board kind": formats(),
    "score scenario": SCENARIOS,
    "score labelled": CLEAN,
    "score budget": BUDGET_FORMS,
    "score level": LEVELS,
    "score second_step": SECOND_STEPS,
    "score cloak_detector": CLOAK_DETECTORS,
    "score precision": PRECISIONS,
    "score device": DEVICES,
    "board view": views.names(),
    "figure name": [*NAMES, PAPER],
    "export to": exports.names(),
    "curve kind": render.names(),
    "curve axis": AXES,
    "compare kind": render.names(),
    "gate kind": ("json", "md", "text"),
    "validate kind": ("json", "text"),
}
LISTS |= {where.replace("run ", "plan "): names for where, names in LISTS.items() if where.startswith("run ")}
LISTS["plan kind"] = FORMATS
"""Verb and parameter -> the names that its help text lists."""
PROSE = {
    "cache to": "a folder, or s3://BUCKET/FOLDER",
    "board documentation": "a file beside it, or https://…",
    "curve out": "curve.png or curve.svg",
    "figure out": "frontier.svg, .pdf or .png",
    "gate defense": "name to gate, or one variant as printed",
    "fetch origins": "a file, a folder or an address",
    "run detector": "own (what the encoder's card names) or a name of bench list detectors",
    "run suite": "a name, or a TOML file",
    "run surrogate": "a name, or a+b for several at once",
    "score detector": "own (what the encoder's card names) or a name of bench list detectors",
    "score surrogate": "none, a name, or a+b for several at once",
}
PROSE |= {where.replace("run ", "plan "): words for where, words in PROSE.items() if where.startswith("run ")}
"""Verb and parameter -> alternatives in its help text that are no names."""


def alternatives(text: str) -> list[str]:
    """The names of the last list `a, b or c` in a text, without remarks in brackets and forms of NAME."""
    plain = re.sub(r" \([^)]*\)|NAME or NAME", "", text)
    lists = re.findall(r"((?:[\w:.=-]+, )*[\w:.=-]+,? or [\w:.=-]+)", plain)
    return re.split(r",? or |, ", lists[-1]) if lists else []


TEXTS = {
    f"{verb} {parameter.name}": parameter.help or ""
    for verb, command in COMMANDS.items()
    for parameter in command.params
    if parameter.name != "help"
}


def test_a_list_in_a_sentence_is_read() -> None:
    assert alternatives("the way: linf:N (of 255), ssim:X or unbounded; else linf:8") == [
        "linf:N",
        "ssim:X",
        "unbounded",
    ]
    assert alternatives("as for 'bench run'") == []
    assert [either("a"), either("ab"), either("abc")] == ["a", "a or b", "a, b or c"]


@pytest.mark.parametrize("where", LISTS)
def test_a_list_of_names_is_whole(where: str) -> None:
    assert alternatives(TEXTS[where]) == [str(name) for name in LISTS[where]]


def test_every_other_list_is_prose() -> None:
    lists = {where for where, text in TEXTS.items() if alternatives(text)}
    assert sorted(lists - LISTS.keys()) == sorted(PROSE)
    assert not [where for where, words in PROSE.items() if words not in TEXTS[where]]


@pytest.mark.parametrize("where", [where for where in LISTS if where.startswith("run ")])
def test_the_stated_default_is_the_default(where: str) -> None:
    option = where.partition(" ")[2]
    stated = TEXTS[where].rpartition("; else ")[2]
    default = getattr(SPEC, option, None) or getattr(SPEC, f"{option}s")[0]
    assert stated == str(default)


@pytest.mark.parametrize("name", [name for name in DEVICES if name != "cuda:N"])
def test_every_device_is_a_device(name: str) -> None:
    try:
        assert device(name)
    except UserError as error:
        assert "finds no CUDA device" in str(error)


@pytest.mark.parametrize("verb", COMMANDS)
def test_the_examples_of_a_verb_can_be_typed(verb: str) -> None:
    examples = re.findall(r"^Example: bench (.*)$", COMMANDS[verb].help, re.M)
    assert examples
    for example in examples:
        name, *words = shlex.split(example.partition(" > ")[0])
        assert name == verb
        COMMANDS[verb].make_context(verb, words)
