"""The verbs of the benchmark: the methods of each kind of plug-in, as small protocols.

A plug-in is a frozen dataclass whose fields are its parameters. Its constructor only stores them, so that
`dataclasses.asdict` is the complete list of what was resolved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from bench.descent import (
    Adam,
    Blur,
    Descent,
    Dssim,
    Estimate,
    Limit,
    Lpips,
    Measure,
    Moment,
    MsSsim,
    Penalty,
    Pictures,
    Shuffles,
    SignSteps,
    Sizes,
    SquaredChange,
    TanhSpace,
    Turn,
    Update,
    Variation,
    Warps,
)
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


__all__ = [
    "Adam",
    "Blur",
    "Clusterer",
    "Dataset",
    "Defense",
    "Descent",
    "Dssim",
    "Encoder",
    "EncoderFamily",
    "Engine",
    "Estimate",
    "Goal",
    "Ground",
    "Identifier",
    "Kit",
    "Limit",
    "Lpips",
    "Measure",
    "Moment",
    "MsSsim",
    "Objective",
    "Penalty",
    "Pictures",
    "Shuffles",
    "SignSteps",
    "Sizes",
    "SquaredChange",
    "TanhSpace",
    "Turn",
    "Update",
    "Variation",
    "Warps",
]


class Dataset(Protocol):
    """Photos of people. The plug-in's `open(folders)` makes it.

    A data set that keeps digests from one process to the next also has `forget(photo) -> None`. It is called
    when the photo's file turns out to have another digest than the data set said.
    """

    @property
    def card(self) -> DatasetCard:
        """What is stated about the data set."""

    def catalogue(self) -> Catalogue:
        """List every photo and the person on it."""

    def digest(self, photo: str) -> str:
        """Hex digest of a photo's content. It is cheap: it neither decodes nor renders.

        The digest of a photo that `read` gives as a file is the sha256 of the file: what is computed from a
        file of another digest is not stored.
        """

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """Read photos, in the same order: encoded files, or pixels where the data set draws them.

        The framework decodes files (orientation, colour, depth), so that every data set is read alike.

        Raises:
            OSError: The system refuses to read a photo. It is asked again for about a second, then the run
                ends.
        """


class Encoder(Protocol):
    """A face recogniser's network: aligned crop -> embedding.

    Attributes:
        card: The encoder's card.
        runtime: The library, the version and the provider or device that `embed` really runs on, such as
            `onnxruntime 1.32.0 CPUExecutionProvider`. It is read back from the runtime, never assumed.
    """

    card: EncoderCard
    runtime: str

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Embed crops without gradients, by the fastest runtime available.

        Args:
            crops: float32 [n, 3, size, size], RGB in [0, 1], on the encoder's device.

        Returns:
            float32 [n, dimensions], rows of unit length. The same crop gives the same bits in any batch.
        """

    def twin(self) -> torch.nn.Module:
        """The same function as a torch module for gradients, in eval mode with frozen weights.

        The module maps [n, 3, size, size] in [0, 1] to *unnormalised* embeddings [n, dimensions].
        """


class EncoderFamily(Protocol):
    """Encoders that are made in one way.

    A package installed beside this one brings a family through an entry point in `cloakbench.encoders`: a
    module with these two functions, or an object with these two methods. A family of the project is a
    `bench.encoders.family.Family`, which also says where weights lie and what to type. A family imports torch
    in `load` only.
    """

    def cards(self) -> Iterable[EncoderCard]:
        """The cards of all encoders, each with the sha256 of its weights."""

    def load(self, card: EncoderCard, folders: Folders, device: str) -> Encoder:
        """Load one encoder, and verify its weights.

        Raises:
            UserError: The weights are missing, or they are not those of the card.
        """


@dataclass(frozen=True, slots=True)
class Ground:
    """What a goal knows before the first step, for one surrogate. Photos without a face are not counted.

    Attributes:
        clean: [photo, dimensions], unit rows: the clean photos of every user, in order.
        owners: int64 [photo]: whose album each is from.
        reference: [person, dimensions], unit rows: other people, in no other part of the experiment.
        digests: The content digest of each photo. Anything random about a photo is drawn from it and `seed`.
        seed: The run's seed.
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


class Engine(Protocol):
    """The cloaking engine, as a defense sees it. See `bench.optim.engine` and `bench.descent`.

    Every released photo is of 8 bits, differs from the original inside its face region only, and is within
    the run's budget if that is `linf:N`, `dssim:X` or `ssim:X`.
    """

    def cloak(
        self, albums: Sequence[Album], kit: Kit, goal: Goal, descent: Descent
    ) -> list[list[Image | None]]:
        """Optimise every photo of every album on its own pixels; None where there is no face to align.

        Raises:
            UserError: without surrogates, and for a budget that the descent cannot keep: sign steps are parts
                of an L-infinity budget.
        """

    def cloak_universal(
        self, albums: Sequence[Album], kit: Kit, goal: Goal, descent: Descent, *, learn: int
    ) -> list[list[Image | None]]:
        """Optimise one mask a user in the frame of the aligned face, and put it on all photos of the user.

        Args:
            albums: The same as for `cloak`.
            kit: The same as for `cloak`.
            goal: The goal, judged on the photos that the mask is learned on.
            descent: The same as for `cloak`.
            learn: How many photos of a user, first by digest, the mask is learned on; the others get it
                without a gradient ever being taken of them.

        Raises:
            UserError: without surrogates, and for a budget that the descent cannot keep: sign steps are parts
                of an L-infinity budget.
        """

    def region(self, photo: Image, face: Face | None) -> npt.NDArray[np.bool_] | None:
        """Where a photo may be changed: bool [height, width]; None where there is no face to align."""

    def aligned(self, photo: Image, face: Face) -> torch.Tensor:
        """A face as ArcFace-type encoders see it: float32 [3, size, size] in 0 to 255, on the host.

        Args:
            photo: The photo.
            face: Its face; `region` is not None.
        """

    def laid(self, mask: torch.Tensor, photo: Image, face: Face) -> Image:
        """A photo with a mask on its face: the change is rounded, and pixels of the region alone change.

        Args:
            mask: float32 [3, size, size] in 1/255, in the frame of `aligned`.
            photo: The clean photo.
            face: Its face; `region` is not None.
        """

    def strongest(self, photo: Image, face: Face, budget: Budget, change: Callable[[float], Image]) -> Image:
        """The strongest of a family of changes that a budget allows, found by bisection on 8-bit photos.

        Args:
            photo: The clean photo.
            face: Its face; `region` is not None.
            budget: The budget to spend: `linf:N`, `dssim:X` or `ssim:X`.
            change: Makes a changed photo of a share in [0, 1]: more is further from the original, 0 is the
                original itself, and only pixels of the region change.

        Raises:
            UserError: for a budget of another kind, but for `unbounded`.
        """

    def resolved(self) -> dict[str, object]:
        """Every parameter that `auto` stood for, and what it became on this machine."""


@dataclass(frozen=True, slots=True)
class Kit:
    """What a defense may use besides the user's photos.

    Attributes:
        budget: The budget that the released photos will be judged by.
        seed: The seed of the run; combine it with a photo's digest for anything random.
        surrogates: The encoders that the defense may take gradients of; empty for a defense that needs none.
        reference: Clean photos of other people, one each, who are in no other part of the experiment.
        engine: Optimises perturbations; see `Engine`.
        device: `cpu`, `cuda`, `cuda:1`.
    """

    budget: Budget
    seed: int
    surrogates: tuple[Encoder, ...]
    reference: Album
    engine: Engine
    device: str


class Defense(Protocol):
    """A defense makes cloaks: from a user's photos to the photos that this user publishes.

    A defense with parameters also has `check(budget) -> None`. It raises a UserError for a value out of
    range, and for a budget that the defense cannot work under. It is called before anything is computed.

    A defense that looks at other people has `others() -> int`: how many people `Kit.reference` must have. A
    run on a data set with fewer is refused before anything is computed.

    A defense whose descent measures LPIPS has `needs_lpips() -> bool`. Without the file of weights a run is
    refused before anything is computed.
    """

    card: ClassVar[PluginCard]

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """Cloak several users at once.

        Args:
            albums: The users' photos, one album a user.
            kit: The budget, the seed, the surrogates and whatever else the defense may use.

        Returns:
            For each album one released photo per photo, uint8 of the same shape, or None where a photo could
                not be cloaked. The framework counts None as `cloak_failed` and publishes the original. It
                measures the budget and never clips.
        """


class Clusterer(Protocol):
    """An attacker that sorts unlabelled embeddings into people.

    An attacker with parameters also has `check() -> None`, which raises a UserError for a value out of range.
    It is called before anything is computed. The same holds for an `Identifier`.

    An attacker whose thresholds belong to a family of encoders, such as a preset of a product, also has two
    methods. `behind(card: EncoderCard) -> Self` is called before anything else, and returns a copy with the
    thresholds for the encoder at hand, or with its default ones where it has none for that encoder; what was
    given stays. `foreign(card: EncoderCard) -> str` says in one line why the thresholds of that copy do not
    belong to the encoder; it is empty where they do. The line is a flag of the record. A card of an encoder
    that the attacker trained itself has no architecture. The same holds for an `Identifier`.

    An attacker whose `calibrated` leaves out combinations of its parameters also has `in_hindsight`, which
    takes the same and tries every combination. The level `oracle` asks it.
    """

    card: ClassVar[PluginCard]

    def calibrated(
        self, embeddings: Embeddings, people: Labels, objective: Callable[[Labels, Labels], float]
    ) -> Self:
        """A copy with thresholds tuned on calibration people, who are in no other part of the run.

        Args:
            embeddings: float32 [photo, dimension], the calibration people's photos.
            people: int64 [photo], the person on each.
            objective: (guess, truth) -> the quality of the assignment, larger is better. The framework passes
                the same objective to every attacker. Guess and truth are int64 [photo], both in the order of
                `embeddings`: truth is `people`.
        """

    def cluster(self, embeddings: Embeddings) -> Labels:
        """Assign every embedding to a cluster: int64 [photo]; -1 means noise."""


class Identifier(Protocol):
    """An attacker that names the person on a probe, given a labelled gallery."""

    card: ClassVar[PluginCard]

    def calibrated(self, embeddings: Embeddings, people: Labels) -> Self:
        """A copy tuned on calibration people, who are in no other part of the run.

        Args:
            embeddings: float32 [photo, dimension], the calibration people's photos.
            people: int64 [photo], the person on each.
        """

    def rank(self, probes: Embeddings, gallery: Gallery, top: int) -> Labels:
        """The `top` most likely people for each probe, best first: int64 [probe, top]."""
