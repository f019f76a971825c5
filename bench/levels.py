"""What an attacker's thresholds are tuned on: the three levels of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.metrics.clustering import bcubed_objective
from bench.scenarios import role
from bench.types import Embeddings, Labels

LEVELS = {
    "oblivious": "tuned on clean photos of calibration people, as if nobody were cloaked",
    "adaptive": "tuned on calibration people whom the attacker cloaked with the defense, in a clean crowd",
    "oracle": "the best thresholds in hindsight, on the protected photos: an upper bound, never ranked",
}

Known = tuple[Embeddings, Labels]
"""Embeddings of photos with a face, and who is on each."""


def tuned(
    attacker: Any, known: Known, objective: Callable[[Labels, Labels], float] = bcubed_objective
) -> Any:
    """The attacker, with thresholds that are best for some known people, frozen.

    Args:
        attacker: plug-in.
        known: calibration people; for `oracle`, the attacker's whole collection.
        objective: for clusterers, (guess, truth) -> larger is better: BCubed F, but for `oracle`.
    """
    if role(attacker) == "clusterer":
        return attacker.calibrated(*known, objective)
    return attacker.calibrated(*known)
