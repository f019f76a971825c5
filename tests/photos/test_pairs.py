"""Cloaks from elsewhere find their photos by name or by a table; nothing outside of the folder is read."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.photos.pairs import RESIZED, UNREADABLE, Compared, compared, from_table, paired
from bench.types import Catalogue, DatasetCard, Image

PHOTOS = ("Ann/1.jpg", "Ann/2.jpg", "Bob/1.jpg")


def files(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def names(root: Path, found: dict[str, Path]) -> dict[str, str]:
    return {photo: path.relative_to(root).as_posix() for photo, path in found.items()}


@pytest.mark.parametrize(
    ("file", "photo", "renamed"),
    [
        ("Ann/1.jpg", "Ann/1.jpg", False),
        ("Ann/1.png", "Ann/1.jpg", False),
        ("Ann/1.jpg.png", "Ann/1.jpg", False),
        ("Ann/1_cloaked.png", "Ann/1.jpg", True),
        ("Ann/1-high.jpeg", "Ann/1.jpg", True),
        ("Ann/10.png", None, False),
        ("1.png", None, False),
        ("Cleo/1.png", None, False),
        ("Ann/.1.jpg", None, False),
    ],
)
def test_a_file_is_of_the_photo_whose_name_it_has(
    tmp_path: Path, file: str, photo: str | None, renamed: bool
) -> None:
    found = paired(PHOTOS, files(tmp_path, file))
    assert names(tmp_path, dict(found.files)) == ({photo: file} if photo else {})
    assert found.renamed == ({photo} if renamed else set())
    hidden = Path(file).name.startswith(".")
    assert found.extra == (() if photo or hidden else (file,))


def test_the_longer_name_is_meant(tmp_path: Path) -> None:
    photos = ("Ann/1.jpg", "Ann/1_2.jpg")
    found = paired(photos, files(tmp_path, "Ann/1_x.png", "Ann/1_2_x.png"))
    assert names(tmp_path, dict(found.files)) == {"Ann/1.jpg": "Ann/1_x.png", "Ann/1_2.jpg": "Ann/1_2_x.png"}


def test_two_files_that_could_be_of_one_photo_are_left_for_a_table(tmp_path: Path) -> None:
    found = paired(PHOTOS, files(tmp_path, "Ann/1_low.png", "Ann/1_high.png", "Ann/2.png", "Ann/2.webp"))
    assert not found.files
    assert len(found.extra) == 4


def test_an_accent_may_be_spelled_otherwise(tmp_path: Path) -> None:
    found = paired(("Zo\u00eb/1.jpg",), files(tmp_path, "Zoe\u0308/1.jpg"))
    assert list(found.files) == ["Zo\u00eb/1.jpg"]


def test_no_link_leads_out_and_no_pipe_is_opened(tmp_path: Path) -> None:
    outside = files(tmp_path / "outside", "secret.png")
    root = files(tmp_path / "cloaks", "Ann/2.jpg")
    (root / "Ann" / "1.jpg").symlink_to(outside / "secret.png")
    (root / "Bob").symlink_to(outside)
    (root / "Ann" / "3.jpg").symlink_to(root / "nowhere")
    os.mkfifo(root / "Ann" / "4.jpg")
    found = paired(PHOTOS, root)
    assert list(found.files) == ["Ann/2.jpg"]
    assert found.refused == {
        "Ann/1.jpg": "is a link that leads out of the folder",
        "Ann/3.jpg": "is no file",
        "Ann/4.jpg": "is no file",
        "Bob": "is a link to a folder",
    }


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        paired(PHOTOS, tmp_path / "none")


@given(st.lists(st.text("ab_-. 1", min_size=1, max_size=5), max_size=6), st.data())
def test_no_photo_has_two_files_and_no_file_two_photos(
    tmp_path_factory: pytest.TempPathFactory, stems: list[str], data: st.DataObject
) -> None:
    usable = [f"P/{stem.strip('. ')}x.png" for stem in stems if stem.strip(". ")]
    made = data.draw(st.lists(st.sampled_from(usable), unique=True)) if usable else []
    root = files(tmp_path_factory.mktemp("cloaks"), *made)
    found = paired(sorted(set(usable)), root)
    assert len(set(found.files.values())) == len(found.files)
    assert names(root, dict(found.files)) == {name: name for name in made}
    assert found.extra == ()


def table(root: Path, *lines: str) -> Path:
    path = root / "pairs.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_a_table_pairs_whatever_the_names_are(tmp_path: Path) -> None:
    root = files(tmp_path / "cloaks", "x/7.png", "8.png", "9.png")
    found = from_table(
        table(tmp_path, "cloaked,original,note", "x/7.png,Ann/1.jpg,", "8.png,Bob/1.jpg,"), PHOTOS, root
    )
    assert names(root, dict(found.files)) == {"Ann/1.jpg": "x/7.png", "Bob/1.jpg": "8.png"}
    assert found.extra == ("9.png",)
    assert found.renamed == {"Ann/1.jpg", "Bob/1.jpg"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("a,b",), "columns: original,cloaked"),
        ((), "columns: original,cloaked"),
        (("original,cloaked", "Ann/9.jpg,8.png"), "line 2: no photo 'Ann/9.jpg' below --original"),
        (
            ("original,cloaked", "Ann/1.jpg,../out.png"),
            "line 2: file '../out.png' below --cloaked is not there",
        ),
        (
            ("original,cloaked", "Ann/1.jpg,8.png", "Ann/1.jpg,9.png"),
            "line 3: photo 'Ann/1.jpg' is named twice",
        ),
        (
            ("original,cloaked", "Ann/1.jpg,8.png", "Ann/2.jpg,8.png"),
            "line 3: file '8.png' below --cloaked is named",
        ),
        (("original,cloaked", "Ann/1.jpg"), "line 2: file '' below --cloaked is not there"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    root = files(tmp_path / "cloaks", "8.png", "9.png")
    with pytest.raises(UserError) as caught:
        from_table(table(tmp_path, *lines), PHOTOS, root)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_bytes(b"\xff\xfe\0")
    with pytest.raises(UserError, match="is no CSV"):
        from_table(tmp_path / "pairs.csv", PHOTOS, files(tmp_path / "cloaks", "8.png"))


class Pixels:
    """A data set of one photo."""

    card = DatasetCard("pixels", "", "", "")

    def __init__(self, photo: Image) -> None:
        self.photo = photo

    def catalogue(self) -> Catalogue:
        return Catalogue(("a",), ("a",))

    def digest(self, photo: str) -> str:
        return photo

    def read(self, photos: object) -> list[bytes | Image]:
        del photos
        return [self.photo]


def test_a_file_beside_its_photo(tmp_path: Path) -> None:
    photo = np.arange(300, dtype=np.uint16).astype(np.uint8).reshape(10, 10, 3)
    changed = photo.copy()
    changed[:5, :, 1] ^= 1  # half of the pixels, one colour of three

    def seen(pixels: Image | None) -> Compared:
        path = tmp_path / "a.png"
        path.write_bytes(b"no photo")
        if pixels is not None:
            PIL.Image.fromarray(pixels).save(path)
        return compared(Pixels(photo), ["a"], {"a": path})["a"]

    assert seen(changed).untouched == 0.5
    assert seen(photo).untouched == 1
    assert (seen(photo[:9]).fault, seen(photo[:9]).untouched) == (RESIZED, None)
    assert seen(None).fault == UNREADABLE
    assert seen(photo).sha256 != seen(changed).sha256
