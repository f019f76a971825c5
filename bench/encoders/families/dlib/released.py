"""The released file of dlib's network: numbers are read by their place in it, and nothing of it is run.

dlib writes a network layer by layer, the input first. A layer's name stands as text, a tensor follows, and
what else a layer has comes after that. A whole number is one byte, which holds the sign and how many bytes
follow, and then these bytes, the lowest first.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float32]

_LAYER = re.compile(rb"\x05con_4|\x07affine_|\x04fc_2")
_TENSOR_VERSION = 2


class NotThisNetworkError(ValueError):
    """The file does not hold what is read from it."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """A convolution and the factor and shift of each of its channels, which follow it in the network.

    Attributes:
        weights: [filters, channels, rows, columns].
        bias: [filters].
        stride: The same on both axes.
        padding: The same on both axes.
    """

    weights: Numbers
    bias: Numbers
    stride: int
    padding: int


def read_network(content: bytes) -> tuple[list[Convolution], Numbers]:
    """The convolutions, from the input on, and the matrix [features, dimensions] at the end.

    Args:
        content: The bytes of the file.

    Raises:
        NotThisNetworkError: if the file is of another network, or cut short.
    """
    layers = list(_layers(content))
    names = [name for name, _, _ in layers]
    pairs = (len(layers) - 1) // 2
    if not layers or names != ["con_4", "affine_"] * pairs + ["fc_2"]:
        raise NotThisNetworkError("it has other layers than dlib's face recogniser")
    convolutions = [
        _convolution(layers[i][1], layers[i + 1][1], layers[i][2]) for i in range(0, 2 * pairs, 2)
    ]
    _, matrix, (features, dimensions) = layers[-1]
    if len(matrix) != features * dimensions:
        raise NotThisNetworkError("its last layer has another size than it states")
    return convolutions, matrix.reshape(features, dimensions)


def _layers(content: bytes) -> Iterator[tuple[str, Numbers, tuple[int, ...]]]:
    """The name, the numbers and the sizes of every layer that has numbers.

    A convolution's sizes are its filters, rows, columns, strides and paddings. The last layer's are how many
    numbers go in and how many come out.
    """
    for found in _LAYER.finditer(content):
        name, at = found[0][1:].decode("ascii"), found.end()
        sizes: tuple[int, ...] = ()
        if name == "fc_2":
            out, at = _whole_number(content, at)
            given, at = _whole_number(content, at)
            sizes = given, out
        numbers, at = _tensor(content, at)
        if name == "con_4":
            for _ in range(7):
                size, at = _whole_number(content, at)
                sizes = *sizes, size
        yield name, numbers, sizes


def _convolution(numbers: Numbers, affine: Numbers, sizes: tuple[int, ...]) -> Convolution:
    filters, rows, columns, down, across, above, beside = sizes
    if down != across or above != beside or min(filters, rows, columns, down) < 1 or above < 0:
        raise NotThisNetworkError("it has a convolution of another kind")
    weights = numbers[:-filters].astype(np.float64)
    if len(affine) != 2 * filters or len(weights) % (filters * rows * columns):
        raise NotThisNetworkError("the sizes of its layers do not fit together")
    factor, shift = affine[:filters].astype(np.float64), affine[filters:].astype(np.float64)
    scaled = weights.reshape(filters, -1, rows, columns) * factor[:, None, None, None]
    bias = numbers[-filters:] * factor + shift
    return Convolution(scaled.astype(np.float32), bias.astype(np.float32), down, above)


def _tensor(content: bytes, at: int) -> tuple[Numbers, int]:
    version, at = _whole_number(content, at)
    if version != _TENSOR_VERSION:
        raise NotThisNetworkError(f"it has a tensor of version {version}, not {_TENSOR_VERSION}")
    sizes = []
    for _ in range(4):
        size, at = _whole_number(content, at)
        sizes.append(size)
    count = math.prod(sizes)
    if min(sizes) < 0 or at + 4 * count > len(content):
        raise NotThisNetworkError("it ends in the middle of a layer")
    return np.frombuffer(content, "<f4", count, at), at + 4 * count


def _whole_number(content: bytes, at: int) -> tuple[int, int]:
    """A whole number, and where the next thing begins."""
    length = content[at] & 0x0F if at < len(content) else 0
    end = at + 1 + length
    if not 1 <= length <= 8 or end > len(content):
        raise NotThisNetworkError("it ends in the middle of a layer")
    value = int.from_bytes(content[at + 1 : end], "little")
    return (-value if content[at] & 0x80 else value), end
