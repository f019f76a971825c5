"""What docs/large-matrix.md says of its tables is what the record says."""

from __future__ import annotations

import json

import scaling_tables


def test_two_processes_are_faster_than_one_and_one_is_slower_than_none() -> None:
    seconds = scaling_tables.record("measured")["seconds"]
    assert seconds["processes:2"] < seconds["local"] < seconds["processes:1"]


def test_fifty_workers_share_the_work_and_beyond_a_hundred_nothing_is_gained() -> None:
    for scene, hours in scaling_tables.curves().items():
        assert hours["1"] / hours["10"] > 8, scene
        assert hours["100"] / min(hours.values()) < 1.1, scene
    alone, stored, straggling = scaling_tables.curves().values()
    for hours in (alone, stored):
        assert alone["1"] / 50 / hours["50"] > 0.75
    assert straggling["50"] > 1.5 * stored["50"]
    assert all(slow[n] >= alone[n] for slow in (stored, straggling) for n in alone)


def test_a_million_photos_are_mostly_embeddings() -> None:
    plan = scaling_tables.of_a_million()
    assert plan.embedding > 10 * (plan.seeing + plan.attacking)
    assert 45 < plan.attacking / 30 / 4 * 3600 < 75  # seconds of one clusterer through one encoder
    assert plan.stored > plan.held + plan.beside
    record = json.loads(
        (scaling_tables.RECORD.parents[1] / "performance" / "benchmarks.json").read_text("utf-8")
    )
    assert record["machine"]["threads"] == scaling_tables.CORES


def test_work_grows_with_photos_and_encoders() -> None:
    one, more = scaling_tables.of_a_million(10**5, 3), scaling_tables.of_a_million()
    assert round(more.embedding / one.embedding) == 100
    assert round(more.seeing / one.seeing) == 10
    assert round(more.stored / one.stored) == 100
