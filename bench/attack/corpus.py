"""Who is on each photo of an attacker's collection. Never shown to an attacker.

The collection is laid out once: the released photos user by user, then the users' clean labelled photos, then
everybody else's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bench.plan.split import Split
from bench.types import Labels, Mask


@dataclass(frozen=True)
class Corpus:
    """Who is on each photo of the attacker's collection, and why it is there. Never shown to an attacker.

    Attributes:
        owners: int64 [photo]: users from 0, then background people.
        released: bool [photo].
        linked: bool [photo]: clean photos of users that carry their name.
        users: int64 [user].
        poisoned: whether released photos carry the users' names and the linked ones are looked for.
    """

    owners: Labels
    released: Mask
    linked: Mask
    users: Labels
    poisoned: bool = False

    @classmethod
    def of(cls, split: Split, *, poisoned: bool = False) -> Corpus:
        """Lay out a split's released, labelled and background photos, in this order."""
        users = len(split.released)
        sizes = [
            *((i, len(photos)) for i, photos in enumerate(split.released)),
            *((i, len(photos)) for i, photos in enumerate(split.labelled)),
            *((users + i, len(photos)) for i, photos in enumerate(split.background)),
        ]
        owners = np.repeat([i for i, _ in sizes], [n for _, n in sizes]).astype(np.int64)
        released = np.zeros(owners.size, bool)
        linked = np.zeros(owners.size, bool)
        shown, named = sum(map(len, split.released)), sum(map(len, split.labelled))
        released[:shown] = True
        linked[shown : shown + named] = True
        return cls(owners, released, linked, np.arange(users, dtype=np.int64), poisoned)

    def among(self, strangers: Labels) -> Corpus:
        """The same with more background people.

        Args:
            strangers: int64 [photo], who is on each further photo, from 0.
        """
        first = int(self.owners.max()) + 1
        nothing = np.zeros(strangers.size, bool)
        return replace(
            self,
            owners=np.concatenate([self.owners, first + strangers]),
            released=np.concatenate([self.released, nothing]),
            linked=np.concatenate([self.linked, nothing]),
        )

    @property
    def background(self) -> Mask:
        """Bool [photo]: everybody else's."""
        return self.owners >= self.users.size

    @property
    def probes(self) -> Mask:
        """Bool [photo]: what an identification attacker is asked about."""
        return self.linked if self.poisoned else self.released

    @property
    def gallery(self) -> Mask:
        """Bool [photo]: what it knows people from."""
        return ~self.probes
