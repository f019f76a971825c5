"""What a tuned attacker achieves on its own cloaks of calibration people: what it chooses an attack by.

For each defense an attacker tries all that it has on people whom it knows and cloaked itself, and sends only
the best to the users' photos. Nobody whom the board counts is looked at.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from bench.attack import asking
from bench.attack.calibration import Calibration, halved
from bench.attack.objective import crowd_f, formed
from bench.attack.second_step import SecondStep
from bench.metrics.identification import protection_success_rate
from bench.plan.scenarios import role
from bench.recognition.embedded import Embedded, joined
from bench.types import Labels, Score

_NAN = float("nan")


def on_own_cloaks(
    attacker: Any,
    cloaked: Calibration,
    clean: Calibration,
    *,
    poisoned: bool,
    second_step: SecondStep | None = None,
) -> dict[str, Score]:
    """The figures of an attacker on calibration people whom it cloaked.

    Args:
        attacker: Tuned.
        cloaked: Calibration people, those who are counted cloaked and first, the crowd clean.
        clean: The same photos, all of them clean.
        poisoned: Whether people are learned from cloaked photos and looked for on clean ones.
        second_step: What is done to a clusterer's clusters afterwards.

    Returns:
        For a clusterer `cfr` of the counted people and `bcubed_f`, over the crowd. For an identifier `psr1`,
        or `protection_rate`: half of each person's photos are enrolled among the crowd's, the others are
        probes.
    """
    if role(attacker) == "clusterer":
        guess = attacker.cluster(cloaked.embeddings)
        guess = second_step.after(cloaked.embeddings, guess) if second_step else guess
        sorted_well = crowd_f(guess, cloaked.people, cloaked)
        crowd = int((~np.isin(cloaked.people, cloaked.known)).sum()) or len(guess)
        return {
            "cfr": replace(formed(guess, cloaked.people, cloaked), name="cfr"),
            "bcubed_f": Score("bcubed_f", sorted_well, _NAN, _NAN, crowd, "none"),
        }
    name = "protection_rate" if poisoned else "psr1"
    return {name: _named(attacker, cloaked, clean, name, poisoned=poisoned)}


def _named(attacker: Any, cloaked: Calibration, clean: Calibration, name: str, *, poisoned: bool) -> Score:
    """How many of the probes of counted people are not named rightly."""
    owners = cloaked.owners
    counted = np.isin(owners, cloaked.known)
    probes = counted & halved(owners)
    enrolled, looked_for = (cloaked, clean) if poisoned else (clean, cloaked)
    seen = _either(looked_for.photos, enrolled.photos, probes)
    ranked: Labels = asking.ask_identifier(attacker, seen, owners, probes)
    return protection_success_rate(ranked, owners[probes], 1, detected=seen.has_face[probes], name=name)


def _either(first: Embedded, second: Embedded, which: np.ndarray[Any, np.dtype[np.bool_]]) -> Embedded:
    """Photos of the one where `which`, and of the other elsewhere."""
    both = joined([first, second])
    count = len(first)
    rows = np.where(which, np.arange(count), count + np.arange(count))
    return Embedded(both.vectors[rows], both.has_face[rows])
