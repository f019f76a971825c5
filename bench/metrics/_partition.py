"""Checks of labelings, and counts of two labelings against each other, for the clustering metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.types import Ints, Mask

NOISE = -1


def whole_numbers(values: npt.ArrayLike, name: str, *, least: int | None = None) -> Ints:
    """Check that the values are a list of whole numbers.

    Args:
        values: The values, with one axis.
        name: The argument's name, for the error message.
        least: The smallest value that is allowed; None allows every value.

    Returns:
        int64 [value].

    Raises:
        ValueError: The values are floats (NaN among them), have more than one axis, or go below `least`.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one axis, got shape {array.shape}")
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers, got {array.dtype}")
    if array.size and least is not None and array.min() < least:
        raise ValueError(f"{name} must be at least {least}, got {array.min()}")
    return array.astype(np.int64)


def cluster_labels(values: npt.ArrayLike, name: str = "labels") -> Ints:
    """Check that the values are cluster numbers: whole numbers of at least -1, where -1 means noise.

    Returns:
        int64 [photo].

    Raises:
        ValueError: As in `whole_numbers`.
    """
    return whole_numbers(values, name, least=NOISE)


def same_length(**arrays: npt.NDArray[np.generic]) -> int:
    """The common length of several arrays.

    Raises:
        ValueError: The lengths differ, or the arrays are empty.
    """
    lengths = {name: int(array.shape[0]) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError("lengths differ: " + ", ".join(f"{n} {k}" for n, k in lengths.items()))
    length = next(iter(lengths.values()))
    if length == 0:
        raise ValueError(f"{' and '.join(lengths)} are empty")
    return length


def mask(values: npt.ArrayLike | None, name: str, length: int, *, default: bool = True) -> Mask:
    """Check that the values are a mask of photos.

    Args:
        values: bool [photo], or None.
        name: The argument's name, for the error message.
        length: The number of photos.
        default: The value of every photo where `values` is None.

    Returns:
        bool [photo].

    Raises:
        ValueError: The values are not bool, or the length is another one.
    """
    if values is None:
        return np.full(length, default)
    array = np.asarray(values)
    if array.dtype != np.bool_ or array.shape != (length,):
        raise ValueError(f"{name} must be {length} booleans, got {array.dtype} {array.shape}")
    return array


@dataclass(frozen=True, slots=True)
class Crossing:
    """Two labelings of the same photos, counted against each other. Every noise photo is a group of its own.

    A cell is a pair (truth group, guess group). Only cells that hold a photo exist, so memory is linear in
    photos.

    Attributes:
        truth: int64 [photo], the group of each photo in the first labeling, numbered from 0.
        guess: int64 [photo], the group of each photo in the second labeling, numbered from 0.
        cell: int64 [photo], the cell of each photo.
        truth_size: int64 [truth group], the number of photos of each group.
        guess_size: int64 [guess group], the number of photos of each group.
        cell_size: int64 [cell], the number of photos of each cell.
        cell_truth: int64 [cell], the truth group of each cell.
        cell_guess: int64 [cell], the guess group of each cell.
    """

    truth: Ints
    guess: Ints
    cell: Ints
    truth_size: Ints
    guess_size: Ints
    cell_size: Ints
    cell_truth: Ints
    cell_guess: Ints


def noise_apart(labels: Ints) -> Ints:
    """Number the groups from 0, and give every noise photo a group of its own.

    Args:
        labels: int64 [photo]; -1 means noise.

    Returns:
        int64 [photo], without -1.
    """
    groups = labels.copy()
    noise = labels == NOISE
    groups[noise] = labels.max(initial=0) + 1 + np.arange(int(noise.sum()))
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def crossing(truth: npt.ArrayLike, guess: npt.ArrayLike) -> Crossing:
    """Count two labelings of the same photos against each other.

    Args:
        truth: int [photo], the person on each photo; -1 means a person who is on no other photo.
        guess: int [photo], the cluster of each photo; -1 means noise.

    Raises:
        ValueError: An array has another type, the lengths differ, or there are no photos.
    """
    t, g = cluster_labels(truth, "truth"), cluster_labels(guess, "guess")
    same_length(truth=t, guess=g)
    t, g = noise_apart(t), noise_apart(g)
    width = int(g.max()) + 1
    cells, cell, sizes = np.unique(t * width + g, return_inverse=True, return_counts=True)
    return Crossing(
        truth=t,
        guess=g,
        cell=cell.astype(np.int64),
        truth_size=np.bincount(t),
        guess_size=np.bincount(g),
        cell_size=sizes.astype(np.int64),
        cell_truth=cells // width,
        cell_guess=cells % width,
    )
