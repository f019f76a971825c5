"""Several encoders as one: `a+b` and `weighted:a+b` put embeddings side by side, `mean:a+b` averages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from bench import encoders
from bench.types import EncoderCard

Vectors = npt.NDArray[np.float32]
Shares = npt.NDArray[np.float64]
PLAIN, MEAN, WEIGHTED = "", "mean", "weighted"
"""How members become one embedding; the word before the colon of an ensemble's name."""


def parse(text: str, card: Callable[[str], EncoderCard]) -> tuple[EncoderCard, tuple[EncoderCard, ...]]:
    """Read `name`, `a+b` or `mean:a+b`.

    Args:
        text: What was typed.
        card: Gives the card of one encoder by name.

    Returns:
        The card of the whole, and those of its members: for one encoder, itself. An encoder that is named
        twice is one member.

    Raises:
        UserError: for a text that cannot be read, and for two different encoders of one name.
    """
    asked = encoders.read(text)
    cards = [card(name) for name in asked.members]
    encoders.distinct(cards)
    members = tuple({each.name: each for each in cards}.values())
    return (_card(members, asked.rule) if len(members) > 1 else members[0]), members


def _card(members: Sequence[EncoderCard], rule: str) -> EncoderCard:
    together = "+".join(card.name for card in members)
    how = rule or "side by side"
    sizes = [card.dimensions for card in members]
    return replace(
        members[0],
        name=f"{rule}:{together}" if rule else together,
        architecture=" + ".join(card.architecture for card in members),
        training_set=" + ".join(card.training_set or "unstated" for card in members),
        dimensions=max(sizes) if rule == MEAN else sum(sizes),
        parameters=sum(card.parameters for card in members),
        sha256=sha256(" ".join([how, *(card.sha256 for card in members)]).encode()).hexdigest(),
        detector=detector_of(members),
    )


def detector_of(members: Sequence[EncoderCard]) -> str:
    """What an ensemble finds faces with: the detector that most members name, and of several the first."""
    counts = Counter(card.detector for card in members)
    return counts.most_common(1)[0][0]


def rule(card: EncoderCard) -> str:
    """How members become one embedding: `PLAIN`, `MEAN` or `WEIGHTED`; `PLAIN` for a single encoder."""
    word, colon, _ = card.name.partition(":")
    return word if colon and word in (MEAN, WEIGHTED) else PLAIN


def side_by_side(parts: Sequence[Vectors], shares: Shares | None = None) -> Vectors:
    """Unit rows whose cosine is the weighted mean of the members' cosines.

    Args:
        parts: [photo, dimensions] of each member, unit rows; NaN without a face.
        shares: float64 [member], the weights, at least 0 and 1 in all; None for equal ones.
    """
    if shares is None:
        shares = np.full(len(parts), 1 / len(parts))
    scaled = [part * np.float32(scale) for part, scale in zip(parts, np.sqrt(shares), strict=True)]
    return np.concatenate(scaled, axis=1)


@dataclass(frozen=True)
class Mean:
    """Averages embeddings of different encoders in one space.

    The spaces of two encoders have nothing in common. They are turned onto that of the first by the
    orthogonal map that brings the attacker's own photos closest (orthogonal Procrustes, Schönemann 1966),
    narrower ones filled up with zeros.

    Attributes:
        turns: [dimensions, widest] for each member.
    """

    turns: tuple[Vectors, ...]

    @classmethod
    def fitted(cls, parts: Sequence[Vectors]) -> Mean:
        """Learn the turns on photos that the attacker holds.

        Args:
            parts: [photo, dimensions] of each member, the same photos, without NaN.
        """
        widest = max(part.shape[1] for part in parts)
        first = _widened(parts[0], widest)
        straight = np.eye(parts[0].shape[1], widest, dtype=np.float32)
        return cls((straight, *(_turn(part, first) for part in parts[1:])))

    def __call__(self, parts: Sequence[Vectors]) -> Vectors:
        """Unit rows [photo, widest]."""
        turned = sum(product(part, turn) for part, turn in zip(parts, self.turns, strict=True))
        return unit(np.asarray(turned, np.float32))


def product(rows: Vectors, matrix: Vectors) -> Vectors:
    """`rows @ matrix` on one thread: libraries that multiply on several may add in another order."""
    import torch

    from bench.machine.workers import alone

    def multiplied() -> Vectors:
        made: Vectors = (torch.from_numpy(rows) @ torch.from_numpy(matrix)).numpy()
        return made

    return alone(multiplied)


def _turn(part: Vectors, first: Vectors) -> Vectors:
    """The orthogonal map that brings one set of rows closest to another, on one thread."""
    import torch

    from bench.machine.workers import alone

    def turn() -> Vectors:
        both = torch.from_numpy(part).double().T @ torch.from_numpy(first).double()
        left, _, right = torch.linalg.svd(both, full_matrices=False)
        made: Vectors = (left @ right).float().numpy()
        return made

    return alone(turn)


def unit(rows: Vectors) -> Vectors:
    """Rows scaled to length 1; NaN stays NaN, and zero stays zero."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = (rows / np.where(length > 0, length, 1)).astype(np.float32)
    return scaled


def _widened(rows: Vectors, width: int) -> Vectors:
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))
