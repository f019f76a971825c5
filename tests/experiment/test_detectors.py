"""A cell's attacker finds faces with its own detector, and is judged by it; the defense is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.board.tracks import conditions, tracks
from bench.experiment.session import RunResult
from bench.faces import detectors
from bench.faces.detections import Detections, no_faces
from bench.faces.detector_model import DetectorModel, FaceSearch
from bench.photos.decode import decode
from bench.records import CellRecord
from bench.types import Folders, Image

Run = Callable[..., RunResult]
NAME = "half-blind"


def blind_for(photo: Image) -> bool:
    """Half of all photos, by their content."""
    return int(photo[::7, ::5].sum()) % 2 == 1


class HalfBlind(DetectorModel):
    """MTCNN on some photos, and nothing on the others."""

    name = NAME
    about = "of this test"

    def constants(self) -> dict[str, Any]:
        return {"weights": {}}

    @property
    def module(self) -> str:
        return detectors.lookup("mtcnn").module

    def load(self, folders: Folders, device: str) -> FaceSearch:
        usual = detectors.lookup("mtcnn").load(folders, device)

        class Search:
            def faces(self, photo: Image, smallest: float) -> Detections:
                return no_faces() if blind_for(photo) else usual.faces(photo, smallest)

        return Search()


@pytest.fixture(autouse=True)
def one_more(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    models = {name: detectors.lookup(name) for name in detectors.names()} | {NAME: HalfBlind()}
    monkeypatch.setattr(detectors, "_models", lambda: models)
    yield


def both(run: Run, home: Path, **changes: Any) -> tuple[CellRecord, CellRecord]:
    """The cell of the usual detector and that of another, of one run."""
    result = run(home, detectors=(NAME, "own"), **changes)
    assert not result.faults
    other, usual = result.records
    assert (other.detector.name, usual.detector.name) == (NAME, "mtcnn")
    return usual, other


def test_each_cell_is_judged_by_its_own_detector(run: Run, tmp_path: Path) -> None:
    result = run(tmp_path, detectors=(NAME,))
    (alone,) = result.records
    plan = result.pipeline.plan
    released = plan.data.read([photo for person in plan.splits[0].released for photo in person])
    missed = sum(blind_for(decode(photo)) for photo in released)
    assert 0 < missed < 8
    assert alone.outcomes == {"not_detected": missed, "ok": 8 - missed}
    usual, other = both(run, tmp_path)  # the home has the other's faces by now, and no cell takes them
    assert usual.outcomes == {"ok": 8}
    assert other.comparable() == alone.comparable()
    assert other.cell != usual.cell
    # the photos that the attacker holds are seen by the same eyes, and those of a defense are not
    assert set(other.unused) - set(usual.unused) == {"released", "background", "calibration", "crowd"}
    assert other.unused["released"] == {"no face was found": missed}


def test_the_defense_gets_the_faces_of_its_own_detector(run: Run, tmp_path: Path) -> None:
    usual, other = both(run, tmp_path, defenses=("pixelate",), budgets=("unbounded",))
    assert usual.outcomes.get("cloak_failed", 0) == other.outcomes.get("cloak_failed", 0) == 0
    assert usual.perceptual == other.perceptual
    for record in (usual, other):
        assert record.publisher_detector == usual.detector


def test_cells_of_two_detectors_are_compared_and_told_apart(run: Run, tmp_path: Path) -> None:
    usual, other = both(run, tmp_path)
    assert len(set(tracks([usual, other]).values())) == 1
    told = conditions([usual, other])
    assert told[usual.cell] == "dbscan / synth-ir"
    assert told[other.cell] == f"dbscan / synth-ir / {NAME}"


def test_an_older_record_has_one_detector_for_both(run: Run, tmp_path: Path) -> None:
    (record,) = run(tmp_path).records
    older = record.model_dump(mode="json", exclude={"publisher_detector"})
    assert CellRecord.model_validate(older) == record
    changed = record.publisher_detector.model_copy(update={"parameters": {"min_face": 20}})  # type: ignore[union-attr]
    another = record.model_copy(update={"cell": "another", "publisher_detector": changed})
    assert len(set(tracks([record, another]).values())) == 2


@pytest.mark.parametrize("adaptation", ["head", "finetune:steps=2", "views"])
def test_what_an_attacker_learns_it_learns_from_the_faces_that_it_finds(
    run: Run, tmp_path: Path, adaptation: str
) -> None:
    usual, other = both(run, tmp_path, defenses=("noise",), adaptations=(adaptation,))
    alone = run(tmp_path / "alone", defenses=("noise",), adaptations=(adaptation,), detectors=(NAME,)).records
    assert other.comparable() == alone[0].comparable()
    assert other.outcomes != usual.outcomes


def test_the_order_of_detectors_changes_nothing(run: Run, tmp_path: Path) -> None:
    first = both(run, tmp_path / "a")
    second = run(tmp_path / "b", detectors=("own", NAME)).records
    assert [record.comparable() for record in first] == [record.comparable() for record in second]
