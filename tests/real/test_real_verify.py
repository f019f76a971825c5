"""LFW's pairs and real encoders: floors that any working set-up reaches."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.registry import load
from bench.types import Folders
from bench.verification.pairs import pairs, read_list
from bench.verification.records import VerificationRecord
from bench.verification.verify import VerificationSpec, verify

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def records(real_folders: Folders) -> dict[str, VerificationRecord]:
    """A strong and a weak encoder on few pairs."""
    made = verify(VerificationSpec(("mfn_espdl", "mobileface_v3"), "lfw", pairs=300)).records
    return {record.encoder.name: record for record in made}


def test_the_real_list(real_data: Path) -> None:
    lines = read_list(real_data / "meta" / "pairs.txt")
    assert len(lines) == 6000
    assert sum(line.same for line in lines) == 3000
    assert [line.fold for line in lines] == sorted(line.fold for line in lines)
    assert (lines[0].first, lines[0].second) == ("Abel_Pacheco_0001", "Abel_Pacheco_0004")


def test_part_of_lfw_is_drawn_from(real_data: Path, tmp_path: Path) -> None:
    folders = Folders(home=str(tmp_path), real_data=str(real_data))
    found = pairs("lfw", load("datasets", "lfw")().open(folders).catalogue(), folders, 6000, 0)
    # 3,652 pairs have both photos here; one of them shows a photo known to be wrong
    assert (found.protocol, found.listed, found.available) == ("drawn", 6000, 3651)
    assert (int(found.same.sum()), int((~found.same).sum())) == (3000, 3000)


def test_the_list_is_used_where_all_its_photos_are(real_data: Path, tmp_path: Path) -> None:
    # a folder in which every photo of the list exists by name: what the protocol looks at
    folders = Folders(home=str(tmp_path / "home"), real_data=str(tmp_path))
    (tmp_path / "meta").mkdir()
    shutil.copy(real_data / "meta" / "pairs.txt", tmp_path / "meta")
    for line in read_list(real_data / "meta" / "pairs.txt"):
        for stem in (line.first, line.second):
            path = tmp_path / "lfw" / stem[:-5] / f"{stem}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    found = pairs("lfw", load("datasets", "lfw")().open(folders).catalogue(), folders, 6000, 0)
    assert (found.protocol, found.listed, found.available) == ("lfw-10-fold", 6000, 5999)
    assert found.note == "1 of LFW's 6,000 pairs left out: a photo is known to be mislabelled"


def test_encoders_tell_people_apart(records: dict[str, VerificationRecord]) -> None:
    strong, weak = records["mfn_espdl"].metrics, records["mobileface_v3"].metrics
    assert all(record.flags == [] for record in records.values())
    assert (strong["auc"].value or 0) > 0.99
    assert (weak["auc"].value or 0) > 0.96
    assert (strong["accuracy"].value or 0) > (weak["accuracy"].value or 1)
    assert (strong["tar_far_1e2"].value or 0) > (weak["tar_far_1e2"].value or 1)


def test_the_record_says_whose_pairs_they_are(records: dict[str, VerificationRecord]) -> None:
    record = records["mfn_espdl"]
    assert record.pairs == "drawn"
    assert record.notes == ["3,651 of LFW's 6,000 pairs have both photos here: not LFW's protocol"]
    assert record.counts["listed_pairs_available"] == 3651
    assert record.pairs_digest == records["mobileface_v3"].pairs_digest
