"""The truth stays where it belongs: attackers see arrays, and faces as found in the released file."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import bench.faces.detect
import bench.recognition.observer
from bench import registry
from bench.channels import parse
from bench.experiment.pipeline import Pipeline
from bench.experiment.session import RunResult
from bench.faces.finder import detector_parameters
from bench.photos.decode import decode
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.plan.split import Split
from bench.store.cache import Cache
from bench.store.folders import folders
from bench.types import Album, Catalogue, Gallery, Image, PluginCard

Run = Callable[..., RunResult]
SHIFT = 20


class Renamed:
    """A data set with other names for people and photos, and the same pictures."""

    def __init__(self, data: Any) -> None:
        self._data, self.card = data, data.card

    def catalogue(self) -> Catalogue:
        raise AssertionError("nobody looks up who is who once the split is drawn")

    def digest(self, photo: str) -> str:
        return str(self._data.digest(_old(photo)))

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        found: list[bytes | Image] = self._data.read([_old(photo) for photo in photos])
        return found


def _new(photo: str) -> str:
    return f"zz-{photo[::-1]}"


def _old(photo: str) -> str:
    return photo.removeprefix("zz-")[::-1]


def test_other_names_change_nothing(small: RunSpec, bench_home: Path, tmp_path: Path, run: Run) -> None:
    spec = replace(small, defenses=("none", "noise"), attackers=("dbscan", "knn"), scenario="linked")
    before = run(defenses=spec.defenses, attackers=spec.attackers, scenario=spec.scenario).records
    # the same photos, so embeddings may come from the cache; attacks and cells must not
    shutil.copytree(bench_home / "cache", tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache" / "cell")
    with sqlite3.connect(tmp_path / "cache" / "rows.sqlite") as rows:
        rows.execute("DELETE FROM row WHERE stage = 'attack'")
    rows.close()
    asked = resolve(spec, folders(), detector_parameters(), "cpu")
    (parts,) = asked.splits
    groups: dict[str, Any] = {
        name: tuple(tuple(map(_new, person)) for person in getattr(parts, name))
        for name in ("released", "labelled", "calibration", "training", "reference", "background")
    }
    groups |= {"crowd": parts.crowd, "training_crowd": parts.training_crowd}
    renamed = replace(
        asked,
        data=Renamed(asked.data),
        splits=(Split(people=tuple(map(_new, parts.people)), **groups),),
    )
    after = Pipeline(renamed, folders(), Cache(tmp_path)).run()
    assert not any(record.cost.reused for record in after)
    assert [r.comparable() for r in after] == [r.comparable() for r in before]


@dataclass(frozen=True)
class Spy:
    """An attacker that writes down what it is given."""

    card: ClassVar[PluginCard] = PluginCard(summary="a spy", source="own")
    seen: ClassVar[list[Any]] = []

    def calibrated(self, *given: Any) -> Spy:
        self.seen.append(("calibrated", given))
        return self

    def cluster(self, *given: Any) -> Any:
        self.seen.append(("cluster", given))
        return np.zeros(len(given[0]), np.int64)


@dataclass(frozen=True)
class NamingSpy:
    """The same for an attacker that names people."""

    card: ClassVar[PluginCard] = Spy.card
    seen: ClassVar[list[Any]] = []

    def calibrated(self, *given: Any) -> NamingSpy:
        self.seen.append(("calibrated", given))
        return self

    def rank(self, probes: Any, gallery: Any, top: int) -> Any:
        self.seen.append(("rank", (probes, gallery, top)))
        return np.full((len(probes), top), -1, np.int64)


@pytest.fixture
def spies(monkeypatch: pytest.MonkeyPatch) -> None:
    makes = registry.make
    known: dict[str, Any] = {"spy": Spy, "naming-spy": NamingSpy}
    monkeypatch.setattr(
        "bench.registry.make",
        lambda kind, text: (text, known[text]()) if text in known else makes(kind, text),
    )
    Spy.seen.clear()
    NamingSpy.seen.clear()


@pytest.mark.usefixtures("spies")
def test_a_clusterer_sees_unit_vectors_and_nothing_else(run: Run) -> None:
    (record,) = run(attackers=("spy",), defenses=(lambda photos: photos,)).records
    assert record.status == "ok"
    (calibration,) = [given for what, given in Spy.seen if what == "calibrated"]
    vectors, people, objective = calibration
    assert vectors.shape == (24, vectors.shape[1])  # 6 people, 4 photos each
    assert sorted(np.unique(people)) == [0, 1, 2, 3, 4, 5]
    assert objective(people, people) == 1.0
    clustered = [given for what, given in Spy.seen if what == "cluster"]
    assert clustered
    for given in clustered:
        (embeddings,) = given  # nothing beside the vectors
        assert type(embeddings) is np.ndarray
        assert embeddings.dtype == np.float32
        assert embeddings.shape == (16, vectors.shape[1])  # 2 x 4 released, 2 x 4 background
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    shown = {row.tobytes() for given in clustered for row in given[0]}
    assert not shown & {row.tobytes() for row in vectors}  # who calibrates is in no other part


@pytest.mark.usefixtures("spies")
def test_an_identifier_gets_names_of_clean_photos_only(run: Run) -> None:
    (record,) = run(attackers=("naming-spy",), scenario="linked", defenses=(lambda photos: photos,)).records
    assert record.status == "ok"
    for probes, gallery, _ in (given for what, given in NamingSpy.seen if what == "rank"):
        assert type(probes) is np.ndarray
        assert isinstance(gallery, Gallery)
        # 2 users x 2 labelled, 2 background people x 4; as numbers
        assert sorted(gallery.people) == [0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]
        assert not {r.tobytes() for r in probes} & {r.tobytes() for r in gallery.embeddings}


def shifted(photo: Image) -> Image:
    """The picture moved to the right, the left edge repeated."""
    return np.concatenate([np.repeat(photo[:, :1], SHIFT, 1), photo[:, :-SHIFT]], axis=1)


def test_a_face_that_moved_is_found_where_it_went(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    cropped: list[tuple[bytes, Any]] = []
    crop = bench.recognition.observer.crop_face

    def watched(image: Image, face: Any, how: Any) -> Any:
        cropped.append((image.tobytes(), face))
        return crop(image, face, how)

    monkeypatch.setattr("bench.recognition.observer.crop_face", watched)
    moved: list[bytes] = []
    originals: list[Image] = []

    def moves(photos: list[Image]) -> list[Image]:
        originals.extend(photos)
        out = [shifted(photo) for photo in photos]
        moved.extend(photo.tobytes() for photo in out)
        return out

    result = run(defenses=(moves,), budgets=("unbounded",), dataset="synthetic:people=12,photos-each=5")
    (record,) = result.records
    assert record.status == "ok"
    observer = result.pipeline._observer
    faces = observer.finder.detector.detect(originals)
    before = {photo.tobytes(): face for photo, face in zip(originals, faces, strict=True)}
    used = dict(cropped)
    steps = []
    for photo, after in zip(originals, moved, strict=True):
        clean = before[photo.tobytes()]
        if clean is None or after not in used:
            continue
        steps.append(np.subtract(used[after].landmarks, clean.landmarks).mean(0))
    assert len(steps) >= 6  # of 8
    # the detector's own error is a few pixels in one photo; a leaked landmark would not have moved at all
    np.testing.assert_allclose(np.median(steps, axis=0), [SHIFT, 0], atol=2)
    np.testing.assert_allclose(steps, [[SHIFT, 0]] * len(steps), atol=8)


def test_the_channel_comes_before_detection(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    class Watched(bench.faces.detect.Detector):
        def detect(self, photos: Sequence[Image], boxes: Any = ()) -> Any:
            seen.extend(photo.tobytes() for photo in photos)
            return super().detect(photos, boxes)

    monkeypatch.setattr("bench.faces.detect.Detector", Watched)
    result = run(defenses=(lambda photos: [255 - p for p in photos],), channels=("jpeg:31",))
    cell = result.pipeline.plan.cells[0]
    for file in result.pipeline._repetitions[0].publisher.release(cell.cloaking).files:
        released = decode(file)
        assert parse("jpeg:31")(released).tobytes() in seen


def test_a_defense_gets_a_user_at_a_time_and_no_names(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    albums: list[Album] = []
    kits: list[Any] = []

    @dataclass(frozen=True)
    class Watching:
        card: ClassVar[PluginCard] = PluginCard(summary="watches", source="own")

        def cloak(self, given: Sequence[Album], kit: Any) -> list[list[Image | None]]:
            albums.extend(given)
            kits.append(kit)
            return [list(album.photos) for album in given]

    makes = registry.make
    monkeypatch.setattr(
        "bench.registry.make",
        lambda kind, text: (text, Watching()) if text == "watching" else makes(kind, text),
    )
    result = run(defenses=("watching",), seed=7)
    assert result.records[0].status == "ok"
    assert [len(album.photos) for album in albums] == [4, 4]
    people = set(result.pipeline.plan.splits[0].people)
    assert not any(name in repr((album.digests, album.faces)) for album in albums for name in people)
    own = {digest for album in albums for digest in album.digests}
    assert not own & set(kits[0].reference.digests)
    assert len(kits[0].reference.photos) <= 2
