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

    name: ClassVar[str] = "none"
    summary: ClassVar[str] = "the encoder as it is"
    keeps_weights: ClassVar[bool] = True


@dataclass(frozen=True)
class Views:
    """Test-time augmentation: the mean embedding over several views of each photo.

    Every view goes through detection and alignment again, but for random ones: these are of the aligned face.

    Attributes:
        jpeg: quality of the view that is re-encoded.
        blur: standard deviation of the blurred view, in pixels.
        scale: of the view that is shrunk and enlarged again.
        random: how many randomly resized and padded views take the place of those, besides the face as it is;
            0 for none.
        least: the smallest side of a random view, as a share of the crop's.
    """

    name: ClassVar[str] = "views"
    summary: ClassVar[str] = "the mean embedding over mirrored, re-encoded, blurred and shrunk views"
    keeps_weights: ClassVar[bool] = True

    jpeg: int = 75
    blur: float = 1.0
    scale: float = 0.5
    random: int = 0
    least: float = 0.8

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

    def check(self) -> None:
        """See that photos can be looked at in these views."""
        for name, value, most in (
            ("jpeg", self.jpeg, 100),
            ("blur", self.blur, 20),
            ("scale", self.scale, 1),
        ):
            if not 0 < value <= most:
                raise UserError(
                    f"adaptation 'views': {name} {value:g} must be above 0 and at most {most}. Leave it out "
                    "for the default."
                )
        if not 0 <= self.random <= 100:
            raise UserError(f"adaptation 'views': random {self.random} must be from 0 to 100. Try random=10.")
        if not 0.1 <= self.least <= 0.99:
            raise UserError(
                f"adaptation 'views': least {self.least:g} must be from 0.1 to 0.99. Try least=0.8."
            )


@dataclass(frozen=True)
class Head:
    """A new last layer, trained on clean and cloaked photos of training people.

    Attributes:
        steps: gradient steps.
        rate: learning rate.
        dimensions: of the new embedding; 0 keeps the encoder's.
    """

    name: ClassVar[str] = "head"
    summary: ClassVar[str] = "a new linear head, trained on cloaks of training people"

    steps: int = 300
    rate: float = 1e-3
    dimensions: int = 0

    def check(self) -> None:
        """See that it can be trained."""
        _positive("head", steps=self.steps, rate=self.rate)
        _natural("head", dimensions=self.dimensions)


@dataclass(frozen=True)
class FineTune:
    """The whole network, trained further on clean and cloaked photos of training people.

    Attributes:
        steps: gradient steps; 0 trains as long as it pays, see `bench.adaptations.stopping`.
        rate: learning rate.
        batch: photos a step.
    """

    name: ClassVar[str] = "finetune"
    summary: ClassVar[str] = "the whole network, trained on cloaks of training people"
    trains_on_cloaks: ClassVar[bool] = True
    learns_from_cloaks: ClassVar[bool] = True

    steps: int = 60
    rate: float = 3e-4
    batch: int = 32

    def check(self) -> None:
        """See that it can be trained."""
        _positive("finetune", rate=self.rate, batch=self.batch)
        _natural("finetune", steps=self.steps)


@dataclass(frozen=True)
class Adversarial:
    """The whole network, trained further against perturbations of its own input (Madry et al. 2018).

    Claim 4 of the abstract of arXiv 2010.10242 speaks of such models. It needs no cloaks.

    Attributes:
        steps: gradient steps; 0 trains as long as it pays, which is judged on cloaks.
        rate: learning rate.
        batch: photos a step.
        radius: L-infinity radius of the perturbations, in 1/255.
        inner: steps that each perturbation is searched with.
    """

    name: ClassVar[str] = "adversarial"
    summary: ClassVar[str] = "the whole network, adversarially trained on training people"
    trains_on_cloaks: ClassVar[bool] = False

    steps: int = 60
    rate: float = 3e-4
    batch: int = 32
    radius: float = 4.0
    inner: int = 3

    def check(self) -> None:
        """See that it can be trained."""
        _positive(
            "adversarial",
            rate=self.rate,
            batch=self.batch,
            radius=self.radius,
            inner=self.inner,
        )
        _natural("adversarial", steps=self.steps)

    @property
    def learns_from_cloaks(self) -> bool:
        """Whether it is judged on cloaks, to see how long it pays."""
        return self.steps == 0


WHITENINGS = ("wccn", "lda", "pca")
"""How a whitening chooses its directions; see `bench.adaptations.whitening`."""


@dataclass(frozen=True)
class Whiten:
    """A linear map of embeddings, learned on clean and cloaked photos of training people.

    It makes narrow the directions along which photos of one person differ, those of the cloak among them.

    Attributes:
        method: `wccn`, `lda` or `pca`.
        dimensions: of the new embedding; 0 keeps the encoder's.
        shrinkage: how far covariances are drawn towards that of a ball, from 0 to 1.
    """

    name: ClassVar[str] = "whiten"
    summary: ClassVar[str] = "a linear map that narrows what cloaks and photos of one person differ in"

    method: str = "wccn"
    dimensions: int = 0
    shrinkage: float = 0.2

    def check(self) -> None:
        """See that it can be learned."""
        if self.method not in WHITENINGS:
            raise UserError(
                f"adaptation 'whiten': method {self.method!r} is not one of {', '.join(WHITENINGS)}."
            )
        _natural("whiten", dimensions=self.dimensions)
        if not 0 < self.shrinkage <= 1:
            raise UserError(
                f"adaptation 'whiten': shrinkage {self.shrinkage:g} must be above 0 and at most 1. Leave it "
                "out for the default."
            )


_MOST = 1e6


def _positive(name: str, **values: float) -> None:
    for key, value in values.items():
        if not 0 < value <= _MOST:
            raise UserError(
                f"adaptation {name!r}: {key} {value:g} must be above 0 and at most {_MOST:g}. Leave it "
                "out for the default."
            )


def _natural(name: str, **values: int) -> None:
    for key, value in values.items():
        if not 0 <= value <= _MOST:
            raise UserError(f"adaptation {name!r}: {key} {value} must be from 0 to {_MOST:g}. Try 0.")


Training = FineTune | Adversarial
"""Ways that train a network's weights."""

Step = Unchanged | Views | Training | Whiten | Head
"""One way."""
