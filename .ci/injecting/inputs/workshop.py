"""Where inputs are built: drawn photos, a home in which their run is done, and the checkout to look at."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from bench import registry
from bench.types import Folders
from injecting.inputs.checkout import Checkout, Done

Pixels = npt.NDArray[np.uint8]
PEOPLE, EACH = 12, 6
SIZES = ("--users", "2", "--photos", "4", "--background", "2", "--device", "cpu")
ONE = ("--encoder", "synth-ir", "--defense", "none", "--attacker", "dbscan")


def drawn() -> dict[str, list[Pixels]]:
    """Person -> photos, uint8 [160, 160, 3] each, of invented people."""
    opened = registry.load("datasets", "synthetic")(people=PEOPLE, photos_each=EACH).open(Folders(home=""))
    names = list(opened.catalogue().photos)
    albums: dict[str, list[Pixels]] = {}
    for name, photo in zip(names, opened.read(names), strict=True):
        albums.setdefault(name.partition("/")[0], []).append(photo)
    return albums


@dataclass
class Workshop:
    """A folder for one input.

    Attributes:
        folder: The folder, empty at first.
        stock: What all inputs share.
    """

    folder: Path
    stock: Stock

    @cached_property
    def photos(self) -> Path:
        """A copy of the photos, a folder a person."""
        return shutil.copytree(self.stock.photos, self.folder / "photos")

    @cached_property
    def home(self) -> Path:
        """A copy of a BENCH_HOME in which the run of the photos is done."""
        return shutil.copytree(self.stock.home, self.folder / "home")

    def people(self, save: Callable[[Path, Pixels, int], None], name: str = "people") -> Path:
        """A folder a person, of photos that `save` writes.

        Args:
            save: (path without ending, pixels, number of the photo) writes a file.
            name: Of the folder.
        """
        for person, photos in self.stock.albums.items():
            place = self.folder / name / person
            place.mkdir(parents=True)
            for number, photo in enumerate(photos):
                save(place / f"{number}", photo, number)
        return self.folder / name

    def bench(self, *arguments: str | Path, home: Path | None = None, **more: Any) -> Done:
        """Run a command, with the BENCH_HOME of this workshop unless another is given."""
        more.setdefault("here", self.folder)
        more.setdefault("BENCH_HOME", str(home or self.home))
        return self.stock.checkout.run(*arguments, **more)

    def run(self, photos: Path, *arguments: str | Path, **more: Any) -> Done:
        """`bench run` of a small cell on a folder of photos, printed as JSON."""
        words = ("run", "--dataset", f"folder:{photos}", *SIZES, "--json", *(arguments or ONE))
        return self.bench(*words, **more)

    def hook(self, code: str) -> Path:
        """A folder with code that a command loads before anything else."""
        place = Path(tempfile.mkdtemp(prefix="hook-", dir=self.folder))
        (place / "sitecustomize.py").write_text(code, "utf-8")
        return place


class Stock:
    """What all inputs of a checkout share.

    Attributes:
        checkout: The checkout.
        albums: Person -> drawn photos.
        photos: The photos as JPEG files, a folder a person.
        home: A BENCH_HOME in which their run is done.
        reference: How that run ended.
        users: The two people who are protected in it.
    """

    def __init__(self, code: Path, root: Path) -> None:
        """Draw the photos and run the small cell once.

        Args:
            code: The checkout.
            root: An empty folder.

        Raises:
            RuntimeError: The run fails, so that nothing can be said about any input.
        """
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
        home = root / "user"
        home.mkdir()
        self.checkout = Checkout(code, kept | {"HOME": str(home), "OMP_NUM_THREADS": "1", "COLUMNS": "80"})
        self.albums = drawn()
        self.photos, self.home = root / "photos", root / "home"
        for person, photos in self.albums.items():
            (self.photos / person).mkdir(parents=True)
            for number, photo in enumerate(photos):
                Image.fromarray(photo).save(self.photos / person / f"{number}.jpg", quality=95)
        self.reference = Workshop(root, self).run(self.photos, home=self.home, limit=300)
        if self.reference.status != 0:
            raise RuntimeError(f"the small run fails: {self.reference}\n{self.reference.err}")
        words = ("manifest", "--dataset", f"folder:{self.photos}", *SIZES[:6])
        listed = Workshop(root, self).bench(*words, home=self.home).out
        released = {line.rpartition(",")[2] for line in listed.splitlines() if line.startswith("released")}
        shown = (path for path in sorted(self.photos.rglob("*.jpg")) if _sha256(path) in released)
        self.users = tuple(dict.fromkeys(path.parent.name for path in shown))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
