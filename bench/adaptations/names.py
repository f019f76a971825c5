"""How an attacker changes its encoder once it knows of a defense: by name."""

from __future__ import annotations

import re

from bench.adaptations.chains import Adaptation, Chain
from bench.adaptations.methods import Adversarial, FineTune, Head, Step, Unchanged, Views, Whiten
from bench.errors import UserError, unknown_name
from bench.parameters import filled

ADAPTATIONS: dict[str, type[Step]] = {
    kind.name: kind for kind in (Unchanged, Views, FineTune, Adversarial, Whiten, Head)
}

_JOINT = re.compile(r"\+(?![0-9])")  # not the sign in 1e+3


def make(text: str) -> tuple[str, Adaptation]:
    """Read `name`, `name:field=value,…`, or several joined by `+`, in the order in which they act.

    Returns:
        The name, which for a chain holds the names of its steps, and the adaptation.

    Raises:
        UserError: A name or a parameter is unknown, a value is out of range, or a chain makes no sense.
    """
    steps = tuple(_step(part, text) for part in _JOINT.split(text))
    if len(steps) == 1:
        return steps[0].name, steps[0]
    chain = Chain(steps)
    chain.check()
    return "+".join(step.name for step in steps), chain


def _step(part: str, text: str) -> Step:
    name, _, arguments = part.partition(":")
    if not name and text:
        raise UserError(f"adaptation {text!r}: a name is missing. Type one adaptation, or several as a+b.")
    if name not in ADAPTATIONS:
        raise unknown_name("adaptation", name, ADAPTATIONS, command="bench list adaptations")
    step: Step = filled(ADAPTATIONS[name], f"adaptation {name!r}", arguments)
    if not isinstance(step, Unchanged):
        step.check()
    return step
