"""The simulated strangers of a run: fitted to calibration people, and like people of the collection."""

from __future__ import annotations

from bench.attack.stranger_fit import fit
from bench.attack.stranger_model import Crowd, Present, draw
from bench.store.digests import array_digest
from bench.types import Embeddings, Labels

__all__ = ["Crowd", "Crowds", "Present", "draw", "fit"]


class Crowds:
    """The strangers of a run, each crowd fitted and drawn once for all attackers who meet it.

    What is held for a draw of the run goes when its calibration people, or the people who are searched for,
    look otherwise: through another encoder, or another platform.
    """

    def __init__(self) -> None:
        """Nobody is drawn yet."""
        self._fitted: dict[int, tuple[str, Crowd]] = {}
        self._present: dict[int, str] = {}
        self._drawn: dict[int, dict[int, tuple[Embeddings, Labels]]] = {}

    def of(
        self,
        number: int,
        calibration: tuple[Embeddings, Labels],
        collection: tuple[Embeddings, Labels],
        identities: int,
        photos: int,
        seed: int,
    ) -> tuple[Embeddings, Labels]:
        """Fitted to calibration people and drawn, or as drawn before; not to be written on.

        Args:
            number: The number of the repetition; its photos a stranger and its seed are always the same.
            calibration: Embeddings of calibration people, and who is on each, as in `fit`.
            collection: Clean embeddings of the people whom strangers resemble, and who is on each.
            identities: How many strangers there are.
            photos: How many photos each has.
            seed: The seed that strangers are drawn by.
        """
        looks = array_digest(calibration[0]) + array_digest(calibration[1])
        theirs = array_digest(collection[0]) + array_digest(collection[1])
        if self._fitted.get(number, ("",))[0] != looks:
            self._fitted[number] = looks, fit(*calibration)
            self._present.pop(number, None)
        if self._present.get(number) != theirs:
            self._present[number], self._drawn[number] = theirs, {}
        drawn = self._drawn[number]
        if identities not in drawn:
            crowd, present = self._fitted[number][1], Present.of(*collection)
            drawn[identities] = draw(crowd, identities, photos, seed, present)
        return drawn[identities]
