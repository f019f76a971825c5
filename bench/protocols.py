"""The verbs of the benchmark: what a plug-in does, as one-method (or nearly) protocols.

A plug-in is a frozen dataclass whose fields are its parameters: constructors only store, so that
`dataclasses.asdict` is the complete list of what was resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from bench.errors import UserError
from bench.types import (
    Album,
    Budget,
    Catalogue,
    DatasetCard,
    Embeddings,
    EncoderCard,
    Face,
    Folders,
    Gallery,
    Image,
    Labels,
    PluginCard,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
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
    """A face recogniser's network: aligned crop -> embedding.

    Attributes:
        card: what it is.
        runtime: what `embed` really runs on, read back and not assumed: library, version and provider or
            device, such as `onnxruntime 1.32.0 CPUExecutionProvider`.
    """

    card: EncoderCard
    runtime: str

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


class EncoderFamily(Protocol):
    """Encoders of a package installed beside this one: what its entry point in `cloakbench.encoders` is.

    A module with these two functions, or an object with these two methods. Imports torch in `load` only.
    """

    def cards(self) -> Iterable[EncoderCard]:
        """The cards of all, each with the sha256 of its weights."""

    def load(self, card: EncoderCard, folders: Folders, device: str) -> Encoder:
        """One of them, its weights verified.

        Raises:
            UserError: if its weights are missing, or not those of the card.
        """


@dataclass(frozen=True, slots=True)
class Ground:
    """What a goal knows before the first step, for one surrogate. Photos without a face are not counted.

    Attributes:
        clean: [photo, dimensions], unit rows: the clean photos of every user, in order.
        owners: int64 [photo]: whose album each is from.
        reference: [person, dimensions], unit rows: other people, in no other part of the experiment.
        digests: content digest of each photo; with `seed`, what anything random about it is drawn from.
        seed: of the run.
    """

    clean: torch.Tensor
    owners: torch.Tensor
    reference: torch.Tensor
    digests: tuple[str, ...]
    seed: int


class Objective(Protocol):
    """What to minimise for one surrogate, photo by photo."""

    def __call__(
        self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss of some photos, and whether each has reached the goal.

        Args:
            embeddings: [n, dimensions], unit rows, of the cloaked photos asked about; may carry gradients.
            photos: int64 [n]: which photos of `Ground.clean` they are.
            current: [photo, dimensions]: the latest embedding of every cloaked photo, as constants.

        Returns:
            Loss [n], to be made small, and reached: bool [n].
        """


class Goal(Protocol):
    """Makes the objective of one surrogate out of what is known before the first step."""

    def __call__(self, ground: Ground) -> Objective:
        """Called once for each surrogate, with the photos in the same order."""


@dataclass(frozen=True, slots=True)
class Descent:
    """How the engine walks: momentum-iterative sign steps (MI-FGSM, Dong et al. 2018, equations 6 and 7).

    Attributes:
        steps: gradient steps.
        reach: the sum of all steps, in budgets; one step is reach / steps budgets long.
        momentum: decay of the accumulated gradient, in [0, 1].
        random_start: start anywhere in the budget, not at the clean photo.
        jitter: how far each gradient's alignment is shaken (see `bench.optim.diversity`); 0 is none.
        smoothing: standard deviation in photo pixels of the Gaussian that the gradient is
            convolved with (TI-FGSM, Dong et al. 2019); 0 is none.
        jpeg: lowest JPEG quality that the gradients are taken through, with the quality drawn anew for
            each photo and step up to 95; 0 is none.
    """

    steps: int = 20
    reach: float = 2.5
    momentum: float = 1.0
    random_start: bool = False
    jitter: float = 0.0
    smoothing: float = 0.0
    jpeg: int = 0

    def check(self) -> None:
        """See that it can be walked.

        Raises:
            UserError: for a value out of range.
        """
        allowed = {
            "steps": (self.steps >= 1, "1 or more"),
            "reach": (self.reach > 0, "above 0"),
            "momentum": (0 <= self.momentum <= 1, "0 to 1"),
            "jitter": (self.jitter >= 0, "0 or more"),
            "smoothing": (self.smoothing >= 0, "0 or more"),
            "jpeg": (0 <= self.jpeg <= 95, "0 to 95"),
        }
        for name, (fine, takes) in allowed.items():
            if not fine:
                value = getattr(self, name)
                raise UserError(f"parameter {name}={value:g} is out of range; it takes {takes}.")


class Engine(Protocol):
    """The cloaking engine, as a defense sees it. See `bench.optim.engine`.

    Every released value is an 8-bit number that differs from the original by at most floor(N) of
    `linf:N`, and only inside the photo's face region.
    """

    def cloak(
        self, albums: Sequence[Album], kit: Kit, goal: Goal, descent: Descent
    ) -> list[list[Image | None]]:
        """Optimise every photo of every album on its own pixels; None where there is no face to align.

        Raises:
            UserError: without surrogates, or without a bounded budget.
        """

    def cloak_universal(
        self, albums: Sequence[Album], kit: Kit, goal: Goal, descent: Descent, *, learn: int
    ) -> list[list[Image | None]]:
        """Optimise one mask a user in the frame of the aligned face, and put it on all photos of the user.

        Args:
            albums: as for `cloak`.
            kit: as for `cloak`.
            goal: judged on the photos that the mask is learned on.
            descent: as for `cloak`.
            learn: how many photos of a user, first by digest, the mask is learned on; the others get it
                without a gradient ever being taken of them.

        Raises:
            UserError: without surrogates, or without a bounded budget.
        """

    def region(self, photo: Image, face: Face | None) -> npt.NDArray[np.bool_] | None:
        """Where a photo may be changed: bool [height, width]; None where there is no face to align."""

    def resolved(self) -> dict[str, object]:
        """Every parameter that `auto` stood for, and what it became on this machine."""


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
    """Makes cloaks: a user's photos -> the photos that this user publishes.

    One that has parameters also has `check(budget) -> None`, which raises a UserError for values out of
    range and for a budget that it cannot work under. It is called before anything is computed.
    """

    card: ClassVar[PluginCard]

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """Cloak several users at once.

        Returns:
            For each album a released photo per photo, same shape, 8 bits; None where it could not be
            cloaked (the framework counts it as `cloak_failed` and publishes the original).
            The framework measures the budget; it never clips.
        """


class Clusterer(Protocol):
    """An attacker that sorts unlabelled embeddings into people.

    One that has parameters also has `check() -> None`, which raises a UserError for values out of range. It
    is called before anything is computed; of an `Identifier` too.
    """

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
