"""How an attacker changes its encoder once it knows of a defense: the parameters of each way.

A way with `keeps_weights` trains nothing. After any other way the encoder's weights are the attacker's own,
so that no defense can have optimised against them (`bench.plan.knowledge`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.errors import UserError


@dataclass(frozen=True)
class Unchanged:
    """The encoder as it is."""

    summary: ClassVar[str] = "the encoder as it is"
    keeps_weights: ClassVar[bool] = True


@dataclass(frozen=True)
class Views:
    """Test-time augmentation: the mean embedding over several views of each photo.

    Every view goes through detection and alignment again.

    Attributes:
        jpeg: quality of the view that is re-encoded.
        blur: standard deviation of the blurred view, in pixels.
        scale: of the view that is shrunk and enlarged again.
    """

    summary: ClassVar[str] = "the mean embedding over mirrored, re-encoded, blurred and shrunk views"
    keeps_weights: ClassVar[bool] = True

    jpeg: int = 75
    blur: float = 1.0
    scale: float = 0.5

    @property
    def channels(self) -> tuple[str, ...]:
        """The views, as channels."""
        return (
            "none",
            "mirror",
            f"jpeg:{self.jpeg}",
            f"gaussian:{self.blur:g}",
            f"resize:{self.scale:g}",
        )


@dataclass(frozen=True)
class Head:
    """A new last layer, trained on clean and cloaked photos of calibration people.

    Attributes:
        steps: gradient steps.
        rate: learning rate.
        dimensions: of the new embedding; 0 keeps the encoder's.
    """

    summary: ClassVar[str] = "a new linear head, trained on cloaks of calibration people"

    steps: int = 300
    rate: float = 1e-3
    dimensions: int = 0

    def check(self) -> None:
        """See that it can be trained."""
        _positive("head", steps=self.steps, rate=self.rate)
        if self.dimensions < 0:
            raise UserError(f"adaptation 'head': dimensions {self.dimensions} is below 0. Try 0.")


@dataclass(frozen=True)
class FineTune:
    """The whole network, trained further on clean and cloaked photos of calibration people.

    Attributes:
        steps: gradient steps.
        rate: learning rate.
        batch: photos a step.
    """

    summary: ClassVar[str] = "the whole network, trained on cloaks of calibration people"

    steps: int = 60
    rate: float = 3e-4
    batch: int = 32

    def check(self) -> None:
        """See that it can be trained."""
        _positive("finetune", steps=self.steps, rate=self.rate, batch=self.batch)


@dataclass(frozen=True)
class Adversarial:
    """The whole network, trained further against perturbations of its own input (Madry et al. 2018).

    Claim 4 of the abstract of arXiv 2010.10242 speaks of such models. It needs no cloaks.

    Attributes:
        steps: gradient steps.
        rate: learning rate.
        batch: photos a step.
        radius: L-infinity radius of the perturbations, in 1/255.
        inner: steps that each perturbation is searched with.
    """

    summary: ClassVar[str] = "the whole network, adversarially trained on calibration people"

    steps: int = 60
    rate: float = 3e-4
    batch: int = 32
    radius: float = 4.0
    inner: int = 3

    def check(self) -> None:
        """See that it can be trained."""
        _positive(
            "adversarial",
            steps=self.steps,
            rate=self.rate,
            batch=self.batch,
            radius=self.radius,
            inner=self.inner,
        )


_MOST = 1e6


def _positive(name: str, **values: float) -> None:
    for key, value in values.items():
        if not 0 < value <= _MOST:
            raise UserError(
                f"adaptation {name!r}: {key} {value:g} must be above 0 and at most {_MOST:g}. Leave it "
                "out for the default."
            )


Adaptation = Unchanged | Views | Head | FineTune | Adversarial
