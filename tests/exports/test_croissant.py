"""Croissant: what is described is what lies beside the description, and MLCommons' own reader takes it."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import registry
from bench.errors import UserError
from bench.exports.formats import croissant, files
from bench.exports.source import CLOCK, read
from bench.records.record import Named
from bench.types import Folders

Plant = Callable[..., Path]
SMALL: dict[str, Any] = {"people": 3, "photos_each": 2, "hardness": 0.6, "population": "benchmark"}
MANIFEST = "part,person,sha256\n" + "".join(
    f"{part},{person},{hashlib.sha256(str(person).encode()).hexdigest()}\n"
    for person, part in enumerate(("released", "training_crowd", "background"))
)
HOSTILE = 'x"\\\n\u202e<script>\uffff'


def faces(digest: str | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "found": [True, False],
        "dataset": Named(name="synthetic", parameters=SMALL | changes, digest=digest),
    }


def lfw(name: str = "lfw") -> dict[str, Any]:
    return {"found": [True, False], "dataset": Named(name=name, digest="d" * 64)}


def with_manifest(folder: Path, content: str = MANIFEST) -> Path:
    (folder / "manifest.csv").write_text(content, "utf-8")
    return folder


def written(folder: Path, *paths: Path) -> Path:
    for name, content in files("croissant", read(paths)).items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


@pytest.fixture
def both(plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The descriptions of the faces and of a manifest."""
    monkeypatch.setenv(CLOCK, "1700000000")
    return written(tmp_path / "out", with_manifest(plant("run", faces())))


def described(folder: Path) -> tuple[dict[str, Any], bytes]:
    description = json.loads((folder / "croissant.json").read_text("utf-8"))
    (file,) = description["distribution"]
    return description, (folder / file["contentUrl"]).read_bytes()


@pytest.mark.parametrize("name", ["faces", "manifest"])
def test_a_description_is_of_the_table_beside_it(both: Path, name: str) -> None:
    description, table = described(both / name)
    (file,) = description["distribution"]
    assert file["sha256"] == hashlib.sha256(table).hexdigest()
    assert file["contentSize"] == f"{len(table)} B"
    (rows,) = description["recordSet"]
    head = next(csv.reader(table.decode().splitlines()))
    assert [field["source"]["extract"]["column"] for field in rows["field"]] == head
    assert description["datePublished"] == "2023-11-14"
    assert description["conformsTo"][0] == "http://mlcommons.org/croissant/1.1"
    for statement in ("dataCollection", "personalSensitiveInformation", "dataBiases", "dataLimitations"):
        assert description[f"rai:{statement}"]


def test_the_listing_has_every_face_with_its_digest(both: Path) -> None:
    _, table = described(both / "faces")
    rows = list(csv.DictReader(table.decode().splitlines()))
    data = registry.make("datasets", "synthetic:people=3,photos-each=2")[1].open(Folders(home=""))
    assert [row["photo"] for row in rows] == list(data.catalogue().photos)
    assert all(row["digest"] == data.digest(row["photo"]) for row in rows)
    assert len({row["person"] for row in rows}) == 3


def test_a_manifest_is_copied_to_the_byte(both: Path) -> None:
    assert described(both / "manifest")[1].decode() == MANIFEST


@pytest.mark.parametrize("name", ["faces", "manifest"])
def test_the_reader_of_mlcommons_finds_nothing_wrong(
    both: Path, name: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlcroissant = pytest.importorskip("mlcroissant", reason="needs the extra dev")
    monkeypatch.setenv("HOME", str(both))
    with caplog.at_level(logging.WARNING):
        data = mlcroissant.Dataset(str(both / name / "croissant.json"))
    assert not data.metadata.ctx.issues.report()
    assert "standard" not in caplog.text
    _, table = described(both / name)
    read_back = [
        {key.partition("/")[2]: value.decode() for key, value in row.items()} for row in data.records("rows")
    ]
    assert read_back == list(csv.DictReader(table.decode().splitlines()))


def test_another_revision_of_the_renderer_is_said(plant: Plant, tmp_path: Path) -> None:
    description, _ = described(written(tmp_path / "out", plant("run", faces(digest="f" * 64))) / "faces")
    assert f"another revision, {'f' * 64}" in description["description"]
    assert description["license"].endswith("LICENSE-2.0")


def test_photos_of_others_keep_their_owners_licence_and_texts_stay_texts(
    plant: Plant, tmp_path: Path
) -> None:
    description, _ = described(
        written(tmp_path / "out", with_manifest(plant("run", lfw(HOSTILE)))) / "manifest"
    )
    assert "remain their owners'" in description["license"]
    assert description["creator"]["name"] == "not stated"
    assert not {"\n", "\u202e", "\uffff"} & set(description["description"])


def test_several_are_told_apart_and_equal_ones_are_one(plant: Plant) -> None:
    one = with_manifest(plant("one", faces()))
    same = with_manifest(plant("same", faces(people=4)))
    other = with_manifest(plant("other", lfw()), MANIFEST.replace("training_crowd", "crowd"))
    folders = {name.partition("/")[0] for name in files("croissant", read([one, same, other]))}
    assert folders == {"faces-1", "faces-2", "manifest-1", "manifest-2"}


def test_records_without_a_data_set_to_describe_are_one_line(plant: Plant) -> None:
    with pytest.raises(UserError, match=r"neither of the built-in faces nor beside a manifest\.csv"):
        files("croissant", read([plant("run", lfw())]))


@pytest.mark.parametrize(
    "content", ["", "part,person,sha256\n", MANIFEST + "<script>\n", MANIFEST[:-9], "a,b\n1,2\n"]
)
def test_a_damaged_manifest_is_refused_by_name(plant: Plant, content: str) -> None:
    folder = with_manifest(plant("run", lfw()), content)
    with pytest.raises(UserError, match=r"manifest\.csv is no manifest of a run"):
        files("croissant", read([folder]))


@pytest.mark.parametrize("changes", [{"people": "x,y"}, {"people": 0}, {"evil": 1}])
def test_faces_that_there_cannot_be_are_refused(plant: Plant, changes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"(?i)synthetic"):
        files("croissant", read([plant("run", faces(**changes))]))


def test_a_listing_that_is_too_long_is_refused_before_it_is_made(plant: Plant) -> None:
    with pytest.raises(UserError, match=f"a listing has at most {croissant.MOST}"):
        files("croissant", read([plant("run", faces(people=1_000_000, photos_each=1000))]))
