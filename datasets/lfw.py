"""Labelled Faces in the Wild: `<Person>/<Person>_NNNN.jpg`, in a folder that the user has."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.errors import UserError, cannot_read, unknown_name
from bench.types import DatasetCard, Folders

from ._files.photo_files import PhotoFiles
from ._files.places import entries, is_folder, named_folder, places, unreadable

SUSPICIOUS = (
    "Britney_Spears/Britney_Spears_0008.jpg",
    "Mahmoud_Abbas/Mahmoud_Abbas_0012.jpg",
    "Michael_Schumacher/Michael_Schumacher_0008.jpg",
    "Nicole_Kidman/Nicole_Kidman_0019.jpg",
    "Recep_Tayyip_Erdogan/Recep_Tayyip_Erdogan_0004.jpg",
)
"""Photos that every encoder in a trial placed far from the other photos of their person."""

VARIANTS = {"funneled": "lfw_funneled", "deepfunneled": "lfw-deepfunneled", "original": "lfw"}
"""Variant, by how the photos were aligned -> the folder that the variant's archive unpacks to."""

_FETCHED = {"deepfunneled": "lfw-deepfunneled", "original": "lfw-original"}
"""Variant -> its name for `bench fetch`; the funneled photos are `lfw`."""

NOT_STATED = "not stated"

DEEPFUNNELED = {
    "Aaron_Peirsol": "f9cf7eec9aad86731228422c8812616939e2bbff2f8345bb13df17a31e1a9b1e",
    "George_W_Bush": "4f19991979a6138e73fa0a75a34bcab30eaea46d3670a7047a1451c1b178e91f",
}
"""Person -> sha256 of the first photo after deep funneling. A folder that holds one of these files is the
deep-funneled variant, whatever its name."""

_WHY = "probably mislabelled, or another face in the photo was detected"
_PHOTO = re.compile(r"(?P<person>.+)_\d{4}\.jpe?g", re.IGNORECASE)


@dataclass(frozen=True)
class Lfw:
    """LFW (Huang et al. 2007): funneled, deep-funneled or original, from a folder; nothing is downloaded.

    Attributes:
        variant: `funneled`, `deepfunneled` or `original`; empty takes the first variant that is found. The
            record states the variant if the folder's name or its photos tell it.
        root: The folder with one folder a person, if it is in none of the usual places.
    """

    variant: str = ""
    root: str = field(default="", metadata={"recorded": False})

    def open(self, folders: Folders) -> LfwPhotos:
        """Find the photos.

        Raises:
            UserError: if there are none, naming the places that were searched; for an unknown variant.
        """
        this = "data set 'lfw'"
        variant = _variant(self.variant)
        candidates = [named_folder(this, self.root)] if self.root else _places(folders, variant)
        for root in candidates:
            if not is_folder(this, root):
                continue
            paths = _photos(this, root)
            if paths:
                photos = _opened(root, paths, variant, folders.home)
                if photos is not None:
                    return photos
        where = " or ".join(str(root) for root in candidates if root.parent.name != root.name)
        what = f"variant {variant!r} of {this}" if variant else f"photos of {this}"
        raise UserError(
            f"no {what} in {where}: put <Person>/<Person>_NNNN.jpg there, "
            f"set BENCH_REAL_DATA, or type 'bench fetch {_FETCHED.get(variant, 'lfw')}'."
        )


@dataclass(frozen=True)
class LfwPhotos(PhotoFiles):
    """LFW in one folder. See `bench.protocols.Dataset`.

    Attributes:
        listed: Photo -> sha256, as `images.jsonl` beside the folder lists it; empty without such a file.
    """

    listed: dict[str, str] = field(default_factory=dict)

    def left_out(self) -> dict[str, str]:
        """Probably mislabelled photos, copies, and photos that differ from what `images.jsonl` lists."""
        out = super().left_out() | {name: _WHY for name in SUSPICIOUS if name in self.paths}
        contents = self.digests([name for name in self.paths if name in self.listed])
        changed = (name for name, digest in contents.items() if digest != self.listed[name])
        return out | dict.fromkeys(changed, "not the file that images.jsonl lists: its sha256 differs")


def _variant(text: str) -> str:
    """The name of a variant, from its name or the name of its folder."""
    folders = {folder: name for name, folder in VARIANTS.items()}
    name = folders.get(text, text)
    if name and name not in VARIANTS:
        raise unknown_name("variant of data set 'lfw'", text, VARIANTS, command="bench list datasets")
    return name


def _opened(root: Path, paths: dict[str, str], variant: str, home: str) -> LfwPhotos | None:
    """The photos of a folder; None if they show that they are of another variant.

    Args:
        root: The folder.
        paths: Photo -> path of the file.
        variant: The variant that the user wants; empty for any.
        home: The folder `BENCH_HOME`.
    """
    about = DatasetCard(
        name="lfw",
        revision="",
        licence="published for research; the photos remain their owners'",
        citation="Huang, Ramesh, Berg, Learned-Miller: LFW, UMass Amherst TR 07-49, 2007",
    )
    photos = LfwPhotos(about, home, paths, listed=_listed(root))
    first = {f"{person}/{person}_0001.jpg": digest for person, digest in DEEPFUNNELED.items()}
    present = [name for name in first if name in paths]
    if any(digest == first[name] for name, digest in photos.digests(present).items()):
        actual = "deepfunneled"
    else:
        by_folder = {"lfw_funneled": "funneled", "lfw-deepfunneled": "deepfunneled"}
        actual = by_folder.get(root.name, variant or NOT_STATED)
    if variant and actual != variant:
        return None
    return replace(photos, about=replace(about, resolved={"variant": actual}))


def _places(folders: Folders, variant: str) -> list[Path]:
    """The folders where LFW may lie: a plain one, an archive's, or the one of scikit-learn's download."""
    archives = list(VARIANTS.values())
    below = ["lfw", *(f"lfw/{name}" for name in archives)]
    home = [*below, *(f"lfw_home/{name}" for name in archives)]
    usual = places(folders, *home, real=(*below, "lfw_funneled", "lfw-deepfunneled"))
    # some archives hold their folder twice, one in the other
    candidates = list(dict.fromkeys(place for root in usual for place in (root, root / root.name)))
    if variant:
        # a folder called `lfw` may hold any of the three variants: the variant's own folder comes first
        own = VARIANTS[variant]
        candidates = sorted((p for p in candidates if p.name in (own, "lfw")), key=lambda p: p.name != own)
    return candidates


def _photos(dataset: str, root: Path) -> dict[str, str]:
    """Photo -> path of the file, sorted by name."""
    try:
        paths = {
            f"{folder.name}/{file.name}": file.path
            for folder in entries(root)
            if folder.is_dir()
            for file in entries(folder.path)
            if (match := _PHOTO.fullmatch(file.name)) and match["person"] == folder.name
        }
    except OSError as error:
        raise unreadable(dataset, error) from error
    return dict(sorted(paths.items()))


def _listed(root: Path) -> dict[str, str]:
    """Photo -> sha256, as `images.jsonl` beside the folder lists it; empty if there is no such file."""
    index = root.parent / "images.jsonl"
    if not index.is_file():
        return {}
    prefix = f"{root.name}/"
    try:
        rows = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines() if line]
        return {e["file"].removeprefix(prefix): e["sha256"] for e in rows if e["file"].startswith(prefix)}
    except OSError as error:
        raise cannot_read(error, str(index)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{index} is damaged ({error}). Delete it, or get it again.") from error


PLUGIN = Lfw
