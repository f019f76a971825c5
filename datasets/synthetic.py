"""Built-in data set: photos of invented people, drawn when they are asked for."""

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

    They test the pipeline and the order of methods; no number on them carries over to real photos.

    Attributes:
        people: how many, 1 to 1,000,000.
        photos_each: of every person, 1 to 1,000.
        hardness: spread of pose, light, blur and noise; 0 is a studio, 1 is hard.
        population: only `benchmark`; the others belong to the encoders' training.
    """

    people: int = 200
    photos_each: int = 20
    hardness: float = 0.6
    population: str = BENCHMARK

    def open(self, folders: Folders) -> InventedPeople:
        """Make the data set ready; nothing is drawn yet, and no folder is needed.

        Raises:
            UserError: for parameters out of range, and for any population but the benchmark's.
        """
        del folders  # every data set is given them; this one lies nowhere
        asked = "data set 'synthetic'"
        if self.population != BENCHMARK:
            why = "is kept for training encoders" if self.population in POPULATIONS else "does not exist"
            raise UserError(f"{asked}: population {self.population!r} {why}. Type population={BENCHMARK}.")
        if not 1 <= self.people <= len(POPULATIONS[BENCHMARK]):
            raise UserError(f"{asked}: people={self.people}, but it has 1 to 1000000. Try people=200.")
        if not 1 <= self.photos_each <= _MOST_PHOTOS:
            raise UserError(
                f"{asked}: photos_each={self.photos_each}, but it has 1 to 1000. Try photos_each=20."
            )
        if not 0 <= self.hardness <= 2 or math.isnan(self.hardness):
            raise UserError(
                f"{asked}: hardness={self.hardness:g}, but it goes from 0 to 2. Try hardness=0.6."
            )
        # drawing needs torch and Pillow; naming this class in a list of data sets must not
        from ._synthetic.revision import renderer_revision

        return InventedPeople(self, renderer_revision())


KEPT = 1200
"""Photos that are kept once drawn, 92 MB: a run looks at the same ones again and again."""


@dataclass
class InventedPeople:
    """The opened data set: see `bench.protocols.Dataset`. It only ever names benchmark identities."""

    asked: Synthetic
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
            identities=self.asked.people,
            photos=self.asked.people * self.asked.photos_each,
        )

    def catalogue(self) -> Catalogue:
        """Every photo, `p000123/07`, and the person on it, `p000123`."""
        people = [f"p{number:06d}" for number in numbers(BENCHMARK, self.asked.people)]
        photos = sorted((f"{who}/{at:02d}", who) for who in people for at in range(self.asked.photos_each))
        return Catalogue(tuple(name for name, _ in photos), tuple(who for _, who in photos))

    def digest(self, photo: str) -> str:
        """SHA-256 of all that the photo's pixels depend on; nothing is drawn for it.

        Raises:
            UserError: for a name that is not in the catalogue.
        """
        from ._synthetic.revision import photo_digest

        return photo_digest(self.revision, self.asked.hardness, *self._numbers(photo))

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """Draw the photos, or copy those drawn of late: RGB, uint8 [160, 160, 3] each.

        Raises:
            UserError: for a name that is not in the catalogue.
        """
        from ._synthetic.render import render

        with self._turn:
            there = {photo: self._drawn[photo] for photo in photos if photo in self._drawn}
        new = [photo for photo in dict.fromkeys(photos) if photo not in there]
        asked = [self._numbers(photo) for photo in new]
        if asked:
            pixels, _ = render([i for i, _ in asked], [j for _, j in asked], hardness=self.asked.hardness)
            # copies: a view would keep all that was drawn with it
            there |= {photo: one.copy() for photo, one in zip(new, pixels, strict=True)}
        with self._turn:
            for photo in photos:
                self._drawn[photo] = there[photo]
                self._drawn.move_to_end(photo)
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        return [there[photo].copy() for photo in photos]

    def _numbers(self, photo: str) -> tuple[int, int]:
        found = _NAME.fullmatch(photo)
        if found:
            person, at = int(found[1]), int(found[2])
            known = person in numbers(BENCHMARK, self.asked.people) and at < self.asked.photos_each
            if known and photo == f"p{person:06d}/{at:02d}":
                return person, at
        last = f"p{self.asked.people - 1:06d}/{self.asked.photos_each - 1:02d}"
        raise UserError(
            f"data set 'synthetic' has no photo {photo!r}; its names go from p000000/00 to {last}."
        )


PLUGIN = Synthetic
