"""How an attacker changes its encoder once it knows of a defense: by name."""

from __future__ import annotations

from bench.adaptations.methods import Adaptation, Adversarial, FineTune, Head, Unchanged, Views
from bench.errors import unknown_name
from bench.parameters import filled

ADAPTATIONS: dict[str, type[Adaptation]] = {
    "none": Unchanged,
    "views": Views,
    "head": Head,
    "finetune": FineTune,
    "adversarial": Adversarial,
}


def make(text: str) -> tuple[str, Adaptation]:
    """Read `name` or `name:field=value,…`.

    Raises:
        UserError: for unknown names, unknown parameters and values out of range.
    """
    name, _, arguments = text.partition(":")
    if name not in ADAPTATIONS:
        raise unknown_name("adaptation", name, ADAPTATIONS, command="bench list adaptations")
    adaptation: Adaptation = filled(ADAPTATIONS[name], f"adaptation {name!r}", arguments)
    if isinstance(adaptation, Head | FineTune | Adversarial):
        adaptation.check()
    return name, adaptation
