"""How the cloaking engine walks: what a defense chooses of it (design/013-engine-hooks.md).

A part is a frozen dataclass of numbers whose code lies in `bench.optim`, or an object of the plug-in's own
with the methods of a protocol below. Every part treats each photo alone: no result depends on who else is in
a batch. Plug-ins import all of this from `bench.protocols`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bench.errors import UserError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Pictures:
    """Some photos during the descent: of each the part around its face, padded with zeros to one size.

    Attributes:
        levels: float [n, 3, height, width]: The photos as they would be released, 0 to 255.
        original: The clean photos, of the same shape and type.
        region: bool [n, 1, height, width]: Where a photo may be changed.
        sizes: int64 [n, 2]: Height and width of each part without its padding.
        photos: int64 [n, 2]: Height and width of each whole photo.
        faces: int64 [n, 4]: Left, top, right and bottom of the face's box in the part, in whole pixels; the
            right column and the bottom row lie outside.
        landmarks: float [n, 5, 2]: x and y of the landmarks in the part.
    """

    levels: torch.Tensor
    original: torch.Tensor
    region: torch.Tensor
    sizes: torch.Tensor
    photos: torch.Tensor
    faces: torch.Tensor
    landmarks: torch.Tensor


class Moment(Protocol):
    """One gradient of one step, as a part sees it, and random numbers that belong to each photo.

    Attributes:
        step: The step's number, from 0.
        copy: The number of the gradient within its step, from 0.
        landmarks: float [n, 5, 2]: x and y of the landmarks, in pixels of what is varied.
    """

    step: int
    copy: int
    landmarks: torch.Tensor

    def uniform(self, *shape: int) -> torch.Tensor:
        """Numbers in [0, 1), drawn anew in every call: float32 [n, *shape], the same on every device."""

    def normal(self, *shape: int) -> torch.Tensor:
        """Standard normal numbers, drawn likewise: float32 [n, *shape]."""

    def strangers(self) -> torch.Tensor:
        """For each photo the aligned face of a reference person: float [n, 3, size, size] in [0, 1].

        Raises:
            UserError: if there are no reference people.
            ValueError: outside `Variation.view`.
        """

    def sample(self, pixels: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Look at pixels [n, channels, height, width] at points [n, rows, columns, 2], x and y in pixels.

        Bilinear, zero outside, differentiable towards both. The gradient has the same bits every time, which
        that of `torch.nn.functional.grid_sample` has not on a GPU.
        """


class Measure(Protocol):
    """How far photos are from their originals."""

    def __call__(self, pictures: Pictures) -> torch.Tensor:
        """Measure each: [n], 0 for an unchanged photo, larger for a larger change; differentiable."""


@dataclass(frozen=True, slots=True)
class Dssim:
    """(1 - SSIM) / 2 of the whole photo or of the face's box, whichever is larger: as budgets are judged."""


@dataclass(frozen=True, slots=True)
class MsSsim:
    """1 - MS-SSIM of the face's box, over as many of the five scales as fit it."""


@dataclass(frozen=True, slots=True)
class Lpips:
    """LPIPS of the face's box, for a defense whose `needs_lpips` says so."""


@dataclass(frozen=True, slots=True)
class SquaredChange:
    """The sum of all squared changes, of values in [0, 1]."""


Ready = Dssim | Lpips | MsSsim | SquaredChange
"""Measures that the engine brings."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What every photo keeps at every step: a change that exceeds it is made smaller by one factor.

    Attributes:
        measure: How the change is measured, on 8-bit values.
        largest: The largest value that is allowed.
    """

    measure: Measure | Ready
    largest: float


@dataclass(frozen=True, slots=True)
class Penalty:
    """What is added to the loss of each photo: weight * max(0, measure - beyond) ** power.

    Attributes:
        measure: How the change is measured.
        weight: The weight of every photo in the first step.
        beyond: The value up to which nothing is added.
        power: The power of the excess.
        adapt: A photo's weight is multiplied by this after each step in which the measure exceeds `beyond` by
            more than `slack`, and divided by it where the measure is lower by more than that; 1 keeps it.
        slack: A share of `beyond`.
    """

    measure: Measure | Ready
    weight: float
    beyond: float = 0.0
    power: float = 1.0
    adapt: float = 1.0
    slack: float = 0.1


@dataclass(frozen=True, slots=True)
class Turn:
    """What a step knows besides the gradient.

    Attributes:
        steps: The number of steps of the descent.
        taken: float [n, 1, 1, 1]: How many gradients each has absorbed, this one included.
        limit: The L-infinity budget in whole levels; infinite where the budget is of another kind.
        extent: Gives the least and the largest values that there can be, in the shape of the values.
    """

    steps: int
    taken: torch.Tensor
    limit: float
    extent: Callable[[], tuple[torch.Tensor, torch.Tensor]]


class Update(Protocol):
    """Makes steps out of gradients. The engine keeps what it remembers, and brings results back into limits.

    What moves are `values` in levels, [n, 3, height, width]: the change of each photo, or the mask of each
    user.

    Attributes:
        memory: How many tensors of the shape of the values it remembers; all are zero at first.
    """

    @property
    def memory(self) -> int:
        """See above."""

    def absorb(
        self, values: torch.Tensor, gradient: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn
    ) -> None:
        """Take in the gradient of the loss; changes `memory` in place, and nothing else."""

    def step(self, values: torch.Tensor, memory: Sequence[torch.Tensor], turn: Turn) -> torch.Tensor:
        """The values after one step."""


@dataclass(frozen=True, slots=True)
class SignSteps:
    """Momentum-iterative sign steps (MI-FGSM, Dong et al. 2018, equations 6 and 7); under `linf:N` only.

    Attributes:
        reach: The sum of all steps, in budgets; one step is reach / steps budgets long.
        momentum: The decay of the accumulated gradient, in [0, 1].
    """

    reach: float = 2.5
    momentum: float = 1.0


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1).

    Attributes:
        rate: The step size, in levels; in the units of the space within `TanhSpace`.
        first: The decay of the mean gradient.
        second: The decay of the mean squared gradient.
        epsilon: Added to the root of the latter.
    """

    rate: float = 1.0
    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-8


@dataclass(frozen=True, slots=True)
class TanhSpace:
    """Lets an update move w where a pixel is 127.5 (1 + tanh w) (Carlini and Wagner 2017, section V.B)."""

    update: Update | SignSteps | Adam


class Variation:
    """Something that gradients are taken through; a subclass overrides what it varies.

    A published photo meets the three in this order. Each must be a function of each photo alone.
    """

    def photo(self, levels: torch.Tensor, moment: Moment) -> torch.Tensor:
        """Vary photos: float [n, 3, height, width], 0 to 255, padded with zeros; differentiable."""
        del moment
        return levels

    def points(self, points: torch.Tensor, moment: Moment) -> torch.Tensor:
        """Vary where pixels of the aligned face look: float [n, size, size, 2], x and y in its pixels."""
        del moment
        return points

    def view(self, view: torch.Tensor, moment: Moment) -> torch.Tensor:
        """Vary aligned faces: float [n, 3, size, size] in [0, 1]; differentiable."""
        del moment
        return view


@dataclass(frozen=True, slots=True)
class Blur:
    """A Gaussian blur of the photo.

    Attributes:
        sigma: The standard deviation in pixels of the photo.
        every: It blurs every so many copies, the last of them: 2 blurs each second copy, a blurred twin.
    """

    sigma: float
    every: int = 1


@dataclass(frozen=True, slots=True)
class Sizes:
    """The face smaller, somewhere in its frame (DI-FGSM, Xie et al. 2019, by where the pixels look).

    Attributes:
        largest: The frame is up to this many times the face's size, 1 or more.
        share: How often, in [0, 1].
    """

    largest: float = 1.1
    share: float = 0.5


@dataclass(frozen=True, slots=True)
class Warps:
    """A smooth random warp of the face, from a mesh of normal displacements.

    Attributes:
        strength: The standard deviation of a displacement, as a share of the frame's side.
        mesh: How many points the mesh has along each side, 2 or more.
    """

    strength: float = 0.02
    mesh: int = 3


@dataclass(frozen=True, slots=True)
class Shuffles:
    """Columns and rows of equal blocks of the face in random order (BSR, Wang et al. 2024, without turns).

    Attributes:
        blocks: How many along each side, 1 or more.
    """

    blocks: int = 2


class Estimate(Protocol):
    """Makes one gradient out of gradients at several points.

    Attributes:
        memory: How many tensors of the shape of `levels` it remembers for each photo; all are zero at first.
    """

    @property
    def memory(self) -> int:
        """See above."""

    def __call__(
        self,
        pictures: Pictures,
        slope: Callable[[torch.Tensor], torch.Tensor],
        memory: Sequence[torch.Tensor],
        moment: Moment,
    ) -> torch.Tensor:
        """The gradient of a step, [n, 3, height, width]; may change `memory` in place.

        Args:
            pictures: The photos as they would be released.
            slope: Gives the gradient of the loss at any levels [n, 3, height, width], by one pass through
                every surrogate with variations drawn anew. The first call's embeddings are what other
                photos see of these.
            memory: What was remembered.
            moment: Random numbers; `copy` is 0.
        """


@dataclass(frozen=True, slots=True)
class Descent:
    """How the engine walks.

    Attributes:
        steps: Gradient steps.
        reach: See `SignSteps`; not looked at where there is an `update`.
        momentum: See `SignSteps`; likewise.
        random_start: The descent starts anywhere in the budget of `linf:N`, not at the clean photo. A mask of
            a user does so likewise.
        jitter: How far each gradient's alignment is shaken (see `bench.optim.diversity`); 0 is none.
        smoothing: The standard deviation in photo pixels of the Gaussian that the gradient is
            convolved with (TI-FGSM, Dong et al. 2019); 0 is none.
        jpeg: The lowest JPEG quality that the gradients are taken through, with the quality drawn anew for
            each photo and gradient up to 95; 0 is none.
        start: The descent starts within this many levels of the clean photo, drawn uniformly, or of no mask.
        dropout: The share of values behind each convolution of a surrogate that each gradient goes without
            (DFANet, Zhong and Deng 2020); 0 is none.
        hardened: The L-infinity radius in 1/255 against which a copy of each surrogate is trained on the
            reference people (Madry et al. 2018); the copies are surrogates, too. 0 makes no copies.
        copies: How many gradients are averaged in a step.
        update: How a gradient becomes a step; None: `SignSteps(reach, momentum)`.
        limits: What photos keep besides the run's budget.
        penalties: What is added to the loss.
        variations: What gradients are taken through besides.
        estimate: Makes one gradient of several, in the place of the mean over `copies`.
    """

    steps: int = 20
    reach: float = 2.5
    momentum: float = 1.0
    random_start: bool = False
    jitter: float = 0.0
    smoothing: float = 0.0
    jpeg: int = 0
    start: int = 0
    dropout: float = 0.0
    hardened: float = 0.0
    copies: int = 1
    update: Update | SignSteps | Adam | TanhSpace | None = None
    limits: tuple[Limit, ...] = ()
    penalties: tuple[Penalty, ...] = ()
    variations: tuple[Variation | Blur | Sizes | Warps | Shuffles, ...] = ()
    estimate: Estimate | None = None

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
            "start": (self.start >= 0, "0 or more"),
            "dropout": (0 <= self.dropout < 1, "0 or more and below 1"),
            "hardened": (0 <= self.hardened <= 255, "0 to 255"),
            "copies": (self.copies >= 1, "1 or more"),
        }
        for name, (fine, takes) in allowed.items():
            if not fine:
                value = getattr(self, name)
                raise UserError(f"parameter {name}={value:g} is out of range; it takes {takes}.")
