"""The table of costs, and that no result depends on it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.costs.carried import FILE, carried
from bench.costs.measured import Measured, Spent, keep, kept
from bench.costs.work import STAGES, Work
from bench.store.cache import Cache
from bench.store.code import closure

ONE = Measured(
    Work("cloak", {"defense": "pgd", "parameters": {"steps": 2}}),
    Spent(9, 4.5, 4.0),
    Spent(1, 2.0, 1.0),
    700.0,
    "cpu",
    "a processor",
)


def test_costs_come_back(tmp_path: Path) -> None:
    first, second = Cache(tmp_path), Cache(tmp_path)
    keep([ONE], first)
    keep([replace(ONE, machine="another")], second)
    assert sorted(kept(first), key=lambda one: one.machine) == [ONE, replace(ONE, machine="another")]
    first.close()
    second.close()


def test_the_most_recent_of_about_as_many_pieces_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    keep([ONE], cache)
    recent = replace(ONE, spent=Spent(10, 9.0, 9.0))
    many = replace(ONE, spent=Spent(1000, 300.0, 300.0))
    keep([recent, many], cache)
    assert sorted(one.spent.times for one in kept(cache)) == [10, 1000]
    cache.close()


def test_no_key_of_a_stage_holds_costs() -> None:
    modules = (
        *("bench.experiment.pipeline", "bench.recognition.observer", "bench.release.publisher"),
        *("bench.faces.finder", "bench.attack.asking", "bench.channels.denoiser"),
    )
    for module in modules:
        reached = closure(module)
        assert reached
        assert not [name for name in reached if name.startswith("bench.costs")]
        assert not reached & {"bench.store.only_reading", "bench.store.rows_to_read"}


def test_costs_of_another_machine_come_with_the_package() -> None:
    costs = carried("cpu")
    assert {one.work.kind for one in costs} <= set(STAGES)
    assert {"cloak", "detect", "embed", "attack"} <= {one.work.kind for one in costs}
    assert all(one.steady.times > 0 and one.steady.seconds >= 0 for one in costs)
    assert carried("cuda") == []
    assert json.loads(FILE.read_text())["source"].startswith("results/")


@pytest.mark.parametrize("defense", ["none", "pgd", "advmask", "advmask-universal"])
def test_defenses_of_the_committed_results_have_a_cost(defense: str) -> None:
    assert [one for one in carried("cpu") if one.work.noun.get("defense") == defense]
