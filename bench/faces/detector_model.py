"""What the room asks of a detector: its constants, the files that it needs, and how it is loaded.

A detector is a module in `bench/faces/detectors/` that says `DETECTOR = ItsModel()`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.errors import UserError
from bench.faces.detections import Detections
from bench.parameters import Plain
from bench.store import weights
from bench.store.sources import SOURCES
from bench.types import Folders, Image


class FaceSearch(Protocol):
    """A loaded detector. It looks at one photo at a time, and keeps nothing of it."""

    def faces(self, photo: Image, smallest: float) -> Detections:
        """Find every face of a photo.

        Args:
            photo: uint8 [height, width, 3], of any size.
            smallest: The side of the smallest face that is looked for, in pixels, at least 12.

        Returns:
            The faces, with landmarks as those of `bench.types.Face`.
        """


@dataclass(frozen=True, slots=True)
class DetectorFile:
    """The card of a file that a detector is read from.

    Attributes:
        name: The file's name, below a folder of weights.
        size: The file's size in bytes.
        sha256: The digest of its bytes.
        licence: The licence of the weights.
        source: Where the file comes from.
    """

    name: str
    size: int
    sha256: str
    licence: str
    source: str


class DetectorModel(ABC):
    """A detector, before it is loaded. Nothing slow is imported to make one.

    Attributes:
        name: The name on the command line.
        about: The line of `bench list detectors`.
        files: The files that it is read from and that no required package brings.
    """

    name: str
    about: str
    files: tuple[DetectorFile, ...] = ()

    @abstractmethod
    def constants(self) -> dict[str, Plain]:
        """Everything that decides what is found, but for the device and `bench.faces.choice.Choice`."""

    @abstractmethod
    def load(self, folders: Folders, device: str) -> FaceSearch:
        """The detector, its files verified.

        Args:
            folders: Where weights lie.
            device: `cpu`, `cuda` or `cuda:N`. A detector that has no use for a GPU runs on the CPU.

        Raises:
            UserError: Something that it needs is missing or altered.
        """

    @property
    def module(self) -> str:
        """The module whose code, with all that it imports, makes and runs the detector: for keys."""
        return type(self).__module__

    def places(self, folders: Folders) -> list[Path]:
        """The folders that are searched for its files, in order: first those of all weights."""
        beside = [Path(folders.real_data) / "detectors"] if folders.real_data else []
        return [*weights.places(folders), *beside]

    def remedy(self, folders: Folders) -> str:
        """What to type, or to do, where a file is missing."""
        names = " and ".join(file.name for file in self.files)
        by_hand = f"put {names} into {Path(folders.home) / 'weights'}"
        return f"bench fetch {self.name}, or {by_hand}" if self.name in SOURCES else by_hand

    def missing(self, folders: Folders) -> str:
        """What is missing, where it was looked for and what to type; empty where nothing is missing."""
        for file in self.files:
            if self._present(file, folders) is None:
                searched = " or ".join(map(str, self.places(folders)))
                return f"no {file.name} in {searched}: {self.remedy(folders)}"
        return ""

    def check(self, folders: Folders) -> None:
        """See that everything is here and unaltered, before anything runs.

        Raises:
            UserError: Something is missing or altered.
        """
        if missing := self.missing(folders):
            raise UserError(
                f"detector {self.name!r}: {missing}. 'bench list detectors' says where it comes from."
            )
        for file in self.files:
            self.path(file, folders)

    def path(self, file: DetectorFile, folders: Folders) -> Path:
        """Where one of the files lies, once its size and its digest are checked.

        Raises:
            UserError: It is missing or altered.
        """
        path = self._present(file, folders)
        if path is None:
            self.check(folders)
            raise AssertionError(f"{file.name} is here and is not")
        return weights.verified(path, file.sha256, file.size)

    def _present(self, file: DetectorFile, folders: Folders) -> Path | None:
        candidates = (place / file.name for place in self.places(folders))
        return next((path for path in candidates if path.is_file()), None)
