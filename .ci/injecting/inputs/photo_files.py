"""F2, F3, F5, F6, F7, F11, R1: files of photos, and folders of them."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from injecting.inputs.checkout import Done
from injecting.inputs.hooks import AWAY, CUT_WHILE_READ, FAILING_OPEN, WITHOUT
from injecting.inputs.seen import Input, Seen
from injecting.inputs.workshop import Pixels, Workshop

_SHORT, _LONG, _RATIONAL, _BYTE, _DOUBLE, _ASCII = 3, 4, 5, 1, 12, 2
_ORIENTATION = (0x0112, _SHORT, 1, struct.pack("<H", 6))
ODD_TAGS = {
    "ImageDescription as RATIONAL": (0x010E, _RATIONAL, 1, struct.pack("<II", 1, 3)),
    "ResolutionUnit as BYTE": (0x0128, _BYTE, 1, b"\2"),
    "XResolution as ASCII": (0x011A, _ASCII, 4, b"abc\0"),
    "Software as DOUBLE": (0x0131, _DOUBLE, 1, struct.pack("<d", 1.5)),
    "Make as LONG": (0x010F, _LONG, 2, struct.pack("<II", 7, 9)),
    "a pointer to nowhere": (0x8769, _LONG, 1, struct.pack("<I", 2**31)),
}


def exif(*entries: tuple[int, int, int, bytes]) -> bytes:
    """EXIF with these entries: tag, type, count, content."""
    head = 8 + 2 + 12 * len(entries) + 4
    table, content = struct.pack("<H", len(entries)), b""
    for tag, kind, count, value in sorted(entries):
        place = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", head + len(content))
        content += value if len(value) > 4 else b""
        table += struct.pack("<HHI", tag, kind, count) + place
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + table + b"\0\0\0\0" + content


def _turned(path: Path, photo: Pixels, number: int) -> None:
    """A photo that lies on its side, and says so beside a tag of an unexpected type."""
    tag = [*ODD_TAGS.values()][number % len(ODD_TAGS)]
    Image.fromarray(np.rot90(photo)).save(path.with_suffix(".jpg"), quality=95, exif=exif(_ORIENTATION, tag))


def _no_tiff(path: Path, photo: Pixels, number: int) -> None:
    ending = (".png", ".webp")[number % 2]
    Image.fromarray(photo).save(path.with_suffix(ending), exif=b"Exif\0\0this is no TIFF", quality=95)


def _cut(path: Path, photo: Pixels, number: int) -> None:
    file = path.with_suffix(".jpg")
    Image.fromarray(photo).save(file, quality=95)
    file.write_bytes(file.read_bytes()[:-2])


def used_all(done: Done) -> Seen:
    """Right is one cell that is ok and in which every photo is; what is said is a line a kind."""
    cells = list(done.cells().values())
    outcomes = dict(cells[0]["outcomes"]) if cells else {}
    unused = {name: count for name, count in outcomes.items() if name != "ok" and count}
    well = done.status == 0 and not done.tracebacks and len(done.lines) <= 3
    right = well and len(cells) == 1 and cells[0]["status"] == "ok" and not unused
    told = ", ".join(f"{count} photos {name}" for name, count in unused.items())
    return Seen(f"{done}{f', {told}' if told else ''}{', all photos used' if right else ''}", right)


def _saved(save: Callable[[Path, Pixels, int], None]) -> Callable[[Workshop], Seen]:
    return lambda workshop: used_all(workshop.run(workshop.people(save)))


def one_failing_open(workshop: Workshop) -> Seen:
    """A run in which photos cannot be opened once, in a home of its own, and the same command again."""
    first, second = workshop.stock.users
    hook = workshop.hook(FAILING_OPEN.format(at=2, errors={first: errno.EIO, second: errno.EACCES}))
    home = workshop.folder / "home of its own"
    disturbed = workshop.run(workshop.photos, home=home, hook=hook)
    return same_or_told(workshop, disturbed, workshop.run(workshop.photos, home=home))


def same_or_told(workshop: Workshop, disturbed: Done, again: Done) -> Seen:
    """Right is a run that gives the figures of an undisturbed one, or says a line and ends with 2."""
    figures = workshop.stock.reference.cells()
    told = disturbed.status == 2 and len(disturbed.lines) == 1 and not disturbed.tracebacks
    if again.cells() != figures:
        return Seen(f"the same command later: {again}, other figures under the same digest", False)
    if not told and disturbed.cells() != figures:
        return Seen(f"{disturbed}, other figures", False)
    return Seen("one line and exit 2, then the right figures" if told else "the right figures", True)


def _canvas(photo: Pixels, width: int, height: int) -> Image.Image:
    """A large grey photo with the face in its middle, a quarter of its height."""
    whole = Image.new("RGB", (width, height), (128, 128, 128))
    side = height // 4
    whole.paste(Image.fromarray(photo).resize((side, side)), ((width - side) // 2, (height - side) // 2))
    return whole


def _one_large(workshop: Workshop, width: int, height: int) -> None:
    person = workshop.photos / workshop.stock.users[0]
    for number in range(len(workshop.stock.albums[person.name])):
        (person / f"{number}.jpg").unlink()
    photos = workshop.stock.albums[person.name]
    _canvas(photos[0], width, height).save(person / "0.jpg", quality=80)
    for number, photo in enumerate(photos[1:4], 1):
        Image.fromarray(photo).save(person / f"{number}.jpg", quality=95)


def twelve_megapixels(workshop: Workshop) -> Seen:
    """One photo of 12 megapixels among the users' eight, released as it is."""
    _one_large(workshop, 4000, 3000)
    done = workshop.run(workshop.photos, limit=180)
    seen, slow = used_all(done), done.seconds > 20
    told = f", {done.seconds:.0f} s of a core" if slow and done.status is not None else ""
    right = seen.right and not slow and done.peak < 1000
    return Seen(f"{seen.says}{told}, at most {round(done.peak, -1)} MiB", right)


def hundred_megapixels(workshop: Workshop) -> Seen:
    """One photo of 108 megapixels, as phones take it."""
    _one_large(workshop, 12000, 9000)
    return used_all(workshop.run(workshop.photos, limit=300))


def _as_heic(workshop: Workshop, people: tuple[str, ...]) -> None:
    import pillow_heif

    for person in people:
        for number, photo in enumerate(workshop.stock.albums[person]):
            path = workshop.photos / person / f"{number}.jpg"
            path.unlink()
            pillow_heif.from_pillow(Image.fromarray(photo)).save(path.with_suffix(".heic"), quality=90)


def all_heic(workshop: Workshop) -> Seen:
    """Every photo is a HEIC file, and pillow-heif is not installed."""
    _as_heic(workshop, tuple(workshop.stock.albums))
    done = workshop.run(workshop.photos, hook=workshop.hook(WITHOUT.format(module="pillow_heif")))
    wrong = "--users" in done.err or "heic" not in done.err.casefold()
    right = done.status == 2 and not done.tracebacks and not done.cells() and not wrong
    return Seen(f"{done}, {'advises fewer --users' if '--users' in done.err else 'names HEIC'}", right)


def two_heic(workshop: Workshop) -> Seen:
    """The photos of two people are HEIC files, and pillow-heif is not installed."""
    _as_heic(workshop, workshop.stock.users)
    done = workshop.run(workshop.photos, hook=workshop.hook(WITHOUT.format(module="pillow_heif")))
    told = "heic" in done.err.casefold()
    return Seen(
        f"{done}, {'told' if told else 'not told'} that 12 photos are not read",
        told and done.status in (0, 2),
    )


def copies(workshop: Workshop) -> Seen:
    """Every person has one picture in four files: as it is, with a comment, saved again, a little smaller."""

    def save(path: Path, photo: Pixels, number: int) -> None:
        if number:
            return
        picture = Image.fromarray(photo)
        picture.save(path.with_name("A.jpg"), quality=95)
        picture.save(path.with_name("A(1).jpg"), quality=95, comment=b"shared")
        picture.save(path.with_name("A-edited.jpg"), quality=88)
        picture.resize((150, 150)).save(path.with_name("A-small.jpg"), quality=92)

    done = workshop.run(workshop.people(save))
    rates = [cell["metrics"].get("cfr_clean", {}).get("value") for cell in done.cells().values()]
    if rates:
        return Seen(f"{done}, clean CFR {rates[0]}", False)
    told = any(word in done.err.casefold() for word in ("copies", "copy", "same picture", "alike"))
    return Seen(f"{done}, {'copies are named' if told else 'no word of copies'}", told and done.status == 2)


SYSTEM_FOLDERS = (
    *("#recycle", "@Recycle", "#snapshot", "@tmp", "lost+found", "RECYCLER", "System Volume Information"),
    *("@eaDir", "$RECYCLE.BIN", ".Trash-1000"),
)


def system_folders(workshop: Workshop) -> Seen:
    """Folders of systems and bins beside the people's, with copies of the people's photos in them."""
    albums = list(workshop.stock.albums)
    for number, name in enumerate(SYSTEM_FOLDERS):
        (workshop.photos / name).mkdir()
        for at in range(4):
            content = (workshop.photos / albums[number] / f"{at}.jpg").read_bytes()
            (workshop.photos / name / f"{at}.jpg").write_bytes(content)
    done = workshop.run(workshop.photos)
    same = done.cells() == workshop.stock.reference.cells()
    return Seen(
        f"{done}, {'as without them' if same else 'other people and photos'}", same and done.status == 0
    )


def cut_while_read(workshop: Workshop) -> Seen:
    """A run in which photos are cut short between two readings; then an undisturbed one in the same home."""
    home = workshop.folder / "home of its own"
    hook = workshop.hook(CUT_WHILE_READ.format(at=2, keep=900))
    disturbed = workshop.run(workshop.photos, home=home, hook=hook)
    return same_or_told(workshop, disturbed, workshop.run(workshop.photos, home=home))


def folder_away(workshop: Workshop) -> Seen:
    """The folder has been renamed when the run begins to read, and is back for the next run."""
    aside = workshop.folder / "aside"
    hook = workshop.hook(AWAY.format(at=80, folder=str(workshop.photos), aside=str(aside)))
    home = workshop.folder / "home of its own"
    disturbed = workshop.run(workshop.photos, home=home, hook=hook)
    if aside.exists():
        aside.rename(workshop.photos)
    return same_or_told(workshop, disturbed, workshop.run(workshop.photos, home=home))


def link_to_everybody(workshop: Workshop) -> Seen:
    """One person's folder holds a link to the folder of all people."""
    (workshop.photos / workshop.stock.users[0] / "all").symlink_to(workshop.photos)
    done = workshop.run(workshop.photos)
    same = done.cells() == workshop.stock.reference.cells()
    named = "all" in done.err
    return Seen(
        f"{done}, {'as without it' if same else 'other figures'}", (same or named) and done.status in (0, 2)
    )


INPUTS = (
    Input(
        "F2",
        "turned-with-odd-tags",
        "JPEG files with Orientation 6 and a tag of an unexpected type: " + ", ".join(ODD_TAGS),
        "the pixels are turned, and nothing else of the metadata matters",
        _saved(_turned),
    ),
    Input(
        "F2", "exif-is-no-tiff", "PNG and WebP files whose EXIF is no TIFF", "they are used", _saved(_no_tiff)
    ),
    Input(
        "F2", "last-bytes-missing", "JPEG files without their last two bytes", "they are used", _saved(_cut)
    ),
    Input(
        "F3",
        "open-fails-once",
        "the second opening of each photo of two people fails: EIO, EACCES",
        "the right figures, or one line and exit 2; later runs have the right figures",
        one_failing_open,
    ),
    Input(
        "F5",
        "twelve-megapixels",
        "one photo of 12 megapixels, released as it is",
        "done within 20 s of a core and 1,000 MiB",
        twelve_megapixels,
    ),
    Input(
        "F5",
        "hundred-megapixels",
        "one photo of 108 megapixels",
        "it is used",
        hundred_megapixels,
    ),
    Input(
        "F6",
        "all-heic",
        "all photos are HEIC files, and the extra `heic` is not installed",
        "exit 2, and the advice fits",
        all_heic,
    ),
    Input(
        "F6",
        "two-heic",
        "the photos of two people are HEIC files, and the extra `heic` is not installed",
        "it is told that they are not read",
        two_heic,
    ),
    Input(
        "F7",
        "copies",
        "every person has one picture in four files: with a comment, saved again, a little smaller",
        "a picture counts once, and the copies are named",
        copies,
    ),
    Input(
        "F11",
        "system-folders",
        f"folders {', '.join(SYSTEM_FOLDERS)} beside the people's, with copies of their photos",
        "the figures are as without them",
        system_folders,
    ),
    Input(
        "R1",
        "cut-while-read",
        "every photo is cut short just before it is opened for the second time, then whole again",
        "the right figures, or one line and exit 2; later runs have the right figures",
        cut_while_read,
    ),
    Input(
        "R1",
        "folder-away",
        "the folder of photos is away from the 80th opening on, and back for the next run",
        "the right figures, or one line and exit 2; later runs have the right figures",
        folder_away,
    ),
    Input(
        "R7",
        "link-to-everybody",
        "one person's folder holds a link to the folder of all people",
        "the figures are as without it, or a line names the link",
        link_to_everybody,
    ),
)
