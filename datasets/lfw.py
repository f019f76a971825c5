"""Labelled Faces in the Wild: `<Person>/<Person>_NNNN.jpg`, in a folder that the user has."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.errors import UserError, unknown_name
from bench.types import DatasetCard, Folders

from ._files.photo_files import PhotoFiles, entries, is_folder, named_folder, places, unreadable

SUSPICIOUS = (
    "Britney_Spears/Britney_Spears_0008.jpg",
    "Mahmoud_Abbas/Mahmoud_Abbas_0012.jpg",
    "Michael_Schumacher/Michael_Schumacher_0008.jpg",
    "Nicole_Kidman/Nicole_Kidman_0019.jpg",
    "Recep_Tayyip_Erdogan/Recep_Tayyip_Erdogan_0004.jpg",
)
"""Photos that every encoder tried places far from the rest of their person."""

VARIANTS = {"funneled": "lfw_funneled", "deepfunneled": "lfw-deepfunneled", "original": "lfw"}
"""How the photos were aligned -> the folder that its archive unpacks to."""

_FETCHED = {"deepfunneled": "lfw-deepfunneled", "original": "lfw-original"}
"""What `bench fetch` calls a variant; the funneled photos are `lfw`."""

NOT_STATED = "not stated"

DEEPFUNNELED = {
    "Aaron_Peirsol": "f9cf7eec9aad86731228422c8812616939e2bbff2f8345bb13df17a31e1a9b1e",
    "George_W_Bush": "4f19991979a6138e73fa0a75a34bcab30eaea46d3670a7047a1451c1b178e91f",
}
"""Person -> sha256 of the first photo as deep funneling left it. A folder with one of them is known by it,
whatever it is called."""

_WHY = "probably mislabelled, or another face in the photo was detected"
_PHOTO = re.compile(r"(?P<person>.+)_\d{4}\.jpe?g", re.IGNORECASE)


@dataclass(frozen=True)
class Lfw:
    """LFW (Huang et al. 2007): funneled, deep-funneled or original, from a folder; nothing is downloaded.

    Attributes:
        variant: `funneled`, `deepfunneled` or `original`; empty takes the first that is found, and the record
            says which that was, if anything about the folder does.
        root: the folder with one folder a person, where it is in none of the usual places.
    """

    variant: str = ""
    root: str = field(default="", metadata={"recorded": False})

    def open(self, folders: Folders) -> LfwPhotos:
        """Find the photos.

        Raises:
            UserError: if there are none, naming the places that were searched; for an unknown variant.
        """
        asked = "data set 'lfw'"
        variant = _variant(self.variant)
        candidates = [named_folder(asked, self.root)] if self.root else _places(folders, variant)
        for root in candidates:
            if not is_folder(asked, root):
                continue
            paths = _photos(asked, root)
            if paths:
                photos = _opened(root, paths, variant, folders.home)
                if photos is not None:
                    return photos
        where = " or ".join(str(root) for root in candidates if root.parent.name != root.name)
        what = f"variant {variant!r} of {asked}" if variant else f"photos of {asked}"
        raise UserError(
            f"no {what} in {where}: put <Person>/<Person>_NNNN.jpg there, "
            f"set BENCH_REAL_DATA, or type 'bench fetch {_FETCHED.get(variant, 'lfw')}'."
        )


@dataclass(frozen=True)
class LfwPhotos(PhotoFiles):
    """LFW in one folder. See `bench.protocols.Dataset`.

    Attributes:
        listed: photo -> sha256 as `images.jsonl` beside the folder lists them; empty without such a file.
    """

    listed: dict[str, str] = field(default_factory=dict)

    def left_out(self) -> dict[str, str]:
        """Those known to be wrong, and those that are not what `images.jsonl` lists."""
        out = {name: _WHY for name in SUSPICIOUS if name in self.paths}
        found = self.digests([name for name in self.paths if name in self.listed])
        changed = (name for name, digest in found.items() if digest != self.listed[name])
        return out | dict.fromkeys(changed, "not the file that images.jsonl lists: its sha256 differs")


def _variant(asked: str) -> str:
    """The name of a variant; the name of its folder is understood too."""
    folders = {folder: name for name, folder in VARIANTS.items()}
    name = folders.get(asked, asked)
    if name and name not in VARIANTS:
        raise unknown_name("variant of data set 'lfw'", asked, VARIANTS, command="bench list datasets")
    return name


def _opened(root: Path, paths: dict[str, str], variant: str, home: str) -> LfwPhotos | None:
    """None where the photos show that they are another variant than was asked for."""
    about = DatasetCard(
        name="lfw",
        revision="",
        licence="published for research; the photos remain their owners'",
        citation="Huang, Ramesh, Berg, Learned-Miller: LFW, UMass Amherst TR 07-49, 2007",
    )
    people = {name: name.partition("/")[0] for name in paths}
    photos = LfwPhotos(about, home, paths, people, listed=_listed(root))
    first = {f"{person}/{person}_0001.jpg": digest for person, digest in DEEPFUNNELED.items()}
    known = [name for name in first if name in paths]
    if any(digest == first[name] for name, digest in photos.digests(known).items()):
        found = "deepfunneled"
    else:
        by_folder = {"lfw_funneled": "funneled", "lfw-deepfunneled": "deepfunneled"}
        found = by_folder.get(root.name, variant or NOT_STATED)
    if variant and found != variant:
        return None
    return replace(photos, about=replace(about, resolved={"variant": found}))


def _places(folders: Folders, variant: str) -> list[Path]:
    """Where LFW may lie: as a plain folder, as an archive or as scikit-learn's download unpacks it."""
    archives = list(VARIANTS.values())
    below = ["lfw", *(f"lfw/{name}" for name in archives)]
    home = [*below, *(f"lfw_home/{name}" for name in archives)]
    found = places(folders, *home, real=(*below, "lfw_funneled", "lfw-deepfunneled"))
    # some archives have their folder twice, one in the other
    found = list(dict.fromkeys(place for root in found for place in (root, root / root.name)))
    if variant:
        # a folder of the plain name may hold any of the three: the others first
        own = VARIANTS[variant]
        found = sorted((p for p in found if p.name in (own, "lfw")), key=lambda p: p.name != own)
    return found


def _photos(asked: str, root: Path) -> dict[str, str]:
    try:
        found = {
            f"{folder.name}/{file.name}": file.path
            for folder in entries(root)
            if folder.is_dir()
            for file in entries(folder.path)
            if (match := _PHOTO.fullmatch(file.name)) and match["person"] == folder.name
        }
    except OSError as error:
        raise unreadable(asked, error) from error
    return dict(sorted(found.items()))


def _listed(root: Path) -> dict[str, str]:
    """Photo -> sha256 as `images.jsonl` beside the folder lists them; empty where there is no such file."""
    index = root.parent / "images.jsonl"
    if not index.is_file():
        return {}
    prefix = f"{root.name}/"
    try:
        rows = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines() if line]
        return {e["file"].removeprefix(prefix): e["sha256"] for e in rows if e["file"].startswith(prefix)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{index} is damaged ({error}). Delete it, or get it again.") from error


PLUGIN = Lfw
