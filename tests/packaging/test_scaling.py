"""What docs/large-matrix.md says of its tables is what the record says."""

from __future__ import annotations

import scaling_tables


def test_two_processes_are_faster_than_one_and_one_is_slower_than_none() -> None:
    seconds = scaling_tables.record("measured")["seconds"]
    assert seconds["processes:2"] < seconds["local"] < seconds["processes:1"]


def test_few_workers_share_the_work_and_beyond_fifty_little_is_gained() -> None:
    for scene, hours in scaling_tables.curves().items():
        assert hours["1"] / hours["10"] > 8, scene
        assert hours["50"] / min(hours.values()) < 1.25, scene
    alone, *delayed = scaling_tables.curves().values()
    assert all(slow[n] >= alone[n] for slow in delayed for n in alone)
