"""The built-in data set: photos of invented people, drawn when they are read."""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from bench.errors import UserError
from bench.types import Catalogue, DatasetCard, Folders, Image

from ._synthetic.populations import BENCHMARK, POPULATIONS, numbers

_NAME = re.compile(r"p(\d{6})/(\d{2,})")
_MOST_PHOTOS = 1000


@dataclass(frozen=True)
class Synthetic:
    """Stylised faces from a procedural renderer of this project: no download, no real person, true landmarks.

    The faces test the pipeline and the order of methods. No number on them carries over to real photos.

    Attributes:
        people: The number of people, 1 to 1,000,000.
        photos_each: The number of photos of every person, 1 to 1,000.
        hardness: The spread of pose, light, blur and noise; 0 is a studio, 1 is hard.
        population: Only `benchmark`; the other populations belong to the encoders' training.
    """

    people: int = 200
    photos_each: int = 20
    hardness: float = 0.6
    population: str = BENCHMARK

    def open(self, folders: Folders) -> InventedPeople:
        """Open the data set; this draws nothing and needs no folder.

        Raises:
            UserError: for parameters out of range, and for any population but the benchmark's.
        """
        del folders  # every data set is given them; this one lies in none
        this = "data set 'synthetic'"
        if self.population != BENCHMARK:
            why = "is kept for training encoders" if self.population in POPULATIONS else "does not exist"
            raise UserError(f"{this}: population {self.population!r} {why}. Type population={BENCHMARK}.")
        if not 1 <= self.people <= len(POPULATIONS[BENCHMARK]):
            raise UserError(f"{this}: people={self.people}, but it has 1 to 1000000. Try people=200.")
        if not 1 <= self.photos_each <= _MOST_PHOTOS:
            raise UserError(
                f"{this}: photos_each={self.photos_each}, but it has 1 to 1000. Try photos_each=20."
            )
        if not 0 <= self.hardness <= 2 or math.isnan(self.hardness):
            raise UserError(f"{this}: hardness={self.hardness:g}, but it goes from 0 to 2. Try hardness=0.6.")
        # drawing needs torch and Pillow; listing the data sets must not load them
        from ._synthetic.revision import renderer_revision

        return InventedPeople(self, renderer_revision())


KEPT = 1200
"""The number of drawn photos that are kept, 92 MB: a run reads the same photos several times."""


@dataclass
class InventedPeople:
    """The opened data set: see `bench.protocols.Dataset`. It names benchmark identities only.

    Attributes:
        parameters: The parameters of the data set.
        revision: The digest of the renderer.
        card: The data set's card.
    """

    parameters: Synthetic
    revision: str
    card: DatasetCard = field(init=False)
    _drawn: OrderedDict[str, Image] = field(
        default_factory=OrderedDict, init=False, repr=False, compare=False
    )
    _turn: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.card = DatasetCard(
            name="synthetic",
            revision=self.revision,
            licence="Apache-2.0 (drawn by this project's own renderer; nobody real is on them)",
            citation="cloakbench, built-in synthetic faces; cite the project by its CITATION.cff",
            default_users=20,
            default_background=30,
            identities=self.parameters.people,
            photos=self.parameters.people * self.parameters.photos_each,
        )

    def catalogue(self) -> Catalogue:
        """Every photo, such as `p000123/07`, and the person on it, `p000123`."""
        people = [f"p{number:06d}" for number in numbers(BENCHMARK, self.parameters.people)]
        numbers_each = range(self.parameters.photos_each)
        photos = sorted((f"{person}/{number:02d}", person) for person in people for number in numbers_each)
        return Catalogue(tuple(name for name, _ in photos), tuple(person for _, person in photos))

    def digest(self, photo: str) -> str:
        """Hex SHA-256 of everything that the photo's pixels depend on; this draws nothing.

        Raises:
            UserError: for a name that is not in the catalogue.
        """
        from ._synthetic.revision import photo_digest

        return photo_digest(self.revision, self.parameters.hardness, *self._numbers(photo))

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """Draw the photos, or copy the photos that were drawn lately: RGB, uint8 [160, 160, 3] each.

        Raises:
            UserError: for a name that is not in the catalogue.
        """
        from ._synthetic.render import render

        with self._turn:
            images = {photo: self._drawn[photo] for photo in photos if photo in self._drawn}
        missing = [photo for photo in dict.fromkeys(photos) if photo not in images]
        numbers_of = [self._numbers(photo) for photo in missing]
        if numbers_of:
            people, at = zip(*numbers_of, strict=True)
            pixels, _ = render(people, at, hardness=self.parameters.hardness)
            # copies: a view would keep the whole batch in memory
            images |= {photo: image.copy() for photo, image in zip(missing, pixels, strict=True)}
        with self._turn:
            for photo in photos:
                self._drawn[photo] = images[photo]
                self._drawn.move_to_end(photo)
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        return [images[photo].copy() for photo in photos]

    def _numbers(self, photo: str) -> tuple[int, int]:
        """The numbers of a photo: of its person, and of the photo among the person's photos."""
        match = _NAME.fullmatch(photo)
        if match:
            person, at = int(match[1]), int(match[2])
            drawn = person in numbers(BENCHMARK, self.parameters.people) and at < self.parameters.photos_each
            if drawn and photo == f"p{person:06d}/{at:02d}":
                return person, at
        last = f"p{self.parameters.people - 1:06d}/{self.parameters.photos_each - 1:02d}"
        raise UserError(
            f"data set 'synthetic' has no photo {photo!r}; its names go from p000000/00 to {last}."
        )


PLUGIN = Synthetic
