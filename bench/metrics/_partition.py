"""Checked labelings and their cross-counts: the ground that the clustering metrics stand on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.types import Ints, Mask

NOISE = -1


def whole_numbers(values: npt.ArrayLike, name: str, *, least: int | None = None) -> Ints:
    """A 1-d int64 array.

    Raises:
        ValueError: for floats (NaN among them), more than one axis, or a value below `least`.
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
    """Cluster numbers, -1 for noise; see `whole_numbers`."""
    return whole_numbers(values, name, least=NOISE)


def same_length(**arrays: npt.NDArray[np.generic]) -> int:
    """The common length of several arrays.

    Raises:
        ValueError: if they differ, or are empty.
    """
    lengths = {name: int(array.shape[0]) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError("lengths differ: " + ", ".join(f"{n} {k}" for n, k in lengths.items()))
    length = next(iter(lengths.values()))
    if length == 0:
        raise ValueError(f"{' and '.join(lengths)} are empty")
    return length


def mask(values: npt.ArrayLike | None, name: str, length: int, *, default: bool = True) -> Mask:
    """A bool mask of `length` photos; `default` everywhere when there is none.

    Raises:
        ValueError: if it is not bool or has another length.
    """
    if values is None:
        return np.full(length, default)
    array = np.asarray(values)
    if array.dtype != np.bool_ or array.shape != (length,):
        raise ValueError(f"{name} must be {length} booleans, got {array.dtype} {array.shape}")
    return array


@dataclass(frozen=True, slots=True)
class Crossing:
    """How two labelings of the same photos cross. Every noise photo is a group of its own.

    Attributes:
        truth: [photo] dense group of each photo in the first labeling.
        guess: [photo] dense group in the second.
        cell: [photo] which (truth, guess) cell each photo lies in.
        truth_size: [truth group].
        guess_size: [guess group].
        cell_size: [cell]; only cells with photos exist, so memory is linear in photos.
        cell_truth: [cell] the truth group of each cell.
        cell_guess: [cell] the guess group.
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
    """Dense group numbers from 0, with every noise photo in a group of its own."""
    groups = labels.copy()
    noise = labels == NOISE
    groups[noise] = labels.max(initial=0) + 1 + np.arange(int(noise.sum()))
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def crossing(truth: npt.ArrayLike, guess: npt.ArrayLike) -> Crossing:
    """Cross two labelings of the same photos.

    Args:
        truth: int [photo], who is on each photo; -1 is a person seen once.
        guess: int [photo], its cluster; -1 is noise.

    Raises:
        ValueError: for other types, different lengths, or no photos.
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
