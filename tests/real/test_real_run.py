"""The main job on real photos with real encoders: small, but nothing in it is a stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

import bench
from bench.records import CellRecord, Records
from bench.types import Folders

pytestmark = [pytest.mark.real, pytest.mark.slow]

SURROGATE, UNSEEN = "mobileface_v2", "mfn_espdl"


@pytest.fixture(scope="module")
def records(real_folders: Folders) -> Records:
    return bench.run(
        dataset="lfw",
        defense=["none", "noise", "advmask"],
        attacker=["dbscan", "knn"],
        scenario="linked",
        encoder=[SURROGATE, UNSEEN],
        surrogate=SURROGATE,
        users=8,
        labelled=3,
        background=60,
    )


def one(records: Records, defense: str, encoder: str, attacker: str) -> CellRecord:
    (found,) = (
        r
        for r in records
        if (r.defense.name, r.encoder.name, r.attacker.name) == (defense, encoder, attacker)
    )
    return found


def value(record: CellRecord, metric: str) -> float:
    figure = record.metrics[metric].value
    assert figure is not None
    return figure


@pytest.mark.parametrize("encoder", [SURROGATE, UNSEEN])
def test_clean_photos_form_clusters_and_are_named(records: Records, encoder: str) -> None:
    assert value(one(records, "none", encoder, "dbscan"), "cfr") >= 0.87  # 7 of 8 users
    assert value(one(records, "none", encoder, "knn"), "psr1") <= 0.1


@pytest.mark.parametrize("encoder", [SURROGATE, UNSEEN])
def test_noise_of_the_same_norm_protects_nobody_from_being_named(records: Records, encoder: str) -> None:
    assert value(one(records, "noise", encoder, "knn"), "psr1") <= 0.15


def test_a_white_box_cloak_breaks_clusters_and_names(records: Records) -> None:
    clustered = one(records, "advmask", SURROGATE, "dbscan")
    assert clustered.knowledge == "white-box"
    assert value(clustered, "cfr") == 0
    assert value(one(records, "advmask", SURROGATE, "knn"), "psr1") >= 0.8


def test_the_unseen_encoder_is_not_called_a_black_box_when_nobody_says_what_it_was_trained_on(
    records: Records,
) -> None:
    assert one(records, "advmask", UNSEEN, "dbscan").knowledge == "grey-box"


def test_the_budget_is_kept_and_every_photo_has_an_outcome(records: Records) -> None:
    for record in records:
        assert sum(record.outcomes.values()) == 80
        assert record.outcomes.get("out_of_budget", 0) == 0
        worst = record.perceptual["photo"]["linf"]["worst"]
        assert worst == (0 if record.defense.name == "none" else 8)


def test_records_name_no_person_and_no_place(records: Records, real_data: Path) -> None:
    text = records.to_json()
    people = [folder.name for folder in (real_data / "lfw").iterdir()]
    assert len(people) > 3000
    assert not [name for name in people if name in text]
    assert str(real_data) not in text
