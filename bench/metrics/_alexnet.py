"""The convolutions of AlexNet on a tile of a photo, with the values that they have on the whole photo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

Span = tuple[int, int]
"""The first row, or column, and the one behind the last."""

LAYERS = {
    # number among AlexNet's features: shape of the weights, stride, padding, whether pooled before
    0: ((64, 3, 11, 11), 4, 2, False),
    3: ((192, 64, 5, 5), 1, 2, True),
    6: ((384, 192, 3, 3), 1, 1, True),
    8: ((256, 384, 3, 3), 1, 1, False),
    10: ((256, 256, 3, 3), 1, 1, False),
}
"""The convolutions of AlexNet as torchvision numbers them; after each comes a ReLU, whose output counts."""

_POOL, _POOL_STRIDE = 3, 2


@dataclass(frozen=True)
class _Step:
    """A convolution or a maximum along one side: the window, its stride, and the zeros beyond the edge."""

    window: int
    stride: int
    padding: int
    layer: int | None = None

    def length(self, length: int) -> int:
        return (length + 2 * self.padding - self.window) // self.stride + 1

    def needs(self, out: Span, length: int) -> tuple[Span, Span]:
        """What a span of the output is made of: a span of the input, and the zeros before and behind it."""
        first = out[0] * self.stride - self.padding
        last = (out[1] - 1) * self.stride - self.padding + self.window
        return (max(0, first), min(length, last)), (max(0, -first), max(0, last - length))


_STEPS = [
    step
    for number, (shape, stride, padding, pooled) in LAYERS.items()
    for step in (
        *([_Step(_POOL, _POOL_STRIDE, 0)] if pooled else []),
        _Step(shape[2], stride, padding, number),
    )
]


@dataclass(frozen=True)
class Side:
    """The way along one side of a photo, from pixels to each layer, for one tile.

    Attributes:
        pixels: The pixels that the tile needs.
        zeros: For each step the zeros before and behind its input.
        cuts: For each layer the places of its output that are the tile's own, counted in what is computed.
        places: For each layer the number of places along the whole side.
    """

    pixels: Span
    zeros: tuple[Span, ...]
    cuts: tuple[Span, ...]
    places: tuple[int, ...]


def sides(length: int, tile: int | None) -> Iterator[Side]:
    """Yield the tiles along one side of a photo. Every place of every layer belongs to one of them.

    Args:
        length: The number of pixels along the side.
        tile: How many places of the last layer, 16 pixels each, are a tile; None for all of them.
    """
    lengths = [length]
    for step in _STEPS:
        lengths.append(step.length(lengths[-1]))
    deepest = lengths[-1]
    for start in range(0, deepest, tile or deepest):
        stop = min(start + (tile or deepest), deepest)
        yield _side(lengths, start, stop, stop == deepest)


def _side(lengths: Sequence[int], start: int, stop: int, last: bool) -> Side:
    need: Span | None = None
    zeros, cuts, places = list[Span](), list[Span](), list[int]()
    finer = 1
    for number in reversed(range(len(_STEPS))):
        step, size = _STEPS[number], lengths[number + 1]
        own = (start * finer, size if last else min(stop * finer, size))
        if step.layer is not None:
            need = own if need is None else (min(need[0], own[0]), max(need[1], own[1]))
            cuts.insert(0, (own[0] - need[0], own[1] - need[0]))
            places.insert(0, size)
        assert need is not None  # the last step is a layer
        finer *= _POOL_STRIDE if step.layer is None else 1
        need, beyond = step.needs(need, lengths[number])
        zeros.insert(0, beyond)
    assert need is not None
    return Side(need, tuple(zeros), tuple(cuts), tuple(places))


def features(
    x: torch.Tensor, tensors: Mapping[str, torch.Tensor], down: Side, across: Side
) -> Iterator[torch.Tensor]:
    """Yield the output of every ReLU at a tile's own places, [photo, channel, row, column].

    Args:
        x: The pixels that the tile needs, [photo, 3, row, column], as AlexNet expects them.
        tensors: The weights by name.
        down: The tile's rows.
        across: The tile's columns.
    """
    import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

    layer = 0
    for step, rows, columns in zip(_STEPS, down.zeros, across.zeros, strict=True):
        if step.layer is None:
            x = F.max_pool2d(x, _POOL, _POOL_STRIDE)
            continue
        weight, bias = (tensors[f"features.{step.layer}.{part}"] for part in ("weight", "bias"))
        x = F.relu(F.conv2d(F.pad(x, (*columns, *rows)), weight, bias, step.stride))
        yield x[:, :, slice(*down.cuts[layer]), slice(*across.cuts[layer])]
        layer += 1
