"""Labelled Faces in the Wild: `<Person>/<Person>_NNNN.jpg`, in a folder that the user has."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import UserError
from bench.types import Catalogue, DatasetCard, Folders, Image

SUSPICIOUS = (
    "Britney_Spears/Britney_Spears_0008.jpg",
    "Mahmoud_Abbas/Mahmoud_Abbas_0012.jpg",
    "Michael_Schumacher/Michael_Schumacher_0008.jpg",
    "Nicole_Kidman/Nicole_Kidman_0019.jpg",
    "Recep_Tayyip_Erdogan/Recep_Tayyip_Erdogan_0004.jpg",
)
"""Photos that every encoder tried places far from the rest of their person."""

_WHY = "probably mislabelled, or another face in the photo was detected"
_PHOTO = re.compile(r"(?P<person>.+)_\d{4}\.jpe?g")
_digests: dict[tuple[str, int, int], str] = {}


@dataclass(frozen=True)
class Lfw:
    """LFW (Huang et al. 2007), from a folder; nothing is downloaded.

    Attributes:
        variant: name of the folder to take when several are there, such as `lfw_funneled` or
            `lfw-deepfunneled`; empty takes the first that is found.
    """

    variant: str = ""

    def open(self, folders: Folders) -> LfwPhotos:
        """Find the photos and read their digests.

        Raises:
            UserError: if there are none, naming the places that were searched.
        """
        candidates = [p for p in _places(folders) if not self.variant or p.name == self.variant]
        for root in candidates:
            if root.is_dir():
                photos = _photos(root)
                if photos:
                    return LfwPhotos(root, photos)
        looked = " or ".join(str(p) for p in candidates) or f"any folder called {self.variant!r}"
        raise UserError(
            f"no photos of data set 'lfw' in {looked}: put <Person>/<Person>_NNNN.jpg there, "
            "set BENCH_REAL_DATA, or type 'bench fetch lfw'."
        )


@dataclass(frozen=True)
class LfwPhotos:
    """LFW in one folder. See `bench.protocols.Dataset`.

    Attributes:
        root: the folder.
        photos: photo name (path below the root) -> person, sorted.
        card: what it is; its revision is the digest of every file's name and content.
    """

    root: Path
    photos: dict[str, str]
    card: DatasetCard = field(init=False)

    def __post_init__(self) -> None:
        lines = "".join(f"{name} {self.digest(name)}\n" for name in self.photos)
        card = DatasetCard(
            name="lfw",
            revision=hashlib.sha256(lines.encode()).hexdigest(),
            licence="published for research; the photos remain their owners'",
            citation="Huang, Ramesh, Berg, Learned-Miller: LFW, UMass Amherst TR 07-49, 2007",
        )
        object.__setattr__(self, "card", card)

    def catalogue(self) -> Catalogue:
        """Every photo and who is on it, without those known to be wrong or not what `images.jsonl` lists."""
        listed = _listed(self.root)
        left_out = {name: _WHY for name in SUSPICIOUS if name in self.photos}
        for name in self.photos:
            if listed.get(name, self.digest(name)) != self.digest(name):
                left_out[name] = "not the file that images.jsonl lists: its sha256 differs"
        used = {name: person for name, person in self.photos.items() if name not in left_out}
        return Catalogue(tuple(used), tuple(used.values()), left_out)

    def digest(self, photo: str) -> str:
        """Hex sha256 of the file; of nothing, where it cannot be read."""
        path = self.root / photo
        try:
            stat = path.stat()
            key = (str(path), stat.st_size, stat.st_mtime_ns)
            if key not in _digests:
                _digests[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            return hashlib.sha256(b"").hexdigest()
        return _digests[key]

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """The files. One that cannot be read is `b""`, which `bench.photos.decode` reports as unreadable."""
        return [_bytes(self.root / photo) for photo in photos]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # documented above: the run goes on, and the photo's outcome says so


def _places(folders: Folders) -> list[Path]:
    """Where LFW may lie: as a plain folder, or as scikit-learn's download unpacks it."""
    home = Path(folders.home) / "data"
    real = [Path(folders.real_data) / "lfw"] if folders.real_data else []
    return [*real, home / "lfw", *(home / "lfw_home" / name for name in ("lfw_funneled", "lfw-deepfunneled"))]


def _photos(root: Path) -> dict[str, str]:
    try:
        found = {
            f"{folder.name}/{file.name}": folder.name
            for folder in root.iterdir()
            if folder.is_dir()
            for file in folder.iterdir()
            if (match := _PHOTO.fullmatch(file.name)) and match["person"] == folder.name
        }
    except OSError as error:
        raise UserError(f"data set 'lfw': cannot read {error.filename}: {error.strerror}.") from error
    return dict(sorted(found.items()))


def _listed(root: Path) -> dict[str, str]:
    """Photo -> sha256 as `images.jsonl` beside the folder lists them; empty where there is no such file."""
    index = root.parent / "images.jsonl"
    if not index.is_file():
        return {}
    prefix = f"{root.name}/"
    try:
        entries = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines() if line]
        return {e["file"].removeprefix(prefix): e["sha256"] for e in entries if e["file"].startswith(prefix)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{index} is damaged ({error}). Delete it, or get it again.") from error


PLUGIN = Lfw
