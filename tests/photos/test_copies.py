"""A photo and its copies count once, whatever was done to the copies; two photos of a burst count twice."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageEnhance
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import registry
from bench.errors import UserError
from bench.machine.progress import Silent
from bench.photos import looks
from bench.photos.copies import copies
from bench.photos.distinct import opened, unused
from bench.photos.looks import Look, look
from bench.photos.raw import REASON, is_raw
from bench.plan.resolve import open_dataset
from bench.plan.spec import RunSpec
from bench.store.cache import Cache
from bench.types import Folders
from injecting import copied_photos
from injecting.injection import assert_all_right

COPIED, BURSTS = copied_photos.INJECTIONS


@cache
def drawn(person: int, photo: int) -> PIL.Image.Image:
    return copied_photos.shot(person, photo)


def jpeg(photo: PIL.Image.Image, quality: int = 90, comment: str = "", turned: int = 1) -> bytes:
    out = io.BytesIO()
    exif = PIL.Image.Exif()
    exif[0x0112] = turned
    photo.save(out, "JPEG", quality=quality, comment=comment, exif=exif)
    return out.getvalue()


def catalogue(folder: Path, files: dict[str, bytes]) -> tuple[set[str], dict[str, str]]:
    """The photos of a folder that are used, and those that are not."""
    for name, content in files.items():
        path = folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    plugin = registry.make("datasets", f"folder:{folder / 'photos'}")[1]
    seen = opened(plugin, Folders(home=str(folder / "home")), Silent()).catalogue()
    return set(seen.photos), dict(seen.left_out)


def test_photos_that_were_stored_or_edited_anew_count_once(tmp_path: Path) -> None:
    assert_all_right(COPIED, 12, 1, tmp_path)


def test_photos_of_a_burst_count_twice(tmp_path: Path) -> None:
    assert_all_right(BURSTS, 12, 1, tmp_path)


@settings(max_examples=25)
@given(
    st.integers(0, 5),
    st.integers(40, 98),
    st.floats(0.4, 2.0),
    st.text(st.characters(codec="ascii"), max_size=30),
    st.tuples(*[st.integers(0, 5)] * 4),
    st.floats(0.75, 1.25),
    st.booleans(),
    st.integers(1, 8),
)
def test_a_copy_is_known_by_its_picture(
    who: int,
    quality: int,
    scale: float,
    comment: str,
    cut: tuple[int, int, int, int],
    brightness: float,
    mirrored: bool,
    turned: int,
) -> None:
    photo = drawn(who, 3)
    width, height = photo.size
    edited = photo.crop((cut[0], cut[1], width - cut[2], height - cut[3]))
    edited = edited.resize((round(edited.width * scale), round(edited.height * scale)))
    edited = PIL.ImageEnhance.Brightness(edited).enhance(brightness)
    if mirrored:
        edited = edited.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT)
    pair = [look(jpeg(photo)), look(jpeg(edited, quality, comment, turned))]
    assert copies(pair) == {1: 0}
    assert copies(pair[::-1]) == {1: 0}
    other = look(jpeg(drawn(who, 4), quality))
    assert copies([other, *pair]) == {2: 1}  # another photo of the same person is none


def test_drawn_photos_of_one_person_are_no_copies() -> None:
    seen = [look(np.asarray(drawn(7, number))) for number in range(20)]
    assert copies(seen) == {}


def test_a_look_at_a_part_of_a_jpeg_file_is_the_look_at_all_of_it() -> None:
    large = drawn(1, 1).resize((2000, 1500), PIL.Image.Resampling.BICUBIC)
    quick, whole = look(jpeg(large)), look(np.asarray(PIL.Image.open(io.BytesIO(jpeg(large)))))
    assert quick.pixels == whole.pixels == 3_000_000
    assert np.abs(quick.small.astype(int) - whole.small).mean() < 1
    assert copies([quick, whole]) == {1: 0}


def test_the_copy_with_the_most_pixels_stays_and_the_others_name_it(tmp_path: Path) -> None:
    photo = drawn(2, 0)
    small = photo.resize((90, 90))
    used, out = catalogue(
        tmp_path,
        {
            "Ann/A.jpg": jpeg(photo),
            "Ann/A(1).jpg": jpeg(photo, comment="again"),
            "Ann/A-edited.jpg": jpeg(PIL.ImageEnhance.Brightness(small).enhance(1.2)),
            "Ann/B.jpg": jpeg(drawn(2, 1)),
            "Bob/A.jpg": jpeg(drawn(3, 0)),
        },
    )
    assert used == {"Ann/A.jpg", "Ann/B.jpg", "Bob/A.jpg"}
    assert set(out) == {"Ann/A(1).jpg", "Ann/A-edited.jpg"}
    assert all(why.startswith("a copy of Ann/A.jpg") for why in out.values())


def test_a_copy_of_a_copy_names_a_photo_that_is_used() -> None:
    photo = drawn(4, 0)
    cuts = [photo.crop((i, 0, 160, 160 - i)) for i in (0, 5, 10, 15, 20)]
    found = copies([look(np.asarray(cut)) for cut in cuts])
    assert not set(found) & set(found.values())


@pytest.mark.parametrize("levels", [0, 2])
def test_pictures_of_one_colour_are_told_by_nothing_and_are_no_copies(levels: int) -> None:
    rng = np.random.default_rng(0)
    plain = [rng.integers(100, 101 + levels, (40, 40, 3)).astype(np.uint8) for _ in range(3)]
    assert copies([look(photo) for photo in plain]) == {}


def test_what_cannot_be_read_stays_and_is_no_copy(tmp_path: Path) -> None:
    whole = jpeg(drawn(5, 0))
    files = {"Ann/1.jpg": whole, "Ann/2.jpg": whole[:900], "Ann/3.jpg": b"", "Bob/1.jpg": jpeg(drawn(6, 0))}
    used, out = catalogue(tmp_path, files)
    assert used == set(files)
    assert out == {}
    plugin = registry.make("datasets", f"folder:{tmp_path / 'photos'}")[1]
    told = unused(plugin, Folders(home=str(tmp_path / "home")), Silent())
    assert set(told) == {"Ann/2.jpg", "Ann/3.jpg"}
    assert told["Ann/3.jpg"] == "unreadable: the file is empty"


def tiff(tags: Sequence[tuple[int, int]], order: str, head: bytes = b"") -> bytes:
    """A TIFF file with these short numbers in front of those of a small picture."""
    small = io.BytesIO()
    drawn(8, 0).resize((40, 30)).save(small, "TIFF")
    first = 8 + len(head)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    rows = [struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0) for tag, value in sorted(tags)]
    directory = struct.pack(f"{order}H", len(rows)) + b"".join(rows) + bytes(4)
    return mark + struct.pack(f"{order}I", first) + head + directory + small.getvalue()


SENSOR = {
    "reduced": [(254, 1), (256, 40)],
    "DNG": [(50706, 1)],
    "sensor": [(262, 32803), (277, 1)],
    "linear": [(262, 34892)],
}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", SENSOR)
def test_a_raw_file_is_known_by_what_it_says_of_its_first_picture(kind: str, order: str) -> None:
    assert is_raw(tiff(SENSOR[kind], order))
    assert look(tiff(SENSOR[kind], order)).raw


def test_a_photo_is_no_raw_file() -> None:
    for kind in ("TIFF", "JPEG", "PNG", "WEBP"):
        out = io.BytesIO()
        drawn(8, 0).save(out, kind)
        assert not is_raw(out.getvalue())
        assert look(out.getvalue()).unreadable == ""
    assert is_raw(b"II*\0\x10\0\0\0CR\2\0")
    assert not is_raw(b"")
    assert not is_raw(b"II*\0\xff\xff\xff\xff")


@given(st.binary(max_size=64))
def test_any_bytes_are_a_raw_file_or_none(data: bytes) -> None:
    for mark in (b"", b"II*\0", b"MM\0*"):
        is_raw(mark + data)


def dng(photo: PIL.Image.Image) -> bytes:
    """A file as cameras write it: in front lies a preview, which Pillow shows."""
    out = io.BytesIO()
    photo.resize((80, 80)).save(out, "TIFF", tiffinfo={254: 1, 50706: b"\1\4\0\0"})
    return out.getvalue()


@pytest.mark.parametrize("name", ["A.dng", "A.tif", "A.jpg", "A"])
def test_a_raw_file_is_not_its_preview(tmp_path: Path, name: str) -> None:
    files = {f"Ann/{name}": dng(drawn(9, 0)), "Ann/B.jpg": jpeg(drawn(9, 0)), "Bob/B.jpg": jpeg(drawn(9, 1))}
    used, out = catalogue(tmp_path, files)
    assert used == {"Ann/B.jpg", "Bob/B.jpg"}
    assert out == {f"Ann/{name}": REASON}


def test_photos_are_looked_at_once_and_people_compared_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "Ann/1.jpg": jpeg(drawn(1, 0)),
        "Ann/2.jpg": jpeg(drawn(1, 0), 50),
        "Bob/1.jpg": jpeg(drawn(2, 0)),
    }
    before = catalogue(tmp_path, files)

    def never(*given: object) -> Look:
        raise AssertionError(f"looked at again: {given}")

    monkeypatch.setattr(looks, "look", never)
    monkeypatch.setattr("bench.photos.copies.copies", never)
    assert catalogue(tmp_path, {}) == before


def test_a_home_that_cannot_be_written_is_no_reason_not_to_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: object) -> None:
        raise UserError("no space")

    monkeypatch.setattr(Cache, "put_rows", full)
    used, out = catalogue(tmp_path, {"Ann/1.jpg": jpeg(drawn(1, 0)), "Ann/2.jpg": jpeg(drawn(1, 0), 50)})
    assert (len(used), len(out)) == (1, 1)


def test_folders_of_different_people_are_no_run_of_copies(tmp_path: Path) -> None:
    """Each of 8 people has one photo, and 4 copies of it: there is nobody with 4 photos."""
    files = {
        f"{who}/{number}.jpg": jpeg(drawn(20 + who, 0), 95 - 9 * number, f"copy {number}")
        for who in range(8)
        for number in range(5)
    }
    _, out = catalogue(tmp_path, files)
    assert len(out) == 8 * 4
    spec = RunSpec(dataset=f"folder:{tmp_path / 'photos'}", users=2, photos=4)
    with pytest.raises(UserError, match="0 people with 4 photos"):
        open_dataset(spec, Folders(home=str(tmp_path / "home")))


def test_copies_are_only_searched_for_where_nobody_sorted_the_photos(tmp_path: Path) -> None:
    plugin = registry.make("datasets", "synthetic:people=12,photos-each=6")[1]
    data = opened(plugin, Folders(home=str(tmp_path)), Silent())
    assert len(data.catalogue().photos) == 12 * 6
    assert not (tmp_path / "cache").exists()


@pytest.mark.real
@pytest.mark.slow
def test_lfw_has_four_copies_with_one_person(real_data: Path) -> None:
    """Among 8,188 photos. The nearest pair that is none has more than twice of what may be left."""
    people: dict[str, list[Path]] = {}
    for path in sorted((real_data / "lfw").glob("*/*.jpg")):
        people.setdefault(path.parent.name, []).append(path)
    found = {
        paths[copy].stem
        for paths in people.values()
        if len(paths) > 1
        for copy in copies([look(path.read_bytes()) for path in paths])
    }
    assert found == {
        "Ari_Fleischer_0011",
        "Julie_Gerberding_0006",
        "Leslie_Ann_Woodward_0002",
        "Prince_Willem-Alexander_0003",
    }
