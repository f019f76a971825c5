"""What gradients of published attacks are taken through. Private to this folder.

See `bench.protocols.Variation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.protocols import Moment, Variation

if TYPE_CHECKING:
    import torch

_ROLLED_DOWN, _ROLLED_ASIDE, _FLIPPED_DOWN, _FLIPPED_ASIDE, _TURNED, _DARKER, _NOISY = range(7)
"""What happens to a block of `Mosaic`, each as often as the others."""


@dataclass(frozen=True, slots=True)
class Spectrum(Variation):
    """Noise, and a random gain of every frequency. The gradient is that towards the result.

    Attributes:
        noise: The standard deviation of the noise, of values in [0, 1].
        gain: How far a gain is from one, at most.
    """

    noise: float
    gain: float

    def view(self, view: torch.Tensor, moment: Moment) -> torch.Tensor:
        """See `bench.protocols.Variation`."""
        basis = _cosines(view)
        noisy = view.detach() + self.noise * moment.normal(*view.shape[1:])
        gains = 1 + self.gain * (2 * moment.uniform(*view.shape[1:]) - 1)
        changed = basis.T @ (basis @ noisy @ basis.T * gains) @ basis
        return view + (changed - view).detach()


@dataclass(frozen=True, slots=True)
class Mixed(Variation):
    """A little of somebody else, and half as bright with every further copy.

    Attributes:
        share: How much of the other face is added.
        scales: How many brightnesses there are.
    """

    share: float
    scales: int

    def view(self, view: torch.Tensor, moment: Moment) -> torch.Tensor:
        """See `bench.protocols.Variation`."""
        return (view + self.share * moment.strangers()) / 2.0 ** (moment.copy % self.scales)


@dataclass(frozen=True, slots=True)
class Holes(Variation):
    """Squares cut out between landmarks, each on the line from one to another.

    Attributes:
        holes: How many.
        side: The side of a square, as a share of the face's frame.
    """

    holes: int
    side: float

    def view(self, view: torch.Tensor, moment: Moment) -> torch.Tensor:
        """See `bench.protocols.Variation`."""
        import torch

        pixels = torch.arange(view.shape[-1]).to(view)
        ends = (moment.uniform(self.holes, 2) * 5).long()
        person = torch.arange(len(view), device=view.device)[:, None]
        start, stop = (moment.landmarks.to(view)[person, ends[:, :, i]] for i in (0, 1))
        middle = start + moment.uniform(self.holes, 1) * (stop - start)
        near = (pixels - middle[..., None]).abs() <= self.side * view.shape[-1] / 2
        hole = (near[:, :, 1, :, None] & near[:, :, 0, None, :]).any(1)
        return view * ~hole[:, None]


@dataclass(frozen=True, slots=True)
class Mosaic(Variation):
    """Three by three blocks of random size, each rolled, flipped, turned around, darker or noisy.

    Attributes:
        noise: The largest change of a value in a noisy block, of values in [0, 1].
    """

    noise: float

    def points(self, points: torch.Tensor, moment: Moment) -> torch.Tensor:
        """Pixels of a block look at other pixels of the same block."""
        import torch

        side = points.shape[1]
        block, kinds, amounts = _blocks(moment, side)
        place = torch.arange(side, device=points.device)
        looks = []
        for axis, (rolled, flipped) in enumerate(
            ((_ROLLED_DOWN, _FLIPPED_DOWN), (_ROLLED_ASIDE, _FLIPPED_ASIDE))
        ):
            start, length = (part[:, axis, :, None] for part in block[1:])
            inside = place[:, None] - start
            if axis:
                start, length, inside = (part.transpose(1, 2) for part in (start, length, inside))
            looked = torch.where(
                kinds == rolled, (inside + (amounts * length).long()) % length.clamp_min(1), inside
            )
            looked = torch.where((kinds == flipped) | (kinds == _TURNED), length - 1 - looked, looked)
            looks.append(start + looked)
        n = torch.arange(len(points), device=points.device)[:, None, None]
        return points[n, looks[0], looks[1]]

    def view(self, view: torch.Tensor, moment: Moment) -> torch.Tensor:
        """The values of some blocks change."""
        import torch

        _, kinds, amounts = _blocks(moment, view.shape[-1])
        kinds, amounts = kinds[:, None], amounts[:, None]
        noisy = (view + self.noise * (2 * moment.uniform(*view.shape[1:]) - 1)).clamp(0, 1)
        return torch.where(kinds == _DARKER, view * amounts, torch.where(kinds == _NOISY, noisy, view))


@dataclass(frozen=True, slots=True)
class TurnedBlocks(Variation):
    """Columns and rows of equal blocks in random order, each block turned a little.

    Attributes:
        blocks: How many along each side.
        turn: The standard deviation of the angles, in radians; none is above twice that.
    """

    blocks: int
    turn: float

    def points(self, points: torch.Tensor, moment: Moment) -> torch.Tensor:
        """Each block looks where another one is, around that one's middle."""
        import torch

        side = points.shape[1]
        order = moment.uniform(2, self.blocks).argsort(2)
        angle = self.turn * moment.normal(self.blocks, self.blocks).clamp(-2, 2)
        width = side / self.blocks
        place = torch.arange(side, device=points.device)
        own = (place * self.blocks // side).expand(len(points), 2, side)
        other = order.gather(2, own)
        inside = place + 0.5 - (own + 0.5) * width
        n = torch.arange(len(points), device=points.device)[:, None, None]
        y, x = inside[:, 0, :, None], inside[:, 1, None, :]
        angles = angle[n, other[:, 0, :, None], other[:, 1, None, :]]
        cosine, sine = angles.cos(), angles.sin()
        down = (other[:, 0, :, None] + 0.5) * width - 0.5 + sine * x + cosine * y
        aside = (other[:, 1, None, :] + 0.5) * width - 0.5 + cosine * x - sine * y
        rows, columns = (at.round().long().clamp(0, side - 1) for at in (down, aside))
        left_over = torch.stack([aside - columns, down - rows], -1).clamp(-0.5, 0.5)
        return points[n, rows, columns] + left_over.to(points)


@dataclass(frozen=True, slots=True)
class Affine(Variation):
    """Every number of an affine map a little off, and the picture turned.

    Attributes:
        low: The least standard deviation, of the map's numbers in half sides and of the angle in radians.
        high: The largest one; both are drawn anew for every gradient.
    """

    low: float
    high: float

    def points(self, points: torch.Tensor, moment: Moment) -> torch.Tensor:
        """Look at the mapped place."""
        import torch

        half = (points.shape[1] - 1) / 2
        spread = self.low + (self.high - self.low) * moment.uniform(2, 1)
        numbers = spread[:, :1] * moment.normal(2, 3)
        angle = (spread[:, 1] * moment.normal(1))[:, 0]
        turned = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1).view(-1, 2, 2)
        straight = torch.eye(2, device=points.device) + numbers[:, :, :2]
        place = (points - half) / half
        moved = torch.einsum("nij,nyxj->nyxi", (turned @ straight).to(place), place)
        looked: torch.Tensor = (moved + numbers[:, None, None, :, 2].to(place)) * half + half
        return looked


@dataclass(frozen=True, slots=True)
class Cropped(Variation):
    """A part of the face's frame, as large as the whole.

    Attributes:
        share: The side of the part, as a share of the frame's.
    """

    share: float

    def points(self, points: torch.Tensor, moment: Moment) -> torch.Tensor:
        """Look at the part."""
        side = points.shape[1]
        return points * self.share + moment.uniform(1, 1, 2).to(points) * side * (1 - self.share)


def _cosines(view: torch.Tensor) -> torch.Tensor:
    """The orthonormal cosine transform of a side: [size, size]."""
    import torch

    size = view.shape[-1]
    k = torch.arange(size).to(view)
    basis: torch.Tensor = (
        torch.cos((2 * k[None] + 1) * k[:, None] * torch.pi / (2 * size)) * (2 / size) ** 0.5
    )
    basis[0] /= 2**0.5
    return basis


def _blocks(
    moment: Moment, side: int
) -> tuple[tuple[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor, torch.Tensor]:
    """How a frame is divided, and what happens to each block: the same whenever it is asked first.

    Returns:
        For each place along both axes its block's number, start and length, int64 [n, 2, side] each; for each
        pixel what happens, int64 [n, side, side], and how much, float in [0, 1).
    """
    import torch

    cuts = (1 + moment.uniform(2, 2) * (side - 1)).long().sort(2).values
    what, amount = (moment.uniform(3, 3) * 7).long(), moment.uniform(3, 3)
    place = torch.arange(side, device=cuts.device)
    number = (place >= cuts[..., None]).sum(2)
    edges = torch.cat([torch.zeros_like(cuts[..., :1]), cuts, torch.full_like(cuts[..., :1], side)], 2)
    start = edges.gather(2, number)
    length = edges.gather(2, number + 1) - start
    n = torch.arange(len(cuts), device=cuts.device)[:, None, None]
    rows, columns = number[:, 0, :, None], number[:, 1, None, :]
    return (number, start, length), what[n, rows, columns], amount[n, rows, columns]
