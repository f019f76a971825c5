"""VGGFace2 in its own layout: `train/` and `test/`, `n000001/0001_01.jpg`, boxes and lists beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import UserError, unknown_name
from bench.types import Box, DatasetCard, Folders

from ._files.boxes import marked
from ._files.photo_files import PhotoFiles
from ._files.places import entries, is_folder, named_folder, places, unreadable
from ._files.tables import lines, parts_of_people, table

PARTS = ("test", "train")

_PERSON = re.compile(r"n\d{6}")
_PHOTO = re.compile(r"\d+_\d+\.jpe?g", re.IGNORECASE)
_BESIDE = ("", "meta", "data", "bb_landmark", "meta/bb_landmark", "data/bb_landmark")


@dataclass(frozen=True)
class Vggface2:
    """VGGFace2 (Cao et al. 2018): 500 people to test on, 8,631 to train on, from a folder that you have.

    A person's name is the class, such as `n000001`; the names in `identity_meta.csv` are not read.

    Attributes:
        part: `test` or `train`. Encoders trained on VGGFace2 have seen the people of `train`.
        root: The folder that holds both parts, if it is in none of the usual places.
    """

    part: str = "test"
    root: str = field(default="", metadata={"recorded": False})

    def open(self, folders: Folders) -> PhotoFiles:
        """Find the photos of one part, and the boxes of the faces in them.

        Raises:
            UserError: if there are no photos, naming the places that were searched; for an unknown part; for
                a damaged list or table.
        """
        this = "data set 'vggface2'"
        if self.part not in PARTS:
            raise unknown_name(f"part of {this}", self.part, PARTS, command="bench list datasets")
        usual = places(folders, "vggface2", real=("vggface2",))
        roots = [named_folder(this, self.root)] if self.root else usual
        for root in roots:
            if is_folder(this, root):
                photos = _opened(this, root, self.part, folders.home)
                if photos is not None:
                    return photos
        where = " or ".join(map(str, roots))
        raise UserError(
            f"no photos of part {self.part!r} of {this} in {where}: put {self.part}/n000001/0001_01.jpg and "
            "so on there, set BENCH_REAL_DATA, or type vggface2:root=PATH."
        )


def _opened(dataset: str, root: Path, part: str, home: str) -> PhotoFiles | None:
    """The photos of a part in a folder; None if there are none."""
    out: dict[str, str] = {}
    try:
        files = {
            f"{person}/{file.name}": file.path
            for person, folder in _people(dataset, root, part, out).items()
            for file in entries(folder)
            if _PHOTO.fullmatch(file.name)
        }
    except OSError as error:
        raise unreadable(dataset, error) from error
    listed = _listed(root, part, files)
    paths = {name: path for name, path in sorted(files.items()) if name in listed}
    if not paths:
        return None
    out |= {name: f"not in the list of part {part!r}" for name in files if name not in paths}
    out |= {name: f"in the list of part {part!r}, but not there" for name in listed if name not in paths}
    boxes = _boxes(root, part, paths)
    about = DatasetCard(
        name="vggface2",
        revision="",
        licence="for research, as its publishers licensed it; the photos remain their owners'",
        citation="Cao, Shen, Xie, Parkhi, Zisserman: VGGFace2, IEEE FG 2018, arXiv 1710.08092",
    )
    notes = tuple(f"box {name} {box}" for name, box in boxes.items())
    return PhotoFiles(about, home, paths, out, boxes, notes)


def _people(dataset: str, root: Path, part: str, out: dict[str, str]) -> dict[str, str]:
    """Class -> folder, sorted.

    Of a tree without `train/` and `test/`, the table says which classes are in the part.

    Args:
        dataset: The data set's name in messages.
        root: The folder of the tree.
        part: `test` or `train`.
        out: Name -> why it is left out; classes that the table does not tell about are added.
    """
    for folder in (part, f"vggface2_{part}", f"vggface2_{part}/{part}"):
        for name in (folder, f"data/{folder}"):
            if is_folder(dataset, root / name) and (classes := _classes(root / name)):
                return classes
    classes = _classes(root)
    if not classes:
        return {}
    meta = _beside(root, "identity_meta.csv")
    if meta is None:
        raise UserError(
            f"{dataset}: {root} has people, but nothing says who is in part {part!r}. Put them into {part}/, "
            "or identity_meta.csv beside them."
        )
    parts = parts_of_people(meta)
    out |= {name: "identity_meta.csv does not say in which part" for name in classes if name not in parts}
    return {name: folder for name, folder in classes.items() if parts.get(name) == part}


def _classes(folder: Path) -> dict[str, str]:
    return {e.name: e.path for e in entries(folder) if _PERSON.fullmatch(e.name) and e.is_dir()}


def _boxes(root: Path, part: str, paths: Mapping[str, str]) -> dict[str, Box]:
    """Photo -> box in pixels of the file, from the table of boxes, or else from the table of landmarks."""
    sides = _table(root, f"loose_bb_{part}.csv", 4)
    boxes = {name: (x, y, x + w, y + h) for name, (x, y, w, h) in sides.items() if w > 0 < h}
    points = _table(root, f"loose_landmark_{part}.csv", 10)
    boxes |= {name: marked(points[name]) for name in points if name not in boxes}
    return {name: boxes[name] for name in paths if name in boxes}


def _beside(root: Path, *names: str) -> Path | None:
    """The first file of these names in any of the folders where copies of the data set keep them."""
    candidates = (root / folder / name for folder in _BESIDE for name in names)
    return next((path for path in candidates if path.is_file()), None)


def _listed(root: Path, part: str, files: Mapping[str, str]) -> Mapping[str, object]:
    """The photos of a part, in order: the photos of the list if there is one, or else all."""
    path = _beside(root, f"{part}_list.txt", f"{part}.txt")
    return files if path is None else dict.fromkeys(line.replace("\\", "/") for _, line in lines(path))


def _table(root: Path, name: str, columns: int) -> Mapping[str, tuple[float, ...]]:
    path = _beside(root, name)
    return {} if path is None else table(path, columns)


PLUGIN = Vggface2
