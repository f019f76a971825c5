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
            citation="Huang, Ramesh, Berg, Learned-Miller: Labeled Faces in the Wild, UMass Amherst TR 07-49, 2007",
        )
        object.__setattr__(self, "card", card)

    def catalogue(self) -> Catalogue:
        """Every photo and who is on it, without the few that are known to be wrong."""
        used = {name: person for name, person in self.photos.items() if name not in SUSPICIOUS}
        left_out = {name: _WHY for name in SUSPICIOUS if name in self.photos}
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
