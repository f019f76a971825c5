"""Why a data set cannot be divided as asked: what was asked, what is there, and what to type."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import UserError
from bench.photos.reasons import kind_of
from bench.types import Catalogue, DatasetCard

if TYPE_CHECKING:
    from bench.plan.split import Request

_MORE = "or bring more photos of each person."


@dataclass(frozen=True, slots=True)
class TooFew:
    """The errors of one split.

    Attributes:
        request: What the split should be.
        catalogue: The data set's photos, and those that are left out.
        card: The data set's card.
        able: How many people have as many photos as a user needs.
        most: The most photos that a person has.
    """

    request: Request
    catalogue: Catalogue
    card: DatasetCard
    able: int
    most: int

    def too_few_users(self, users: int | None) -> UserError:
        """Too few people have as many photos as a user needs.

        Args:
            users: How many users were asked for; None where that is left to the data set.
        """
        asked = f"{users} users asked for, but " if users else ""
        has = f"{asked}data set {self.card.name!r} has {self.able} people with {self._need}"
        fewer = f"Ask for fewer {'--photos or --labelled' if self.request.labelled else '--photos'}, "
        if users and self.able:
            said = f"{has}. Ask for at most {self.able} with --users, or for fewer --photos."
        elif self.able:
            said = f"{has}, too few for one protected user and calibration. {fewer}{_MORE}"
        else:
            said = f"{has}: nobody has more than {self.most}. {fewer}{_MORE}"
        return UserError(f"{said}{self._left_out}")

    def nobody_to_tune_on(self, users: int, left: int, enough: int) -> UserError:
        """The users leave too few people to tune attackers on.

        Args:
            users: The number of users.
            left: The number of people who are left, with enough photos.
            enough: The number of photos that is enough.
        """
        return UserError(
            f"data set {self.card.name!r} has {self.able} people with {self._need}; {users} protected users "
            f"leave {left} to calibrate attackers on, and 2 with {enough} photos are needed. "
            f"Ask for fewer --users, or bring photos of more people.{self._left_out}"
        )

    def too_few(self, part: str, asked: int, here: int) -> UserError:
        """A part of the split has too few people.

        Args:
            part: `calibration` or `background`.
            asked: How many people were asked for.
            here: How many there are.
        """
        return UserError(
            f"{asked} {part} people asked for, but data set {self.card.name!r} has {here} left over. "
            f"Ask for fewer with --{part}, or leave it out."
        )

    @property
    def _need(self) -> str:
        photos, labelled = self.request.photos, self.request.labelled
        if not labelled:
            return f"{photos} photos"
        return f"{photos + labelled} photos ({photos} to release and {labelled} labelled)"

    @property
    def _left_out(self) -> str:
        """A sentence on files that are not used, with the reason that most of them have."""
        reasons = Counter(map(kind_of, self.catalogue.left_out.values()))
        if not reasons:
            return ""
        ((reason, count),) = reasons.most_common(1)
        every = len(self.catalogue.left_out)
        part = "" if count == every else f", {count} of them"
        return f" {every} files are not used{part} ({reason}): 'bench manifest --left-out' names them."
