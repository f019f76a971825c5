"""Suites: files of runs, read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.errors import UserError
from bench.faces.finder import detector_parameters
from bench.plan import suites
from bench.plan.resolve import resolve
from bench.store.folders import folders


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


def test_what_is_given_takes_precedence_in_every_run(tmp_path: Path) -> None:
    text = '[[run]]\ndefense = ["none"]\nusers = 9\n[[run]]\ndefense = ["noise"]\nlevel = ["oracle"]\n'
    first, second = suites.load(written(tmp_path, text), {"users": 4, "attackers": ("knn",)})
    assert (first.defenses, first.users, first.attackers) == (("none",), 4, ("knn",))
    assert (second.defenses, second.users, second.levels) == (("noise",), 4, ("oracle",))


def test_the_standard_suite_resolves() -> None:
    assert "standard" in suites.names()
    where = folders()
    small = {"dataset": "synthetic:people=60", "encoders": ("synth-ir", "synth-inc"), "users": 3}
    plans = [resolve(s, where, detector_parameters(), "cpu") for s in suites.load("standard", small)]
    cells = {cell.digest for each in plans for cell in each.cells}
    assert len(cells) > 200
    assert {str(each.spec.scenario) for each in plans} == {"introduced", "linked", "evasion", "poisoning"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[run]]\ndefence = ["none"]\n', "Did you mean 'defense'?"),
        ('[[run]]\ndefense = "none"\n', 'run 1: defense = "none" is not a list of at least one value'),
        ("[[run]]\nusers = [3]\n", r"run 1: users = \[3\] is not a whole number"),
        (
            '[[run]]\nattacker = ["dbscan"]\n',
            r'run 1 names no defense. Add defense = \["none"\] to it, or give --',
        ),
        (
            '[[run]]\ndefense = ["none"]\n',
            r'run 1 names no attacker. Add attacker = \["dbscan"\] to it, or give',
        ),
        ("defense = 1\n", r"must be \[\[run\]\] tables"),
        ("run = 3\n", r"must be \[\[run\]\] tables"),
        ("[[run]\n", "cannot be read"),
        ("", r"must be \[\[run\]\] tables"),
    ],
)
def test_a_damaged_suite_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        suites.load(written(tmp_path, text), {})
    assert "\n" not in str(caught.value)


def test_an_unknown_suite_names_the_nearest() -> None:
    with pytest.raises(UserError, match="Did you mean 'standard'"):
        suites.load("standart", {})
    with pytest.raises(UserError, match="no suite at"):
        suites.load("nowhere/mine.toml", {})
