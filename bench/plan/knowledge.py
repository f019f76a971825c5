"""What a defense knew of the attacker's encoder: derived from weights, architectures and training sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bench.types import EncoderCard

Knowledge = Literal["white-box", "grey-box", "black-box", "none"]


def knowledge(surrogates: Sequence[EncoderCard], encoder: EncoderCard, *, adapted: bool = False) -> Knowledge:
    """Derive what a defense knew of an encoder from weight digests, architectures and training sets.

    A training set that its source does not state may be the same: black-box is claimed only where both are
    stated and differ.

    Args:
        surrogates: The encoders that the defense optimised against.
        encoder: The attacker's encoder, as its card states it.
        adapted: Whether the attacker trained it further. Its weights are then the attacker's own, and no
            surrogate has them; architecture and training set are what they were.
    """
    if not surrogates:
        return "none"
    if any(card.sha256 == encoder.sha256 for card in surrogates):
        return "grey-box" if adapted else "white-box"
    for card in surrogates:
        unstated = not card.training_set or not encoder.training_set
        same_set = unstated or card.training_set == encoder.training_set
        if same_set or card.architecture == encoder.architecture:
            return "grey-box"
    return "black-box"


def knowledge_of_all(
    surrogates: Sequence[EncoderCard], members: Sequence[EncoderCard], *, adapted: bool = False
) -> Knowledge:
    """Derive what a defense knew of encoders that an attacker puts together.

    It is white-box or black-box only if every encoder is: a defense that knew one of them knew a part.

    Args:
        surrogates: The encoders that the defense optimised against.
        members: The encoders that the attacker puts together.
        adapted: Whether the attacker trained them further, as in `knowledge`.
    """
    levels = {knowledge(surrogates, card, adapted=adapted) for card in members}
    return levels.pop() if len(levels) == 1 else "grey-box"
