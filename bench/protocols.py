"""The verbs of the benchmark: what a plug-in does, as one-method (or nearly) protocols.

A plug-in is a frozen dataclass whose fields are its parameters: constructors only store, so that
`dataclasses.asdict` is the complete list of what was resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from bench.types import (
    Album,
    Budget,
    Catalogue,
    DatasetCard,
    Embeddings,
    EncoderCard,
    Folders,
    Gallery,
    Image,
    Labels,
    PluginCard,
)

if TYPE_CHECKING:
    import torch


class Dataset(Protocol):
    """Photos of people. Made by the plug-in's `open(folders)`."""

    card: DatasetCard

    def catalogue(self) -> Catalogue:
        """List every photo and who is on it."""

    def digest(self, photo: str) -> str:
        """Hex digest that changes when the photo's content does. Cheap: does not decode or render."""

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """The encoded file, or the pixels where the data set draws them. Same order as asked.

        The framework decodes files (orientation, colour, depth), so that every data set is read alike.
        """


class Encoder(Protocol):
    """A face recogniser's network: aligned crop -> embedding."""

    card: EncoderCard

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Embed crops, without gradients, by the fastest runtime there is.

        Args:
            crops: float32 [n, 3, size, size], RGB in [0, 1], on the encoder's device.

        Returns:
            float32 [n, dimensions] of unit length. The same crop gives the same bits whatever its batch.
        """

    def twin(self) -> torch.nn.Module:
        """The same function as a torch module in eval mode with frozen weights, for gradients.

        It maps [n, 3, size, size] in [0, 1] to *unnormalised* embeddings [n, dimensions].
        """


class Engine(Protocol):
    """The cloaking engine, as a defense sees it. See `bench.optim.engine`."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What a defense may use besides the user's photos.

    Attributes:
        budget: what the released photos will be judged by.
        seed: of the run; combine with a photo's digest for anything random.
        surrogates: encoders that the defense may take gradients of; empty for defenses that need none.
        reference: clean photos of other people, one each, that are in no other part of the experiment.
        engine: optimises perturbations; see `Engine`.
        device: `cpu`, `cuda`, `cuda:1`.
    """

    budget: Budget
    seed: int
    surrogates: tuple[Encoder, ...]
    reference: Album
    engine: Engine
    device: str


class Defense(Protocol):
    """Makes cloaks: a user's photos -> the photos that this user publishes."""

    card: ClassVar[PluginCard]

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """Cloak several users at once.

        Returns:
            For each album a released photo per photo, same shape, 8 bits; None where it could not be
            cloaked (the framework counts it as `cloak_failed` and publishes the original).
            The framework measures the budget; it never clips.
        """


class Clusterer(Protocol):
    """An attacker that sorts unlabelled embeddings into people."""

    card: ClassVar[PluginCard]

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Self:
        """A copy with thresholds tuned on calibration identities, who are in no other part of the run.

        Args:
            embeddings: of the calibration identities' photos.
            people: who is on each.
            objective: (guess, truth) -> how good the assignment is, larger is better. The framework passes
                BCubed F, so that every attacker is tuned for the same thing.
        """

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster, or to noise (-1)."""


class Identifier(Protocol):
    """An attacker that names the person on a probe, given a labelled gallery."""

    card: ClassVar[PluginCard]

    def calibrated(self, embeddings: Embeddings, people: Labels) -> Self:
        """A copy tuned on calibration identities."""

    def rank(self, probes: Embeddings, gallery: Gallery, top: int) -> Labels:
        """The `top` most likely people for each probe, best first: int [probe, top]."""
