"""The nouns that a cell is made of, each the key of a stage.

`Cloaking` decides what is published, `View` what an attacker sees of photos, and `Attack` what the attacker
does with what it sees. A stage is keyed by its noun, by the content that the stage works on, and by the code
that computes it; so two cells that share a noun share the stage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bench.parameters import Plain
from bench.plan.chosen import Chosen
from bench.types import Budget, EncoderCard


@dataclass(frozen=True, kw_only=True)
class Noun:
    """What all nouns have.

    Attributes:
        options: Options that have no attribute of their own: name and value, where it is not the default.
        memo: What follows from the noun, and is computed once for all cells that share it.
    """

    options: tuple[tuple[str, Plain], ...] = ()
    memo: dict[str, Any] = field(
        init=False, default_factory=dict, compare=False, repr=False, metadata={"recorded": False}
    )


@dataclass(frozen=True)
class Cloaking(Noun):
    """How the users' photos are cloaked.

    Attributes:
        defense: What makes the cloaks.
        surrogates: The encoders that the defense optimises against.
        budget: How far a released photo may be from its original.
        dose: The share of each user's photos that are cloaked, above 0 and at most 1.
        seed: The run's seed.
    """

    defense: Chosen
    surrogates: tuple[EncoderCard, ...]
    budget: Budget
    dose: float = 1.0
    seed: int = 0

    def __str__(self) -> str:
        surrogates = "+".join(card.name for card in self.surrogates)
        return f"{self.defense.name} {self.budget} {surrogates}".strip()


@dataclass(frozen=True)
class View(Noun):
    """What an attacker sees of photos.

    Attributes:
        encoder: The network, or the ensemble, that the attacker embeds with.
        members: The encoders that `encoder` puts together; itself alone if it is a single one.
        adaptation: What the attacker made of the encoder.
        detector: Everything that decides which faces the attacker finds, but for the device; its `name` is
            one of `bench.faces.detectors.names`.
        channel: What lies between a photo and the encoder, as `bench.channels.parse` reads it.
        precision: The precision that embeddings are computed in.
    """

    encoder: EncoderCard
    members: tuple[EncoderCard, ...]
    adaptation: Chosen
    detector: dict[str, Plain]
    channel: str = "none"
    precision: str = "fp32"

    @property
    def cloak_detector(self) -> str:
        """By what cloaked photos are told from clean ones, see `bench.plan.scenarios.CLOAK_DETECTORS`."""
        return str(dict(self.options).get("cloak_detector", "none"))

    @property
    def suspected(self) -> str:
        """What is done with photos that look cloaked: `purify`, `drop`, or nothing, which is empty."""
        return self.cloak_detector.partition(":use=")[2]

    @property
    def detector_name(self) -> str:
        """What the attacker finds faces with."""
        return str(self.detector["name"])


@dataclass(frozen=True)
class Attack(Noun):
    """What an attacker does with what it sees.

    Attributes:
        attacker: Who clusters or names photos.
        level: What the attacker's thresholds are tuned on, see `bench.plan.scenarios.LEVELS`.
        distractors: How many simulated strangers are added to the background.
    """

    attacker: Chosen
    level: str = "oblivious"
    distractors: int = 0

    @property
    def second_step(self) -> str:
        """What is done to the clusters afterwards, see `bench.plan.scenarios.SECOND_STEPS`."""
        return str(dict(self.options).get("second_step", "none"))
