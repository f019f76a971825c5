"""Several adaptations, one after another: `adversarial+whiten`."""

from __future__ import annotations

from dataclasses import dataclass

from bench.adaptations.methods import Adversarial, FineTune, Head, Step, Training, Unchanged, Views, Whiten
from bench.errors import UserError
from bench.parameters import Plain, resolved

ORDER: tuple[tuple[type[Step], ...], ...] = ((Views,), (FineTune, Adversarial), (Whiten,), (Head,))
"""What acts first: on photos, on networks, on each member's embeddings, on the embeddings of all."""


@dataclass(frozen=True)
class Chain:
    """Adaptations in the order in which they act.

    Attributes:
        steps: The adaptations, at least two.
    """

    steps: tuple[Step, ...]

    @property
    def parameters(self) -> dict[str, Plain]:
        """Every parameter, as `adaptation.parameter`."""
        return {f"{step.name}.{key}": value for step in self.steps for key, value in resolved(step).items()}

    def check(self) -> None:
        """See that the chain makes sense.

        Raises:
            UserError: An adaptation is there twice, is `none`, or stands behind one that it has to precede.
        """
        names = [step.name for step in self.steps]
        text = "+".join(names)
        for step in self.steps:
            if isinstance(step, Unchanged):
                rest = "+".join(name for name in names if name != step.name)
                raise UserError(
                    f"adaptation {text!r}: {step.name!r} changes nothing. Try {rest or step.name}."
                )
            if names.count(step.name) > 1:
                raise UserError(f"adaptation {text!r}: {step.name!r} is there twice. Name it once.")
        ordered = [step.name for step in sorted(self.steps, key=_place)]
        if names != ordered:
            raise UserError(
                f"adaptation {text!r}: views come first, then the training of networks, then 'whiten', then "
                f"'head'. Try {'+'.join(ordered)}."
            )


def _place(step: Step) -> int:
    return next(place for place, kinds in enumerate(ORDER) if isinstance(step, kinds))


Adaptation = Step | Chain
"""What an attacker makes of its encoder."""


@dataclass(frozen=True)
class Parts:
    """What an adaptation does at each place.

    Attributes:
        views: The views that photos are seen in; None for the photo alone.
        training: How each network is trained, one way after another.
        whiten: How the embeddings of each network are whitened; None if they are not.
        head: What is trained on the embeddings; None for nothing.
    """

    views: Views | None = None
    training: tuple[Training, ...] = ()
    whiten: Whiten | None = None
    head: Head | None = None

    @classmethod
    def of(cls, adaptation: Adaptation) -> Parts:
        """What an adaptation does, whether it is one or a chain."""
        steps = adaptation.steps if isinstance(adaptation, Chain) else (adaptation,)
        return cls(
            next((step for step in steps if isinstance(step, Views)), None),
            tuple(step for step in steps if isinstance(step, FineTune | Adversarial)),
            next((step for step in steps if isinstance(step, Whiten)), None),
            next((step for step in steps if isinstance(step, Head)), None),
        )

    @property
    def learns_from_cloaks(self) -> bool:
        """Whether anything is trained on photos that the attacker cloaked."""
        trains_on_them = any(way.learns_from_cloaks for way in self.training)
        return trains_on_them or self.whiten is not None or self.head is not None
