"""Oracles among attackers: they are told the number of people, nothing else, and the record says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.records import CellRecord


@pytest.mark.parametrize("attacker", ["kmeans", "spectral"])
def test_an_oracle_is_told_how_many_people_are_in_the_collection(
    one: Callable[..., CellRecord], attacker: str
) -> None:
    # Two users and two in the background; calibration people are not in the collection.
    record = one(attackers=(attacker,))
    assert record.calibrated is not None and record.calibrated["people"] == 4
    assert record.attacker.parameters["people"] is None
    assert record.metrics["clusters"].value <= 4


def test_others_are_told_nothing(one: Callable[..., CellRecord]) -> None:
    record = one(attackers=("components",))
    assert record.calibrated is not None and "people" not in record.calibrated
