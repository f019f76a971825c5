"""Clusterers in a run: what each was tuned to, or told, is in the record; all run on one embedding."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench import registry
from bench.experiment.session import RunResult
from bench.records.record import CellRecord


@pytest.mark.parametrize("attacker", ["kmeans", "spectral"])
def test_an_oracle_is_told_how_many_people_are_in_the_collection(
    one: Callable[..., CellRecord], attacker: str
) -> None:
    # Two users and two in the background; calibration people are not in the collection.
    record = one(attackers=(attacker,))
    assert record.calibrated is not None and record.calibrated["people"] == 4
    assert record.attacker.parameters["people"] is None
    clusters = record.metrics["clusters"].value
    assert clusters is not None and clusters <= 4


def test_others_are_told_nothing(one: Callable[..., CellRecord]) -> None:
    record = one(attackers=("components",))
    assert record.calibrated is not None and "people" not in record.calibrated


def test_every_clusterer_runs_on_the_same_embeddings(run: Callable[..., RunResult]) -> None:
    names = tuple(
        name for name in registry.names("attackers") if hasattr(registry.load("attackers", name), "cluster")
    )
    result = run(attackers=names)
    assert not result.faults
    assert [record.attacker.name for record in result.records] == list(names)
    # Every threshold that was tuned is in the record; only presets and oracles have none.
    for record in result.records:
        tuned = {k for k, v in record.attacker.parameters.items() if v is None}
        assert record.calibrated is not None and not {k for k in tuned if record.calibrated[k] is None}
