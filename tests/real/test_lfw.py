"""LFW from a folder: small trees in its layout, and the real photos where they are."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.photos.decode import decode
from bench.registry import load
from bench.types import Folders

Lfw = load("datasets", "lfw")


def tree(root: Path, photos: dict[str, bytes]) -> Path:
    for name, data in photos.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


PHOTOS = {
    "Zoe_A/Zoe_A_0001.jpg": b"z1",
    "Ann_B/Ann_B_0002.jpg": b"a2",
    "Ann_B/Ann_B_0001.jpg": b"a1",
}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    tree(tmp_path / "real" / "lfw", PHOTOS)
    return Folders(home=str(tmp_path / "home"), real_data=str(tmp_path / "real"))


def test_catalogue_is_sorted_and_names_the_person(folders: Folders) -> None:
    catalogue = Lfw().open(folders).catalogue()
    assert catalogue.photos == ("Ann_B/Ann_B_0001.jpg", "Ann_B/Ann_B_0002.jpg", "Zoe_A/Zoe_A_0001.jpg")
    assert catalogue.identities == ("Ann_B", "Ann_B", "Zoe_A")
    assert catalogue.left_out == {}


def test_files_are_read_in_the_order_asked(folders: Folders) -> None:
    data = Lfw().open(folders)
    assert data.read(["Zoe_A/Zoe_A_0001.jpg", "Ann_B/Ann_B_0001.jpg"]) == [b"z1", b"a1"]
    assert data.digest("Zoe_A/Zoe_A_0001.jpg") == hashlib.sha256(b"z1").hexdigest()


def test_revision_changes_with_any_photo(folders: Folders) -> None:
    before = Lfw().open(folders).card.revision
    assert Lfw().open(folders).card.revision == before
    root = Path(str(folders.real_data)) / "lfw"
    tree(root, {"Ann_B/Ann_B_0001.jpg": b"another"})
    changed = Lfw().open(folders).card.revision
    tree(root, {"Ann_B/Ann_B_0003.jpg": b"a3"})
    assert len({before, changed, Lfw().open(folders).card.revision}) == 3


def test_revision_does_not_depend_on_where_the_folder_is(folders: Folders, tmp_path: Path) -> None:
    tree(tmp_path / "elsewhere" / "data" / "lfw", PHOTOS)
    moved = Lfw().open(Folders(home=str(tmp_path / "elsewhere")))
    assert moved.card == Lfw().open(folders).card


def test_files_that_are_no_photos_of_that_person_are_not_listed(folders: Folders) -> None:
    tree(
        Path(str(folders.real_data)) / "lfw",
        {"Ann_B/notes.txt": b"", "Ann_B/Zoe_A_0001.jpg": b"", "x.jpg": b""},
    )
    assert len(Lfw().open(folders).catalogue().photos) == 3


def test_suspicious_photos_are_left_out_with_the_reason(folders: Folders) -> None:
    name = "Nicole_Kidman/Nicole_Kidman_0019.jpg"
    tree(Path(str(folders.real_data)) / "lfw", {name: b"n"})
    catalogue = Lfw().open(folders).catalogue()
    assert name not in catalogue.photos
    assert "mislabelled" in catalogue.left_out[name]


def test_photos_that_differ_from_the_list_are_left_out(folders: Folders) -> None:
    entries = [
        {"file": f"lfw/{name}", "sha256": hashlib.sha256(data).hexdigest()} for name, data in PHOTOS.items()
    ]
    entries[0]["sha256"] = "0" * 64
    (Path(str(folders.real_data)) / "images.jsonl").write_text("\n".join(map(json.dumps, entries)))
    catalogue = Lfw().open(folders).catalogue()
    assert list(catalogue.left_out) == ["Zoe_A/Zoe_A_0001.jpg"]
    assert set(catalogue.identities) == {"Ann_B"}


def test_damaged_list_is_one_line(folders: Folders) -> None:
    (Path(str(folders.real_data)) / "images.jsonl").write_text("{")
    with pytest.raises(UserError, match=r"images\.jsonl is damaged"):
        Lfw().open(folders).catalogue()


@pytest.mark.parametrize("place", ["lfw", "lfw_home/lfw_funneled", "lfw_home/lfw-deepfunneled"])
def test_places_below_home(tmp_path: Path, place: str) -> None:
    tree(tmp_path / "data" / place, PHOTOS)
    assert len(Lfw().open(Folders(home=str(tmp_path))).catalogue().photos) == 3


def test_variant_picks_the_folder(folders: Folders) -> None:
    tree(Path(folders.home) / "data" / "lfw_home" / "lfw_funneled", {"Al_C/Al_C_0001.jpg": b"c"})
    assert Lfw().open(folders).catalogue().identities[0] == "Ann_B"
    assert Lfw(variant="lfw_funneled").open(folders).catalogue().identities == ("Al_C",)


VARIANTS = {"funneled": "lfw_funneled", "deepfunneled": "lfw-deepfunneled", "original": "lfw"}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("below", ["home/data/lfw_home", "home/data/lfw", "real/lfw"])
def test_a_variant_is_found_where_its_archive_unpacks(tmp_path: Path, variant: str, below: str) -> None:
    for i, name in enumerate(VARIANTS.values()):
        tree(tmp_path / below / name, {f"Al_{i}/Al_{i}_0001.jpg": b"a"})
    folders = Folders(home=str(tmp_path / "home"), real_data=str(tmp_path / "real"))
    for asked in (variant, VARIANTS[variant]):
        data = Lfw(variant=asked).open(folders)
        assert data.catalogue().identities == (f"Al_{list(VARIANTS).index(variant)}",)
        assert data.card.resolved == {"variant": variant}


def test_an_archive_within_itself(tmp_path: Path) -> None:
    tree(tmp_path / "data" / "lfw" / "lfw-deepfunneled" / "lfw-deepfunneled", PHOTOS)
    data = Lfw().open(Folders(home=str(tmp_path)))
    assert data.catalogue().identities == ("Ann_B", "Ann_B", "Zoe_A")
    assert data.card.resolved == {"variant": "deepfunneled"}


def test_a_plain_folder_is_what_the_user_says(folders: Folders) -> None:
    assert Lfw().open(folders).card.resolved == {"variant": "not stated"}
    assert Lfw(variant="original").open(folders).card.resolved == {"variant": "original"}


def test_photos_tell_that_they_are_deep_funneled(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"Zoe_A": hashlib.sha256(b"z1").hexdigest()}
    monkeypatch.setattr(sys.modules[Lfw.__module__], "DEEPFUNNELED", known)
    assert Lfw().open(folders).card.resolved == {"variant": "deepfunneled"}
    assert Lfw(variant="deepfunneled").open(folders).card.photos == 3
    with pytest.raises(UserError, match=r"no variant 'original' .* type 'bench fetch lfw-original'"):
        Lfw(variant="original").open(folders)


@pytest.mark.parametrize("content", [{}, {"Ann_B/readme.txt": b""}])
def test_no_photos_names_the_places_and_the_command(tmp_path: Path, content: dict[str, bytes]) -> None:
    (tmp_path / "real" / "lfw").mkdir(parents=True)
    tree(tmp_path / "real" / "lfw", content)
    with pytest.raises(UserError) as caught:
        Lfw().open(Folders(home=str(tmp_path / "home"), real_data=str(tmp_path / "real")))
    said = str(caught.value)
    for part in (f"{tmp_path}/real/lfw", f"{tmp_path}/home/data/lfw", "'bench fetch lfw'"):
        assert part in said
    assert "\n" not in said


def test_unknown_variant(folders: Folders) -> None:
    with pytest.raises(UserError, match="no variant of data set 'lfw' 'lfw_blurred'"):
        Lfw(variant="lfw_blurred").open(folders)


@pytest.mark.real
def test_the_real_folder(real_data: Path, tmp_path: Path) -> None:
    data = Lfw().open(Folders(home=str(tmp_path), real_data=str(real_data)))
    catalogue = data.catalogue()
    assert data.card.resolved == {"variant": "deepfunneled"}  # as MANIFEST.json says
    # of the five suspicious photos three are in the folder: 8,188 photos in all
    assert len(catalogue.left_out) == 3
    assert len(catalogue.photos) == 8_188 - 3
    assert len(set(catalogue.identities)) == 3_140
    listed = (json.loads(line) for line in (real_data / "images.jsonl").read_text().splitlines())
    digests = {entry["file"].removeprefix("lfw/"): entry["sha256"] for entry in listed}
    assert all(data.digest(name) == digests[name] for name in catalogue.photos)
    shapes = {decode(photo).shape for photo in data.read(catalogue.photos[::400])}
    assert shapes == {(250, 250, 3)}
