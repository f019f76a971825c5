"""Retrieval of a person's other photos: query and gallery are each clean or cloaked, among distractors.

All functions are pure functions of embeddings. A row of NaN is a photo without a detected face. Such a query
finds nothing, such a gallery photo is never found, and both stay in every denominator. Similarities are
cosines. Similarities that agree to six digits are ties, and a tie counts as its average over random orders.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.metrics._partition import mask, whole_numbers
from bench.metrics._ranking import MateRanks, Rows, average_precision, extremes, rank_mates, within
from bench.metrics.verification import RATES, threshold_at_far
from bench.types import Floats, Ints, Score
from bench.uncertainty.intervals import wilson

CELLS = (("clean", "clean"), ("clean", "cloaked"), ("cloaked", "clean"), ("cloaked", "cloaked"))
"""Pairs (query, gallery)."""

_PAIRS = 0x9A125
"""A constant that keeps this module's random numbers apart from others made of the same seed."""


def four_cells(
    clean: npt.ArrayLike,
    cloaked: npt.ArrayLike,
    owners: npt.ArrayLike,
    distractors: npt.ArrayLike | None = None,
    *,
    impostor: npt.ArrayLike | None = None,
    ranks: Sequence[int] = (1, 5),
    rates: Sequence[float] = tuple(RATES.values()),
    unsure: npt.ArrayLike | None = None,
    block: int = 1024,
) -> dict[str, Score]:
    """Retrieval and verification in the four cells of query × gallery.

    Every photo of every user is a query once. Its gallery is all other photos of all users, in the cell's
    version, and the distractors, which are always clean. The query's own photo is left out in either version.
    `cloaked_cloaked` asks what clustering asks: do released photos of one person find each other?

    - `rank1_clean_cloaked` and so on: the share of queries that have a photo of the same person among the
      first k.
    - `map_clean_cloaked` and so on: mean average precision. Each of a person's other photos counts with the
      share of that person's photos among all photos at least as similar, and with 0 where no face was
      detected in it.
    - `tar_far_1e2_clean_cloaked` and so on: the share of one person's pairs above the threshold that the
      given share of impostor pairs exceeds (see `bench.metrics.verification.threshold_at_far`). It is NaN
      where there are too few impostor pairs for that rate.

    Each value is a mean over users of the user's mean, in [0, 1]. Lower is better for the defense. Its
    interval is Wilson's over users.

    Args:
        clean: float [photo, dimension], unit rows, or NaN where no face was detected.
        cloaked: float [photo, dimension], the same photos after the defense, in the same order.
        owners: int [photo], the person on each photo; everybody has at least two photos.
        distractors: float [distractor, dimension], clean photos of nobody in `owners`.
        impostor: float [pair], similarities of clean photos of different calibration people
            (`impostor_similarities`). Without them there is no TAR.
        ranks: The values of k of rank-k.
        rates: The false accept rates.
        unsure: bool [photo], cloaked photos whose place says nothing, such as undetected or over-budget ones.
            With them, the cells that have cloaked photos have bounds: had these photos been unlike everybody,
            and had they been unmistakable.
        block: The number of gallery photos that are compared with as many queries at once. At most block²
            similarities are in memory.

    Raises:
        ValueError: Shapes do not fit, a row is neither of unit length nor NaN, a person has a single photo, k
            or block is below 1, or as in `threshold_at_far`.
    """
    versions = {"clean": _rows(clean, "clean"), "cloaked": _rows(cloaked, "cloaked")}
    people = _people(owners, versions["clean"], versions["cloaked"])
    others = _others(distractors, versions["clean"].shape[1])
    _positive(ranks=ranks, block=[block])
    doubtful = mask(unsure, "unsure", len(people), default=False)
    thresholds: dict[str, float] = {}
    if impostor is not None:
        thresholds = {f"tar_far_{_scientific(far)}": threshold_at_far(impostor, far) for far in rates}
    scores: dict[str, Score] = {}
    for query, gallery in CELLS:
        mates = rank_mates(versions[query], versions[gallery], others, people, block)
        each = _each(mates, ranks, thresholds)
        open_ = {"clean": np.zeros_like(doubtful), "cloaked": doubtful}
        ends: list[dict[str, Floats]] = []
        if doubtful.any() and "cloaked" in (query, gallery):
            photos = versions[query], versions[gallery], open_[query], open_[gallery]
            ends = [_each(end, ranks, thresholds) for end in extremes(mates, people, *photos)]
        for name, values in each.items():
            label = f"{name}_{query}_{gallery}"
            score = _over_users(label, values, people, "lower")
            scores[label] = _bounded(score, [end[name] for end in ends], people)
    return scores


def _each(mates: MateRanks, ranks: Sequence[int], thresholds: Mapping[str, float]) -> dict[str, Floats]:
    """Metric -> float64 [query]."""
    each: dict[str, Floats] = {f"rank{k}": within(mates, k) for k in ranks}
    each["map"] = average_precision(mates)
    for name, threshold in thresholds.items():
        above = (mates.similarity > threshold).sum(1) / mates.mates.sum(1)
        each[name] = above if np.isfinite(threshold) else np.full(len(above), np.nan)
    return each


def _bounded(score: Score, ends: Sequence[Floats], people: Ints) -> Score:
    """A score with the bounds that two extremes give it, lower one first; as it is without extremes."""
    if not ends or math.isnan(score.value):
        return score
    low, high = (float((np.bincount(people, weights=end) / np.bincount(people)).mean()) for end in ends)
    return replace(score, bounds=(low, high))


def single_mate_protection(
    cloaked: npt.ArrayLike,
    clean: npt.ArrayLike,
    owners: npt.ArrayLike,
    distractors: npt.ArrayLike,
    *,
    ranks: Sequence[int] = (1, 5),
    unsure: npt.ArrayLike | None = None,
    block: int = 1024,
) -> dict[str, Score]:
    """PSR@k by the convention of OPOM (Zhong and Deng 2022, as in MegaFace).

    For each cloaked probe i and each clean photo j != i of the same person, the gallery is j and the
    distractors. The probe is protected when j is not among the first k. `psr1_single` and `psr5_single` are
    means over users in [0, 1]. Higher is better for the defense. The interval is Wilson's over users.

    An attacker who holds one photo of a person finds that person less often than an attacker who holds all of
    them. The rates of the latter are the rank-k rates of `four_cells` and of
    `bench.metrics.identification.protection_success_rate`. Published figures of OPOM compare with this
    function alone, and only with as many distractors.

    Args:
        cloaked: float [photo, dimension], unit rows of released photos; NaN where no face was detected.
        clean: float [photo, dimension], the same photos before the defense, in the same order.
        owners: int [photo], the person on each photo; everybody has at least two photos.
        distractors: float [distractor, dimension], clean photos of nobody in `owners`.
        ranks: The values of k.
        unsure: As in `four_cells`.
        block: As in `four_cells`.

    Raises:
        ValueError: As in `four_cells`, or there are no distractors.
    """
    probes, held = _rows(cloaked, "cloaked"), _rows(clean, "clean")
    people = _people(owners, held, probes)
    others = _others(distractors, held.shape[1])
    if not len(others):
        raise ValueError("PSR@k against a single photo of the person needs distractors")
    _positive(ranks=ranks, block=[block])
    mates = rank_mates(probes, held, others, people, block, only_distractors=True)
    doubtful = mask(unsure, "unsure", len(people), default=False)
    ends: tuple[MateRanks, ...] = ()
    if doubtful.any():
        ends = extremes(mates, people, probes, held, doubtful, np.zeros_like(doubtful))
    scores = {}
    for k in ranks:
        label = f"psr{k}_single"
        score = _over_users(label, _protected(mates, k), people, "higher")
        # the unmistakable ones protect least
        scores[label] = _bounded(score, [_protected(end, k) for end in reversed(ends)], people)
    return scores


def _protected(mates: MateRanks, k: int) -> Floats:
    """float64 [query]: the share of mates that are not among the first k among distractors."""
    # the mate shares its place with as many as are tied with it
    hit = np.clip((k - mates.above) / (mates.tied + 1), 0, 1) * np.isfinite(mates.similarity)
    protected: Floats = 1 - (hit * mates.mates).sum(1) / mates.mates.sum(1)
    return protected


def impostor_similarities(
    embeddings: npt.ArrayLike, people: npt.ArrayLike, *, most: int = 1_000_000, seed: int = 0
) -> Floats:
    """Cosines of pairs of photos of different calibration people.

    Args:
        embeddings: float [photo, dimension], unit rows; rows of NaN (no face) are left out.
        people: int [photo], the person on each photo.
        most: The number of pairs that are drawn, about, where there are more.
        seed: The seed of the draw.

    Returns:
        float64 [pair]; every pair once where there are at most `most` pairs of photos.

    Raises:
        ValueError: Shapes do not fit, or there are fewer than two people.
    """
    rows, owners = _rows(embeddings, "embeddings"), whole_numbers(people, "people")
    if owners.shape != (len(rows),):
        raise ValueError(f"people must name one person for each of {len(rows)} photos")
    _positive(most=[most])
    seen = np.isfinite(rows[:, 0])
    rows, owners = rows[seen], owners[seen]
    if np.unique(owners).size < 2:
        raise ValueError("impostor pairs need two people with a detected face")
    n = len(rows)
    if n * (n - 1) // 2 <= most:
        first, second = np.triu_indices(n, 1)
    else:
        stream = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, _PAIRS])))
        first, second = stream.integers(0, n, (2, most))
    different = owners[first] != owners[second]
    first, second = first[different], second[different]
    return np.concatenate(
        [
            np.einsum(
                "pd,pd->p", rows[first[at : at + 65536]], rows[second[at : at + 65536]], dtype=np.float64
            )
            for at in range(0, len(first), 65536)
        ]
    )


def _over_users(label: str, values: Floats, people: Ints, better: Literal["lower", "higher"]) -> Score:
    rates = np.bincount(people, weights=values) / np.bincount(people)
    n = rates.size
    if np.isnan(rates).any():
        return Score(label, math.nan, math.nan, math.nan, n, better)
    total = float(np.clip(rates, 0, 1).sum())
    return Score(label, total / n, *wilson(total, n), n, better)


def _rows(values: npt.ArrayLike, name: str) -> Rows:
    array = np.asarray(values)
    if array.ndim != 2 or array.dtype.kind != "f" or array.size == 0:
        raise ValueError(f"{name} must be numbers [photo, dimension], got {array.dtype} {array.shape}")
    gone = np.isnan(array).any(1)
    length = np.linalg.norm(array[~gone].astype(np.float64), axis=1)
    if (np.abs(length - 1) > 1e-3).any():
        raise ValueError(f"{name} must have rows of unit length, or of NaN where no face was detected")
    rows: Rows = np.where(gone[:, None], np.float32(np.nan), array).astype(np.float32)
    return rows


def _people(owners: npt.ArrayLike, clean: Rows, cloaked: Rows) -> Ints:
    """The person on each photo, numbered from 0."""
    people = whole_numbers(owners, "owners")
    if clean.shape != cloaked.shape or people.shape != (len(clean),):
        raise ValueError(
            "clean, cloaked and owners must be of the same photos, "
            f"got {clean.shape}, {cloaked.shape} and {people.shape}"
        )
    names, person, photos = np.unique(people, return_inverse=True, return_counts=True)
    if photos.min() < 2:
        raise ValueError(f"user {names[photos.argmin()]} has one photo: there is no other to find")
    return person.astype(np.int64)


def _others(distractors: npt.ArrayLike | None, dimensions: int) -> Rows:
    """Distractors with a detected face. A photo without one is no competitor."""
    if distractors is None or np.shape(distractors)[:1] == (0,):
        return np.zeros((0, dimensions), np.float32)
    rows = _rows(distractors, "distractors")
    if rows.shape[1] != dimensions:
        raise ValueError(f"distractors have {rows.shape[1]} dimensions and the users' photos {dimensions}")
    return rows[np.isfinite(rows[:, 0])]


def _positive(**numbers: Sequence[int]) -> None:
    for name, values in numbers.items():
        if not values or min(values) < 1:
            raise ValueError(f"{name} must be at least 1, got {list(values)}")


def _scientific(far: float) -> str:
    return np.format_float_scientific(far, trim="-", exp_digits=1).replace("e-", "e")
