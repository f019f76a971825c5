"""The parameters of the search for neighbours, which every attacker shares that looks for some."""

from __future__ import annotations

from dataclasses import dataclass

from bench.errors import UserError

from .._parameters.attacker import Attacker


@dataclass(frozen=True, kw_only=True)
class Searching(Attacker):
    """An attacker that looks for the neighbours of photos, and what the search itself is handed.

    A record lists these parameters behind the attacker's own: they are keyword-only.

    Attributes:
        exact_up_to: The number of photos up to which all pairs are compared. Beyond it, neighbours come from
            inverted lists.
        probes: The number of inverted lists, the nearest to a photo, in which its neighbours are looked for.
        seed: The seed of the sample that the lists are learned from, and of whatever else is random in the
            attacker.
    """

    exact_up_to: int = 30_000
    probes: int = 24
    seed: int = 0

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        if self.exact_up_to < 0 or self.probes < 1 or self.seed < 0:
            raise UserError(
                f"{self.name}: exact_up_to {self.exact_up_to} and seed {self.seed} must be at least 0, "
                f"probes {self.probes} at least 1. Leave them out for the defaults."
            )


EXACT = Searching(exact_up_to=2**31)
"""A search that compares all pairs, however many photos there are."""
