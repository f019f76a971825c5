"""A cell again: the same photos and embeddings as when it was computed, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest

import bench
from bench.charts.embedding import EmbeddingRow
from bench.errors import UserError
from bench.experiment.again import Again
from bench.machine.progress import Silent
from bench.records.record import CellRecord
from bench.site.pictures import map_of, pictures

pytestmark = pytest.mark.slow


@cache
def records() -> tuple[CellRecord, ...]:
    """Two users with four photos each, two others, and plug-ins with options that are not the usual."""
    return tuple(
        bench.run(
            dataset="synthetic:people=12,photos-each=6",
            encoder=["synth-ir"],
            device="cpu",
            users=2,
            photos=4,
            background=2,
            defense=["none", "noise:kind=uniform"],
            attacker=["dbscan:min-samples=2"],
            channel=["jpeg:75"],
        )
    )


@pytest.fixture
def again() -> Iterator[Again]:
    found = Again(records()[1], Silent())
    yield found
    found.close()


def test_a_cell_is_found_again_by_its_record(again: Again) -> None:
    moved = again.moved()
    assert moved.people.tolist() == [0] * 4 + [1] * 4
    assert len(moved.clean) == len(moved.released) == len(moved.clusters) == 8
    assert len(moved.background) == 8
    assert not np.array_equal(moved.clean.vectors, moved.released.vectors)
    pairs = again.pairs()
    assert {caption.split()[0] for caption, _, _ in pairs} == {"noise"}
    assert all(before.shape == after.shape and (before != after).any() for _, before, after in pairs)


def test_a_map_has_a_mark_for_every_face() -> None:
    rows: tuple[EmbeddingRow, ...] = map_of(records()[1], Silent()).table.rows
    when = [row.when for row in rows]
    assert when.count("before") <= 8
    assert {"before", "after", "background"} == {*when}
    assert {row.person for row in rows if row.when != "background"} == {0, 1}
    assert {row.cluster for row in rows if row.when != "after"} == {-1}


def test_a_record_of_something_else_is_refused_in_a_line() -> None:
    record = records()[1]
    rate = record.metrics["cfr"].model_copy(update={"value": 0.123, "low": None, "high": None})
    for changed, words in (
        ({"cell": "0" * 64}, "cannot be found again"),
        ({"protocol": "cloakbench/1"}, "is of cloakbench/1"),
        ({"metrics": record.metrics | {"cfr": rate}}, "and this machine computes"),
        ({"encoder": record.encoder.model_copy(update={"name": "gone"})}, "gone"),
    ):
        with pytest.raises(UserError, match=words) as refused:
            Again(record.model_copy(update=changed), Silent())
        assert "\n" not in str(refused.value)


def test_pictures_are_of_drawn_faces_that_a_defense_changed() -> None:
    none, noise = records()
    stranger = noise.model_copy(update={"cell": "0" * 64})
    made = pictures([none, noise, stranger], Silent())
    assert [len(made.maps), len(made.sheets), len(made.lacking)] == [2, 1, 1]
    assert made.sheets[0][1].startswith(b"\x89PNG")
