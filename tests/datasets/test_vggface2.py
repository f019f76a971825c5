"""VGGFace2's own layout with its quirks, in small trees: the data set itself is not to be had."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from bench import registry
from bench.errors import UserError
from bench.photos.decode import decode
from bench.types import Folders

META = """Class_ID, Name, Sample_Num, Flag, Gender
n000001, "14th_Somebody", 424, 0, m
n000002, "A_Fine_"Nick"_Name", 315, 1, f
n000003, "A._Somebody,_Jr.", 205, 0, m,
n000004, 'O"Somebody, 1, 1, the third', 64, 0, f
"""
"""Made-up people; quotes within quotes, commas in names, a comma at the end: as in the published table."""

SIZE = (64, 48)


def jpeg(number: int, **options: Any) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", SIZE, (number % 256, number // 256, 7)).save(
        out, "JPEG", **{"comment": f"number {number}"} | options
    )
    return out.getvalue()


def write(root: Path, name: str, content: str | bytes) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three people to test on with 3, 1 and 2 photos, and one to train on."""
    root = tmp_path / "data" / "vggface2"
    number = 0
    for part, people in {"test": {1: 3, 3: 1, 4: 2}, "train": {2: 2}}.items():
        for person, photos in people.items():
            for at in range(1, photos + 1):
                number += 1
                write(root, f"{part}/n{person:06d}/{at:04d}_01.jpg", jpeg(number))
    return root


def opened(root: Path, part: str = "test") -> Any:
    plugin = registry.make("datasets", f"vggface2:part={part}")[1]
    return plugin.open(Folders(home=str(root.parents[1])))


def one_line(root: Path, part: str = "test") -> str:
    with pytest.raises(UserError) as caught:
        opened(root, part)
    assert "\n" not in str(caught.value)
    return str(caught.value)


TESTED = (
    *("n000001/0001_01.jpg", "n000001/0002_01.jpg", "n000001/0003_01.jpg"),
    *("n000003/0001_01.jpg", "n000004/0001_01.jpg", "n000004/0002_01.jpg"),
)


def test_a_part_is_its_folder(root: Path) -> None:
    catalogue = opened(root).catalogue()
    assert catalogue.photos == TESTED
    assert catalogue.identities == ("n000001",) * 3 + ("n000003",) + ("n000004",) * 2
    assert opened(root, "train").catalogue().identities == ("n000002",) * 2
    assert opened(root).card.revision != opened(root, "train").card.revision


@pytest.mark.parametrize(
    "place",
    ["data/test", "vggface2_test", "data/vggface2_test", "vggface2_test/test", "data/vggface2_test/test"],
)
def test_copies_lie_in_folders_of_other_names(root: Path, place: str) -> None:
    before = opened(root).card
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / "test").rename(root / place)
    assert opened(root).card == before


def test_the_lent_folder_comes_first(root: Path, tmp_path: Path) -> None:
    write(tmp_path / "real" / "vggface2", "test/n000009/0001_01.jpg", jpeg(99))
    plugin = registry.make("datasets", "vggface2")[1]
    catalogue = plugin.open(Folders(home=str(tmp_path), real_data=str(tmp_path / "real"))).catalogue()
    assert catalogue.identities == ("n000009",)


@pytest.mark.parametrize("place", ["identity_meta.csv", "meta/identity_meta.csv"])
@pytest.mark.parametrize("coding", ["\n", "\r\n", "\ufeff"])
def test_a_tree_without_parts_is_divided_by_its_table(root: Path, place: str, coding: str) -> None:
    for part in ("test", "train"):
        for person in (root / part).iterdir():
            person.rename(root / person.name)
    assert "identity_meta.csv" in one_line(root)
    write(root, "n000077/0001_01.jpg", jpeg(77))
    table = "\ufeff" + META if coding == "\ufeff" else META.replace("\n", coding)
    write(root, place, table)
    assert opened(root).catalogue().photos == TESTED
    assert set(opened(root, "train").catalogue().identities) == {"n000002"}
    assert "does not say" in opened(root).catalogue().left_out["n000077"]


def test_a_table_of_people_that_is_none(root: Path) -> None:
    for person in (root / "test").iterdir():
        person.rename(root / person.name)
    write(root, "identity_meta.csv", "<html>sign in</html>\n")
    assert "identity_meta.csv is damaged" in one_line(root)


@pytest.mark.parametrize("name", ["test_list.txt", "meta/test_list.txt", "meta/test.txt"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_chooses_and_what_is_not_there_is_told(root: Path, name: str, end: str) -> None:
    listed = ["n000004/0001_01.jpg", "n000001/0002_01.jpg", "n000001/0099_01.jpg", ""]
    write(root, name, "\ufeff" + end.join(listed))
    catalogue = opened(root).catalogue()
    assert catalogue.photos == ("n000001/0002_01.jpg", "n000004/0001_01.jpg")
    assert "not there" in catalogue.left_out["n000001/0099_01.jpg"]
    assert "not in the list" in catalogue.left_out["n000003/0001_01.jpg"]
    assert len(catalogue.left_out) == 1 + 4


def test_a_list_of_other_files_leaves_nothing(root: Path) -> None:
    write(root, "test_list.txt", "n009999/0001_01.jpg\n")
    assert "no photos of part 'test'" in one_line(root)


def test_other_files_are_no_photos(root: Path) -> None:
    for name in ("test/n000001/Thumbs.db", "test/n000001/notes.txt", "test/readme/0001_01.jpg", "test/x.jpg"):
        write(root, name, b"x")
    assert opened(root).catalogue().photos == TESTED


BOXES = """NAME_ID,X,Y,W,H
"n000001/0001_01",10,5,20,30
"n000001/0002_01",-6,-4,30,20
"n000001/0003_01",50,40,40,40
"n000003/0001_01",64,0,10,10
"n000004/0001_01",5,5,0,10
"n000009/0001_01",1,1,5,5
"""


@pytest.mark.parametrize("place", ["bb_landmark", "meta/bb_landmark", "data/bb_landmark", "meta", "."])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_boxes_lie_within_their_photos(root: Path, place: str, end: str) -> None:
    write(root, f"{place}/loose_bb_test.csv", "\ufeff" + BOXES.replace("\n", end))
    boxes = opened(root).catalogue().boxes
    assert dict(boxes) == {
        "n000001/0001_01.jpg": (10, 5, 30, 35),
        "n000001/0002_01.jpg": (0, 0, 24, 16),  # partly outside: cut
        "n000001/0003_01.jpg": (50, 40, 64, 48),
    }
    # outside altogether, without width, not in the table, of a photo that is not there
    for name in ("n000003/0001_01.jpg", "n000004/0001_01.jpg", "n000004/0002_01.jpg", "n000009/0001_01.jpg"):
        assert boxes.get(name) is None
    assert len(boxes) == 3


def test_no_photo_is_opened_for_a_box_that_nobody_asks_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root, "bb_landmark/loose_bb_test.csv", BOXES)
    monkeypatch.setattr(PIL.Image, "open", lambda *_, **__: pytest.fail("opens a photo"))
    data = opened(root)
    assert data.catalogue().boxes
    assert data.card.photos == len(TESTED)


def test_another_box_is_another_revision(root: Path) -> None:
    revisions = [opened(root).card.revision]
    for text in (BOXES, BOXES.replace("10,5,20,30", "11,5,20,30")):
        write(root, "bb_landmark/loose_bb_test.csv", text)
        revisions.append(opened(root).card.revision)
    assert len(set(revisions)) == 3


def test_landmarks_stand_in_for_a_box(root: Path) -> None:
    head = "NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y\n"
    rows = '"n000001/0001_01",1,1,2,1,1,1,1,2,2,2\n"n000001/0002_01",24,20,40,20,32,26,26,32,38,32\n'
    write(root, "bb_landmark/loose_landmark_test.csv", head + rows)
    write(root, "bb_landmark/loose_bb_test.csv", BOXES.replace('"n000001/0002_01"', '"n000001/0009_01"'))
    boxes = opened(root).catalogue().boxes
    assert boxes["n000001/0001_01.jpg"] == (10, 5, 30, 35)  # a box counts more
    # 16 wide, 12 high: 8 more to each side, 12 above, 6 below
    assert boxes["n000001/0002_01.jpg"] == (24 - 8, 20 - 12, 40 + 8, 32 + 6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_where_the_face_is_in_the_upright_photo(root: Path, orientation: int) -> None:
    # a white patch in the stored pixels, and its box: the box of the upright photo has to hold it again
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[8:24, 8:40] = 255
    # a description that is a fraction, as tag 270 here, ended the run
    tags = struct.pack("<HHHII", 2, 270, 5, 1, 38) + struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + tags + struct.pack("<III", 0, 7, 2)
    path = root / "test" / "n000001" / "0001_01.jpg"
    PIL.Image.fromarray(stored).save(path, "JPEG", quality=100, exif=exif)
    write(root, "bb_landmark/loose_bb_test.csv", 'NAME_ID,X,Y,W,H\n"n000001/0001_01",8,8,32,16\n')
    x0, y0, x1, y1 = map(int, opened(root).catalogue().boxes["n000001/0001_01.jpg"])
    white = decode(path.read_bytes())[..., 0] > 127
    assert white[y0:y1, x0:x1].all()
    assert white.sum() == (x1 - x0) * (y1 - y0) == 32 * 16


def test_a_broken_photo_has_no_box(root: Path) -> None:
    write(root, "bb_landmark/loose_bb_test.csv", BOXES)
    write(root, "test/n000001/0001_01.jpg", b"broken")
    assert opened(root).catalogue().boxes.get("n000001/0001_01.jpg") is None
    assert "n000001/0001_01.jpg" in opened(root).catalogue().photos  # its outcome will be `unreadable`


def damaged(path: str, content: bytes) -> Callable[[Path], object]:
    return lambda root: write(root, path, content)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (
            damaged("bb_landmark/loose_bb_test.csv", b"NAME_ID,X,Y,W,H\nn1/1,1,2,3\n"),
            "line 2 is not a photo and 4",
        ),
        (damaged("bb_landmark/loose_bb_test.csv", b"<html>\n"), "line 1 is not"),
        (damaged("bb_landmark/loose_bb_test.csv", b"n1/1,nan,2,3,4\nn1/2,1,2,3,inf\n"), "line 1 is not"),
        (damaged("bb_landmark/loose_landmark_test.csv", b"n1/1,1,2,3,4,5,6,7,8,9,x\n"), "line 1 is not"),
        (damaged("test_list.txt", b"n000001/\xff\xfe.jpg\n"), "byte 8 is no text"),
    ],
)
def test_a_damaged_table_is_one_line(root: Path, damage: Callable[[Path], object], says: str) -> None:
    damage(root)
    said = one_line(root)
    assert "is damaged" in said
    assert says in said


def test_a_part_that_does_not_exist(root: Path) -> None:
    assert "Did you mean 'test'?" in one_line(root, "tests")


def test_only_the_other_part_is_there(root: Path) -> None:
    (root / "test").rename(root / "elsewhere")
    said = one_line(root)
    assert "part 'test'" in said
    assert str(root) in said
