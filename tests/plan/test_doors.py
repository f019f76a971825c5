"""Python and suites check every option alike: what a row does not take is told in one line."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from bench.errors import UserError
from bench.experiment.signature import ARGUMENTS
from bench.plan import suites
from bench.plan.axes import AXES, COMMAND
from bench.plan.doors import COMMAND_LINE, PYTHON, SUITE
from bench.plan.kinds import Number, Whole
from bench.plan.rows import Axis
from bench.plan.spec import RunSpec, read_options

LEAST = {
    "users": 1, "photos": 3, "labelled": 1, "background": 0, "distractors": 0, "seed": 0, "draws": 1,
}  # fmt: skip
"""Option -> the smallest whole number that it takes."""

ABOVE_AND_MOST = {"dose": (0, 1)}
"""Option -> what a number is above, and at most."""

VALUES: dict[str, Any] = {
    '""': "",
    '"  "': "  ",
    '"two\\nlines"': "two\nlines",
    '"0.5"': "0.5",
    "8": 8,
    "0": 0,
    "-1": -1,
    "0.5": 0.5,
    "1.5": 1.5,
    "nan": math.nan,
    "inf": math.inf,
    "true": True,
    "2026-01-01": datetime.date(2026, 1, 1),
    "{a = 1}": {"a": 1},
    "[]": [],
    "[8]": [8],
    "[0.5]": [0.5],
    "[0]": [0],
    "[true]": [True],
    '["none"]': ["none"],
    '["none", 8]': ["none", 8],
    '[""]': [""],
    "[[8]]": [[8]],
    "[nan]": [math.nan],
}
"""A value in TOML -> the same value in Python: every type that TOML has."""

OTHERS: list[Any] = [None, object(), b"none", {"none"}, np.bool_(True), 1j, [None], RunSpec]
"""What Python can hand over besides."""


def fits_one(row: Axis, value: object) -> bool:
    """Whether a value is one that a row takes, worked out without the table's own check."""
    if isinstance(row.kind, Whole):
        return type(value) is int and value >= LEAST.get(row.option, row.kind.least)
    if isinstance(row.kind, Number):
        above, most = ABOVE_AND_MOST.get(row.option, (row.kind.above, row.kind.most))
        return type(value) in (int, float) and above < cast(float, value) <= most
    return type(value) is str and value.strip() != ""


def fits(row: Axis, value: object) -> bool:
    """Whether a value, or a list of values, is one that a row takes."""
    if not row.repeatable:
        return fits_one(row, value)
    empty_is_fine = row.option in ("encoder", "surrogate")
    return isinstance(value, list) and all(fits_one(row, v) for v in value) and bool(value or empty_is_fine)


def suite(folder: Path, lines: str) -> str:
    path = folder / "mine.toml"
    path.write_text(f"[[run]]\n{lines}\n")
    return str(path)


def one_line(error: UserError, row: Axis) -> str:
    text = str(error)
    assert "\n" not in text
    assert len(text) < 300
    assert f"{row.option}" in text
    assert "Try " in text
    return text


@pytest.mark.parametrize("option", AXES)
def test_a_suite_takes_what_the_row_says_and_nothing_else(tmp_path: Path, option: str) -> None:
    row = AXES[option]
    others: dict[str, Any] = {"defenses": ("none",), "attackers": ("dbscan",)}
    others.pop(row.field, None)
    for text, given in VALUES.items():
        path = suite(tmp_path, f"{option} = {text}")
        if fits(row, given):
            (spec,) = suites.load(path, others)
            value = getattr(spec, row.field)
            assert value == (tuple(given) if row.repeatable else given)
            assert {type(item) for item in (value if row.repeatable else [value])} <= {row.kind.type}
        else:
            with pytest.raises(UserError) as caught:
                suites.load(path, others)
            said = one_line(caught.value, row)
            assert said.startswith(f"suite {path}, run 1: {option} = ")
            example = said.partition("Try ")[2].removesuffix(".")
            suites.load(suite(tmp_path, example), others)  # what it says to type is right


@pytest.mark.parametrize("option", AXES)
def test_python_takes_one_value_or_a_list_and_nothing_else(option: str) -> None:
    row = AXES[option]
    for given in VALUES.values():
        alone = row.repeatable and fits_one(row, given)
        if fits(row, given) or alone:
            read = read_options({option: given}, PYTHON)[row.field]
            assert read == ((given,) if alone else tuple(given) if row.repeatable else given)
        else:
            with pytest.raises(UserError) as caught:
                read_options({option: given}, PYTHON)
            said = one_line(caught.value, row)
            assert said.startswith(f"{option}=")
            example = eval(said.partition(f"Try {option}=")[2].removesuffix("."))
            read_options({option: example}, PYTHON)  # what it says to type is right


@pytest.mark.parametrize("option", ARGUMENTS)
def test_python_refuses_what_is_of_no_such_type(option: str) -> None:
    row = ARGUMENTS[option]
    for given in OTHERS:
        if (given is None and row.default is None) or (callable(given) and option == "defense"):
            read_options({option: given}, PYTHON, ARGUMENTS)
            continue
        with pytest.raises(UserError) as caught:
            read_options({option: given}, PYTHON, ARGUMENTS)
        one_line(caught.value, row)


def test_numbers_of_numpy_become_plain_ones() -> None:
    read = read_options({"users": np.int64(5), "dose": [np.float32(0.5), 1]}, PYTHON)
    assert read == {"users": 5, "doses": (0.5, 1.0)}
    assert [type(value) for value in (read["users"], *read["doses"])] == [int, float, float]


def test_a_number_that_no_float_holds_is_refused() -> None:
    with pytest.raises(UserError, match="is not a number above 0 and at most 1"):
        read_options({"dose": 10**400}, PYTHON)
    assert Number().read(0.25) == 0.25
    with pytest.raises(ValueError, match="inf"):
        Number().read(math.inf)


def test_a_long_value_is_cut_and_its_item_is_named() -> None:
    with pytest.raises(UserError) as caught:
        read_options({"dose": [0.5] * 1000 + [7.25]}, PYTHON)
    assert "…: 7.25 is not a number above 0 and at most 1" in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("changes", [{"doses": (0.5, 2.0)}, {"users": 0}, {"defenses": ()}, {"dataset": ""}])
def test_a_spec_is_never_wrong_whoever_makes_it(changes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="is not"):
        RunSpec(**changes)


@pytest.mark.parametrize("option", [name for name, row in COMMAND.items() if row.kind.type is Path])
def test_an_empty_path_is_not_the_current_folder(option: str) -> None:
    with pytest.raises(UserError, match=r"is not the path of a"):
        COMMAND[option].read("", PYTHON)
    assert COMMAND[option].read("here", PYTHON) == Path("here")


def test_an_option_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no option 'defence'\. Did you mean 'defense'\?"):
        read_options({"defence": ["none"]}, SUITE)


def test_a_name_of_two_words_is_typed_with_a_dash_and_written_with_an_underscore_elsewhere() -> None:
    assert COMMAND_LINE.write("second_step", "assign") == "--second-step assign"
    assert PYTHON.write("second_step", "assign") == "second_step='assign'"
    assert SUITE.write("second_step", ["assign"]) == 'second_step = ["assign"]'
