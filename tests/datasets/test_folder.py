"""A folder of somebody's own photos: what is in it, what is not, and why."""

from __future__ import annotations

import errno
import io
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import registry
from bench.errors import UserError
from bench.types import Folders


def photo(number: int, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (4, 3), (number % 256, number // 256, 9)).save(out, kind)
    return out.getvalue()


Write = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def write(root: Path) -> Write:
    count = iter(range(1, 10**6))

    def go(name: str, content: bytes | None = None) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(next(count)) if content is None else content)
        return path

    return go


def opened(root: Path | str) -> Any:
    return registry.make("datasets", f"folder:{root}")[1].open(Folders(home=""))


def test_a_person_is_a_folder_and_all_below_it(root: Path, write: Write) -> None:
    for name in ("Zoe/1.jpg", "Ann/b.png", "Ann/2024/summer/c.webp", "Ann/a.JPEG"):
        write(name)
    catalogue = opened(root).catalogue()
    assert catalogue.photos == ("Ann/2024/summer/c.webp", "Ann/a.JPEG", "Ann/b.png", "Zoe/1.jpg")
    assert catalogue.identities == ("Ann", "Ann", "Ann", "Zoe")
    assert catalogue.left_out == {}


@pytest.mark.parametrize(
    "kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "JPEG2000", "ICO", "TGA"]
)
def test_any_format_that_pillow_reads(root: Path, write: Write, kind: str) -> None:
    PIL.Image.init()
    endings = [e for e, k in PIL.Image.registered_extensions().items() if k == kind]
    for i, ending in enumerate([*endings, *(e.upper() for e in endings)]):
        write(f"Ann/{i}{ending}", photo(i * 900, kind))
    assert len(opened(root).catalogue().photos) == 2 * len(endings) > 0


@pytest.mark.parametrize("ending", [".heic", ".HEIF", ".hif"])
def test_heic_is_a_photo_whether_or_not_it_can_be_read(root: Path, write: Write, ending: str) -> None:
    write(f"Ann/1{ending}", b"not looked into")
    assert opened(root).catalogue().photos == (f"Ann/1{ending}",)


def test_a_photo_under_another_ending_is_known_by_its_content(root: Path, write: Write) -> None:
    write("Ann/IMG_1")
    write("Ann/scan.dat", photo(70, "TIFF"))
    write("Ann/renamed.jpg", photo(71, "WEBP"))
    write("Ann/from a phone", b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf")
    assert len(opened(root).catalogue().photos) == 4


def test_what_is_no_photo_is_told_with_the_reason(root: Path, write: Write) -> None:
    write("Ann/1.png")
    others = {
        "clip.mp4": b"\0\0\0\x18ftypmp42",
        "notes.txt": b"dear diary",
        "1.json": b"{}",
        "doc.pdf": b"%PDF-1.4",
        "drawing.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "nothing": b"",
    }
    for name, content in others.items():
        write(f"Ann/{name}", content)
    write("index.html", b"<html>")
    write("loose.png")
    catalogue = opened(root).catalogue()
    assert catalogue.photos == ("Ann/1.png",)
    assert set(catalogue.left_out) == {*(f"Ann/{name}" for name in others), "index.html", "loose.png"}
    assert "not a photo" in catalogue.left_out["Ann/notes.txt"]
    assert catalogue.left_out["loose.png"] == "lies in no person's folder"
    assert all("\n" not in why for why in catalogue.left_out.values())


def test_a_broken_photo_stays_its_outcome_is_told_later(root: Path, write: Write) -> None:
    write("Ann/1.jpg", b"")
    write("Ann/2.jpg", b"")  # empty files are not copies of one photo
    write("Ann/3.png", photo(5)[:20])
    assert len(opened(root).catalogue().photos) == 3


def test_what_file_managers_leave_behind_is_not_worth_a_word(root: Path, write: Write) -> None:
    write("Ann/1.png")
    for name in (
        ".DS_Store",
        "Ann/.DS_Store",
        "Ann/Thumbs.db",
        "Ann/desktop.ini",
        "Ann/._1.png",
        "Ann/Icon\r",
    ):
        write(name)
    write("Ann/.picasa.ini", b"[Picasa]")
    catalogue = opened(root).catalogue()
    assert (catalogue.photos, catalogue.left_out) == (("Ann/1.png",), {})


def test_a_hidden_photo_is_told(root: Path, write: Write) -> None:
    write("Ann/1.png")
    write("Ann/.trashed-1700000000-2.png")  # as Android hides what was thrown away
    catalogue = opened(root).catalogue()
    assert catalogue.photos == ("Ann/1.png",)
    assert catalogue.left_out == {"Ann/.trashed-1700000000-2.png": "is hidden"}


WORDS = st.text(st.characters(categories=["L", "N", "Pd", "Zs"]), max_size=12).map(str.strip)
SYSTEMS = st.one_of(
    st.builds("".join, st.tuples(st.sampled_from("#@$~.\uff03\uff20"), WORDS)).filter(
        lambda name: name != "."
    ),
    st.builds("".join, st.tuples(st.sampled_from(["__", "@__", "#", ".Trash-"]), WORDS)),
    st.sampled_from(
        ["lost+found", "RECYCLER", "Recycled", "System Volume Information", "FOUND.000", "Temporary Items"]
    ),
)


@settings(max_examples=60)
@given(SYSTEMS, WORDS.filter(bool), st.sampled_from([str, str.upper, str.lower]), st.integers(1, 3))
def test_folders_of_systems_and_bins_are_nobodys(
    tmp_path_factory: pytest.TempPathFactory, system: str, person: str, case: Callable[[str], str], depth: int
) -> None:
    # they became people, and took other people's photos with them: what was thrown away is often a copy
    root, name = tmp_path_factory.mktemp("photos"), case(system)
    for folder in (person, name, f"{person}/{name}", f"{name}/deep" if depth == 1 else f"{person}/a/{name}"):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "1.png").write_bytes(photo(depth))
    catalogue = opened(root).catalogue()
    assert catalogue.photos == (unicodedata.normalize("NFC", f"{person}/1.png"),)
    told = {unicodedata.normalize("NFC", each) for each in (name, f"{person}/{name}")}
    assert told <= set(catalogue.left_out)
    assert all("person's" in catalogue.left_out[each] for each in told)


@pytest.mark.parametrize(
    "name", ["Ann", "'Abd", "(Grandma)", "1. Bo", "雪", "🙂", "%41;&", "_Ann", "-", "Recycle", "Info"]
)
def test_whoever_has_another_name_is_a_person(root: Path, write: Write, name: str) -> None:
    write(f"{name}/1.png")
    write(f"{name}/Info/2.png")
    assert len(opened(root).catalogue().photos) == 2


BIN = "[.ShellClassInfo]\r\nCLSID={645FF040-5081-101B-9F08-00AA002F954E}\r\n"


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize(
    ("mark", "content"),
    [
        ("desktop.ini", BIN.encode()),
        ("Desktop.ini", BIN.lower().encode("utf-16")),
        ("INFO2", b"\5\0\0\0"),
        ("info/1.png.trashinfo", b"[Trash Info]\nPath=1.png\n"),
    ],
)
def test_a_bin_is_known_by_what_lies_in_it(
    root: Path, write: Write, mark: str, content: bytes, upper: bool
) -> None:
    write("Ann/1.png")
    bin_ = "Ann/S-1-5-21-1004" if upper else "Papierkorb"
    write(f"{bin_}/files/2.png")
    write(f"{bin_}/{mark}", content)
    catalogue = opened(root).catalogue()
    assert catalogue.photos == ("Ann/1.png",)
    assert catalogue.left_out == {bin_: "is a bin: what lies in it was thrown away"}


def test_a_folder_with_settings_of_its_own_is_no_bin(root: Path, write: Write) -> None:
    write("Ann/desktop.ini", b"[.ShellClassInfo]\r\nIconResource=C:\\x.ico,0\r\n")
    write("Ann/1.png")
    assert opened(root).catalogue().photos == ("Ann/1.png",)


@pytest.mark.parametrize(
    ("attributes", "hidden"),
    [
        ({"st_file_attributes": 2}, True),
        ({"st_file_attributes": 4 | 16}, True),
        ({"st_file_attributes": 16}, False),
        ({"st_flags": 0x8000}, True),
        ({"st_flags": 0}, False),
        ({}, False),
    ],
)
def test_what_a_system_hides_is_hidden(attributes: dict[str, int], hidden: bool) -> None:
    from bench.datasets._files.bins import is_hidden

    assert is_hidden(cast("os.stat_result", SimpleNamespace(**attributes))) is hidden


def test_links_are_followed_and_never_in_circles(root: Path, write: Write, tmp_path: Path) -> None:
    write("Ann/1.png")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "2.png").write_bytes(photo(50))
    (elsewhere / "3.png").write_bytes(photo(51))
    (root / "Ann" / "more").symlink_to(elsewhere)
    (root / "Bob").symlink_to(elsewhere)  # two people's: said below
    (root / "Ann" / "loop").symlink_to(root / "Ann")
    (root / "Ann" / "top").symlink_to(root)
    (root / "Ann" / "4.png").symlink_to(tmp_path / "nothing")
    (root / "Ann" / "5.png").symlink_to(root / "Ann" / "5.png")
    catalogue = opened(root).catalogue()
    assert catalogue.photos == ("Ann/1.png",)
    assert "link back" in catalogue.left_out["Ann/loop"]
    assert catalogue.left_out["Ann/4.png"] == "a link to nothing"
    assert catalogue.left_out["Ann/5.png"]
    assert "folders of 2 people" in catalogue.left_out["Bob/2.png"]


@pytest.mark.parametrize("depth", ["Bob/link", "Bob/2024/summer/link", "link"])
@pytest.mark.parametrize("target", [".", "..", "../..", "Ann", "Ann/deep"])
def test_a_link_to_others_takes_nobodys_photos(root: Path, write: Write, depth: str, target: str) -> None:
    # a link to the folder of everybody in one person's folder once left nearly every photo out, unnamed
    photos = ("Ann/1.png", "Ann/deep/2.png", "Bob/2024/summer/3.png", "Bob/4.png", "Cid/5.png")
    for name in photos:
        write(name)
    (root / depth).symlink_to(root / target)
    catalogue = opened(root).catalogue()
    assert catalogue.photos == photos
    assert set(catalogue.left_out) == {depth}
    assert catalogue.left_out[depth].startswith("is a link ")
    assert ("another person" in catalogue.left_out[depth]) == target.startswith("Ann")


def test_a_link_within_a_persons_folder_is_followed(root: Path, write: Write) -> None:
    write("Ann/deep/1.png")
    (root / "Ann" / "link").symlink_to(root / "Ann" / "deep")
    catalogue = opened(root).catalogue()
    assert catalogue.photos == ("Ann/deep/1.png",)
    assert catalogue.left_out == {"Ann/link/1.png": "the same file as Ann/deep/1.png"}


def test_a_data_set_may_itself_be_a_link(root: Path, write: Write, tmp_path: Path) -> None:
    write("Ann/1.png")
    (tmp_path / "link").symlink_to(root)
    assert opened(tmp_path / "link").catalogue().photos == ("Ann/1.png",)


def test_the_same_photo_of_two_people_is_nobodys(root: Path, write: Write) -> None:
    both = photo(60)
    write("Ann/1.png", both)
    write("Ann/2.png")
    write("Bob/other name.png", both)
    write("Cid/x/y.png", both)
    catalogue = opened(root).catalogue()
    assert catalogue.photos == ("Ann/2.png",)
    assert set(catalogue.left_out) == {"Ann/1.png", "Bob/other name.png", "Cid/x/y.png"}
    assert {"Bob" in why or "Cid" in why for why in catalogue.left_out.values()} == {False}


def test_a_copy_is_used_once(root: Path, write: Write) -> None:
    # the same photo twice would be a cluster of its own
    same = photo(61)
    for name in ("Ann/b.png", "Ann/a (1).png", "Ann/z/a.png"):
        write(name, same)
    catalogue = opened(root).catalogue()
    assert catalogue.photos == ("Ann/a (1).png",)
    assert set(catalogue.left_out.values()) == {"the same file as Ann/a (1).png"}


def test_photos_of_one_size_are_not_taken_for_copies(root: Path, write: Write) -> None:
    sizes = {write(f"Ann/{i}.bmp", photo(i, "BMP")).stat().st_size for i in range(4)}
    assert len(sizes) == 1
    assert len(opened(root).catalogue().photos) == 4


AWKWARD = ("a, b=c", "with:colon", "spaces  in it", "Zoë 雪 🙂", 'it\'s "quoted"', "%41;&")


@pytest.mark.parametrize("name", AWKWARD)
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    for i in range(2):
        path = tmp_path / name / name / f"{name} {i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(i))
    data = opened(tmp_path / name)
    assert set(data.catalogue().identities) == {name}
    assert [bytes(content) for content in data.read(data.catalogue().photos)] == [photo(0), photo(1)]


def test_names_that_are_no_text(root: Path, write: Write) -> None:
    write("Ann/1.png")
    raw = os.fsencode(root) + b"/Ann/\xff\xfe.png"
    Path(os.fsdecode(raw)).write_bytes(photo(80))
    data = opened(root)
    assert len(data.catalogue().photos) == data.card.photos == 2
    assert len(data.read(data.catalogue().photos)) == 2


def test_an_accent_is_an_accent_on_every_system(root: Path, tmp_path: Path) -> None:
    cards = []
    for form in ("NFC", "NFD"):  # as most systems write it, as macOS does
        path = tmp_path / form / unicodedata.normalize(form, "Zoë") / unicodedata.normalize(form, "é.png")
        path.parent.mkdir(parents=True)
        path.write_bytes(photo(1))
        cards.append(opened(tmp_path / form).card)
    assert cards[0] == cards[1]


def test_two_spellings_of_one_name_are_one_person_and_no_photo_is_lost_silently(
    root: Path, write: Write
) -> None:
    for form in ("NFC", "NFD"):
        write(unicodedata.normalize(form, "Zoë/1.png"))
    write(unicodedata.normalize("NFD", "Zoë/2.png"))
    catalogue = opened(root).catalogue()
    assert set(catalogue.identities) == {unicodedata.normalize("NFC", "Zoë")}
    assert len(catalogue.photos) == 2
    assert len(catalogue.left_out) == 1


def test_a_folder_that_may_not_be_read_is_left_out(
    root: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("Ann/1.png")
    write("Bob/1.png")
    plain = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("Bob"):
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path)

    monkeypatch.setattr(os, "scandir", refuse)
    catalogue = opened(root).catalogue()
    assert catalogue.photos == ("Ann/1.png",)
    assert catalogue.left_out == {"Bob": "cannot be read: Permission denied"}


def test_home_and_relative_paths(root: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("Ann/1.png")
    monkeypatch.setenv("HOME", str(root.parent))
    assert opened("~/photos").card.photos == 1
    monkeypatch.chdir(root.parent)
    assert opened("photos").card.photos == 1
    assert opened("./photos/").card.photos == 1


@pytest.mark.parametrize("path", ["", "nowhere", "~nobody-of-this-name/x", "x" * 5000, "a\0b"])
def test_a_path_to_nothing(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        opened(path)
    assert "data set 'folder'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_read_to_list_photos(root: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(3):
        write(f"Ann/{i}.jpg", b"x" * (i + 1))
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail(f"reads {self}"))
    monkeypatch.setattr(PIL.Image, "open", lambda *_, **__: pytest.fail("opens a photo"))
    assert len(opened(root).catalogue().photos) == 3


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENOENT, errno.ESTALE, errno.ENOTCONN])
@pytest.mark.parametrize("refused", ["listing a person", "looking into a file without an ending"])
def test_an_error_of_the_moment_leaves_nobody_out(
    root: Path, write: Write, monkeypatch: pytest.MonkeyPatch, number: int, refused: str
) -> None:
    monkeypatch.setattr("bench.errors.PAUSES", (0.0,) * 4)
    for name in ("Ann/1.jpg", "Bob/picture", "Bob/2.jpg"):
        write(name)
    place = root / "Bob" if refused == "listing a person" else root / "Bob" / "picture"
    plain_scandir, plain_open = os.scandir, open

    def refuse(plain: Callable[..., Any]) -> Callable[..., Any]:
        def go(path: Any, *rest: Any, **more: Any) -> Any:
            if str(path) == str(place):
                raise OSError(number, os.strerror(number), str(path))
            return plain(path, *rest, **more)

        return go

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse(plain_scandir))
        patch.setattr("builtins.open", refuse(plain_open))
        with pytest.raises(UserError, match=f"cannot read {place}: {os.strerror(number)}") as caught:
            opened(root)
    assert "\n" not in str(caught.value)
    assert opened(root).catalogue().left_out == {}
