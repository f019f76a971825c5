"""Suites: files of runs, read strictly."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from bench import registry
from bench.adaptations.names import ADAPTATIONS
from bench.errors import UserError
from bench.faces.finder import detector_parameters
from bench.plan import suites
from bench.plan.resolve import resolve
from bench.store.folders import folders


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return str(path)


FROZEN: dict[str, str] = {
    "paper-5": "e2b23478df8b2d4a414fb0866fca3eed5019476f945e8797297349ef534889c6",
    "quick-1": "0dd4035c6992c764c81cd6a44c10d4f81beea35b76781f050a6ead4937d9139a",
    "roster-1": "5ea9b1ae1e0bdf1dbda5193b1d84d10fed9714085042d0f257753d82f676ff95",
    "standard-5": "85231d33a1e0c6435a53050f535cff8e476ec71cd255913d41a263c5d3624818",
}
"""Id of a suite -> a digest of what it runs. A suite that changes gets a new id, and a new line here."""


def test_a_suite_of_an_id_never_changes() -> None:
    assert dict(map(suites.frozen, suites.names())) == FROZEN


def test_comments_change_no_digest_and_cells_do(tmp_path: Path) -> None:
    text = 'id = "mine-1"\n[[run]]\ndefense = ["none"]\nattacker = ["dbscan"]\n'
    before = suites.frozen(written(tmp_path, text))
    assert before[0] == "mine-1"
    assert suites.frozen(written(tmp_path, "# why\n" + text)) == before
    assert suites.frozen(written(tmp_path, text.replace("dbscan", "hdbscan")))[1] != before[1]


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


def test_every_defense_is_in_the_roster_and_at_its_published_budget() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "defenses.md").read_text("utf-8")
    met: dict[str, set[str]] = {}
    for spec in suites.load("roster", {}):
        for defense in spec.defenses:
            met.setdefault(str(defense).partition(":")[0], set()).update(spec.budgets)
    assert sorted(met) == registry.names("defenses")
    for name, budgets in met.items():
        section = re.search(rf"^### {re.escape(name)}\n(.*?)(?=^##)", page + "\n## ", re.S | re.M)
        assert section
        assert set(re.findall(r"`(?:--budget )?((?:linf|dssim):[\d.]+)`", section.group(1))) <= budgets


def test_every_tuned_clusterer_meets_every_adaptation_in_the_paper_suite() -> None:
    kinds = {name: registry.load("attackers", name) for name in registry.names("attackers")}
    tuned = {
        name
        for name, kind in kinds.items()
        if hasattr(kind, "cluster") and not kind.card.oracle and not kind.card.source.startswith("preset of ")
    }
    met = {
        (attacker, adaptation)
        for spec in suites.load("paper", {})
        if spec.scenario == "introduced" and "adaptive" in spec.levels
        for attacker, adaptation in product(spec.attackers, spec.adaptations)
    }
    assert {(attacker, adaptation) for attacker in tuned for adaptation in ADAPTATIONS} <= met


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
        ('id = 3\n[[run]]\ndefense = ["none"]\n', r"must be \[\[run\]\] tables"),
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


def test_a_suite_may_include_another(tmp_path: Path) -> None:
    text = 'include = ["quick"]\n[[run]]\ndefense = ["none"]\nattacker = ["dbscan"]\n'
    *included, last = suites.load(written(tmp_path, text), {})
    assert included == suites.load("quick", {})
    assert last.attackers == ("dbscan",)
    for wrong in ('include = ["quack"]\n', 'include = "quick"\n', "include = [[1]]\n"):
        with pytest.raises(UserError, match="include must be a list of suites"):
            suites.load(written(tmp_path, text.replace('include = ["quick"]\n', wrong)), {})
