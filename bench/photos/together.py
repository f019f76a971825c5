"""The people of a folder as protected users, among the people of another data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from bench.photos.reasons import SHOWS_A_USER
from bench.protocols import Dataset
from bench.store.digests import digest
from bench.types import Catalogue, DatasetCard, Image


class Together:
    """Two data sets as one: the people of the first are the users, those of the second play all other parts.

    Nobody plays two parts: whoever of the second has the name of a user, or a file that a user has, is left
    out with all photos. See `bench.protocols.Dataset`.
    """

    def __init__(self, users: Dataset, others: Dataset) -> None:
        """Store.

        Args:
            users: The users' photos. It states no boxes.
            others: Everybody else's.
        """
        self._users, self._others = users, others

    @cached_property
    def card(self) -> DatasetCard:
        """What is stated about both; the revision is a digest of both revisions."""
        users, others, used = self._users.card, self._others.card, self.catalogue()
        return replace(
            others,
            name=f"{others.name}+{users.name}",
            revision=digest("together", users.revision, others.revision),
            licence=f"users: {users.licence}; others: {others.licence}",
            citation=f"users: {users.citation}; others: {others.citation}",
            default_users=None,
            identities=len(set(used.identities)),
            photos=len(used.photos),
            resolved={f"others_{name}": value for name, value in others.resolved.items()},
            unsorted=False,
        )

    def catalogue(self) -> Catalogue:
        """Every photo and the person on it, but for others who are users."""
        return self._catalogue

    def digest(self, photo: str) -> str:
        """See `Dataset.digest`."""
        return self._of(photo).digest(photo)

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """See `Dataset.read`."""
        read: dict[str, bytes | Image] = {}
        for data in (self._users, self._others):
            own = [photo for photo in photos if self._of(photo) is data]
            read.update(zip(own, data.read(own) if own else [], strict=True))
        return [read[photo] for photo in photos]

    def _of(self, photo: str) -> Dataset:
        return self._users if photo in self._names else self._others

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self._users.catalogue().photos)

    @cached_property
    def _catalogue(self) -> Catalogue:
        users, others = self._users.catalogue(), self._others.catalogue()
        protected = frozenset(users.identities)
        held = {self._users.digest(photo) for photo in users.photos}
        self._others.card  # noqa: B018 - it computes all digests at once, where one by one takes longer
        rows = list(zip(others.photos, others.identities, strict=True))
        known = {
            person for photo, person in rows if photo in self._names or self._others.digest(photo) in held
        }
        out = {photo: SHOWS_A_USER for photo, person in rows if person in known | protected}
        kept = [(photo, person) for photo, person in rows if photo not in out]
        merged = sorted([*zip(users.photos, users.identities, strict=True), *kept])
        return Catalogue(
            tuple(photo for photo, _ in merged),
            tuple(person for _, person in merged),
            {**others.left_out, **users.left_out, **out},
            others.boxes,
            protected,
        )
