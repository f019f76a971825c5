"""A second step in a run: cells of its own, distances in the record, clusterers alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.attack.second_step import CANDIDATES, SecondStep
from bench.errors import UserError
from bench.experiment.session import RunResult

Run = Callable[..., RunResult]


def test_both_are_cells_of_their_own_and_the_distances_are_in_the_record(run: Run) -> None:
    result = run(
        defenses=("noise",), second_steps=("none", "assign"), levels=("oblivious", "adaptive", "oracle")
    )
    assert not result.faults
    plain, assigned = (
        [record for record in result.records if record.options == options]
        for options in ({}, {"second_step": "assign"})
    )
    assert len(plain) == len(assigned) == 3 and len({record.cell for record in result.records}) == 6
    for before, after in zip(plain, assigned, strict=True):
        further: dict[str, Any] = {
            name: value for name, value in after.calibrated.items() if name not in before.calibrated
        }
        assert set(further) == {"second_step.join", "second_step.merge"}
        step = SecondStep(further["second_step.join"], further["second_step.merge"])
        assert step in CANDIDATES
        if before.level != "oracle":
            assert before.calibrated == {name: after.calibrated[name] for name in before.calibrated}
    rates = {record.level: record.metrics["cfr"].value for record in assigned}
    assert rates["oracle"] == max(rates.values())  # type: ignore[type-var]
    assert assigned[1].own_cloaks["cfr"].value >= plain[1].own_cloaks["cfr"].value  # type: ignore[operator]


def test_a_second_step_follows_a_clusterer_and_no_other_attacker(run: Run) -> None:
    result = run(attackers=("dbscan", "knn"), scenario="linked", second_steps=("assign",))
    assert [record.status for record in result.records] == ["ok", "skipped"]
    assert "a second step follows a clusterer" in str(result.records[1].error)
    with pytest.raises(UserError, match=r"'knn' is an identifier. Leave --second-step out"):
        run(attackers=("knn",), scenario="linked", second_steps=("assign",))
    with pytest.raises(UserError, match=r"no second step 'asign'. Did you mean 'assign'"):
        run(second_steps=("asign",))
