"""What an attacker's networks see, put together to one embedding a photo: whitened, weighted, through a head.

Everything that has to be learned is learned from training people alone, when it is first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bench.adaptations import ensembles
from bench.adaptations.chains import Parts
from bench.adaptations.weights import fit_weights
from bench.adaptations.whitening import Whitening
from bench.errors import RefusedError
from bench.photos.collection import Photos
from bench.plan.nouns import View
from bench.recognition.embedded import Embedded
from bench.recognition.trained import TrainingData
from bench.types import Labels, Mask

Rows = npt.NDArray[np.float32]
Look = Callable[[Photos, str], list[Embedded]]
"""(photos, words for the progress line) -> what each network sees of them."""


@dataclass(frozen=True)
class Lessons:
    """Photos of training people that have a face, as networks see them.

    Attributes:
        rows: For each network float32 [photo, dimensions].
        people: int64 [photo], who is on each.
        cloaked: bool [photo], those that the attacker cloaked.
    """

    rows: list[Rows]
    people: Labels
    cloaked: Mask


class Combined:
    """Puts together what networks see."""

    def __init__(self, view: View, lessons: TrainingData, look: Look) -> None:
        """Store; nothing is learned before it is needed.

        Args:
            view: The encoder and the adaptation.
            lessons: What may be learned from.
            look: Looks at photos through each network.
        """
        self._view, self._lessons, self._look = view, lessons, look
        self._adaptation = Parts.of(view.adaptation.plugin)
        self._rule = ensembles.rule(view.encoder)

    def __call__(self, members: Sequence[Embedded]) -> Embedded:
        """One embedding a photo; none where a network sees no face.

        Args:
            members: What each network sees of the same photos.
        """
        has_face = _in_all(members)
        rows = self._joined(self._whitened([member.vectors for member in members]))
        if self._adaptation.head is not None:
            rows = ensembles.unit(ensembles.product(rows, self._head))
        return Embedded(rows, has_face).mapped(rows)

    @cached_property
    def weights(self) -> dict[str, float]:
        """Name of an encoder -> its share of the cosine in `weighted:a+b`; empty for any other encoder."""
        if self._rule != ensembles.WEIGHTED:
            return {}
        names = [card.name for card in self._view.members]
        return dict(zip(names, self._shares.tolist(), strict=True))

    def _whitened(self, rows: Sequence[Rows]) -> list[Rows]:
        if self._adaptation.whiten is None:
            return list(rows)
        return [whitening(part) for whitening, part in zip(self._whitenings, rows, strict=True)]

    def _joined(self, rows: Sequence[Rows]) -> Rows:
        if len(rows) == 1:
            return rows[0]
        if self._rule == ensembles.MEAN:
            return self._mean(rows)
        return ensembles.side_by_side(rows, self._shares if self._rule == ensembles.WEIGHTED else None)

    @cached_property
    def _whitenings(self) -> list[Whitening]:
        how, taught = self._adaptation.whiten, self._taught
        assert how is not None
        try:
            return [Whitening.fitted(part, taught.people, taught.cloaked, how) for part in taught.rows]
        except ValueError as error:
            raise RefusedError(f"adaptation 'whiten': {error}. Try more --calibration people.") from error

    @cached_property
    def _shares(self) -> npt.NDArray[np.float64]:
        taught = self._taught
        try:
            return fit_weights(self._whitened(taught.rows), taught.people, taught.cloaked)
        except ValueError as error:
            name = self._view.encoder.name
            raise RefusedError(f"encoder {name!r}: {error}. Try more --calibration people.") from error

    @cached_property
    def _mean(self) -> ensembles.Mean:
        """How members are averaged, learned on clean photos."""
        return ensembles.Mean.fitted(self._whitened(self._clean.rows))

    @cached_property
    def _head(self) -> Rows:
        from bench.adaptations.head import train_head

        how, taught = self._adaptation.head, self._taught
        assert how is not None
        try:
            return train_head(
                self._joined(self._whitened(taught.rows)), taught.people, how, seed=self._lessons.seed
            )
        except FloatingPointError as error:
            raise RefusedError(f"adaptation 'head': {error}. Try a lower rate.") from error

    @cached_property
    def _clean(self) -> Lessons:
        return _lessons(self._look(self._lessons.clean, "training people"), self._lessons.people, False)

    @cached_property
    def _taught(self) -> Lessons:
        """Clean photos, and then cloaks."""
        photos, people = self._lessons.cloaks
        cloaked = _lessons(self._look(photos, "cloaks of training people"), people, True)
        return Lessons(
            [np.concatenate(parts) for parts in zip(self._clean.rows, cloaked.rows, strict=True)],
            np.concatenate([self._clean.people, cloaked.people]),
            np.concatenate([self._clean.cloaked, cloaked.cloaked]),
        )


def _lessons(members: Sequence[Embedded], people: Labels, cloaked: bool) -> Lessons:
    """Of photos, all cloaked or all clean, those that have a face in every network's eyes."""
    has_face = _in_all(members)
    rows = [member.vectors[has_face] for member in members]
    return Lessons(rows, people[has_face], np.full(int(has_face.sum()), cloaked))


def _in_all(members: Sequence[Embedded]) -> Mask:
    has_face: Mask = np.all([member.has_face for member in members], axis=0)
    return has_face
