"""Finding a person's other photos: query and gallery each clean or cloaked, among distractors.

Pure functions of embeddings. A row of NaN is a photo without a detected face: as a query it finds nothing, in
a gallery it is never found, and it stays in every denominator. Similarities are cosines; those that are equal
to six digits are ties, and a tie is what it would be on average in random order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.metrics._partition import whole_numbers
from bench.metrics._ranking import Rows, average_precision, rank_mates, within
from bench.metrics.verification import threshold_at_far
from bench.types import Floats, Ints, Score
from bench.uncertainty.intervals import wilson

CELLS = (("clean", "clean"), ("clean", "cloaked"), ("cloaked", "clean"), ("cloaked", "cloaked"))
"""(query, gallery)."""

_PAIRS = 0x9A125
"""Keeps this module's random numbers apart from others made of the same seed."""


def four_cells(
    clean: npt.ArrayLike,
    cloaked: npt.ArrayLike,
    owners: npt.ArrayLike,
    distractors: npt.ArrayLike | None = None,
    *,
    impostor: npt.ArrayLike | None = None,
    ranks: Sequence[int] = (1, 5),
    rates: Sequence[float] = (1e-2, 1e-3),
    block: int = 1024,
) -> dict[str, Score]:
    """Retrieval and verification in the four cells of query × gallery.

    Every photo of every user is a query once; its gallery is all other photos of all users, in the cell's
    version, and the distractors, which are always clean. The query's own photo is left out in either
    version. `cloaked_cloaked` asks what clustering asks: do released photos of one person find each other?

    - `rank1_clean_cloaked` …: a photo of the same person is among the first k.
    - `map_clean_cloaked` …: mean average precision; each of a person's other photos counts with the share
      of its person's among the photos at least as similar, and with 0 where no face was detected in it.
    - `tar_far_1e2_clean_cloaked` …: pairs of one person's photos above the threshold at which the given
      share of impostor pairs are (see `bench.metrics.verification.threshold_at_far`); NaN where the impostor
      pairs are too few to tell.

    Each is a mean over users of the user's mean, lower is better for the defense, and its interval is
    Wilson's with users as units.

    Args:
        clean: [photo, dimension] unit rows, the users' photos; NaN rows where no face was detected.
        cloaked: the same photos as released, in the same order.
        owners: int [photo]; everybody has at least two photos.
        distractors: [photo, dimension], clean photos of nobody in `owners`.
        impostor: [pair] similarities of different calibration people, clean (`impostor_similarities`);
            without it there is no TAR.
        ranks: the k of rank-k.
        rates: false accept rates.
        block: how many gallery photos are compared with as many queries at once; at most block² similarities
            are held.

    Raises:
        ValueError: for shapes that do not fit, rows that are neither of unit length nor NaN, somebody with a
            single photo, k or block below 1, or as in `threshold_at_far`.
    """
    versions = {"clean": _rows(clean, "clean"), "cloaked": _rows(cloaked, "cloaked")}
    people = _people(owners, versions["clean"], versions["cloaked"])
    others = _others(distractors, versions["clean"].shape[1])
    _positive(ranks=ranks, block=[block])
    thresholds: dict[str, float] = {}
    if impostor is not None:
        thresholds = {f"tar_far_{_scientific(far)}": threshold_at_far(impostor, far) for far in rates}
    scores: dict[str, Score] = {}
    for query, gallery in CELLS:
        mates = rank_mates(versions[query], versions[gallery], others, people, block)
        each: dict[str, Floats] = {f"rank{k}": within(mates, k) for k in ranks}
        each["map"] = average_precision(mates)
        for name, threshold in thresholds.items():
            above = (mates.similarity > threshold).sum(1) / mates.mates.sum(1)
            each[name] = above if np.isfinite(threshold) else np.full(len(above), np.nan)
        for name, values in each.items():
            label = f"{name}_{query}_{gallery}"
            scores[label] = _over_users(label, values, people, "lower")
    return scores


def single_mate_protection(
    cloaked: npt.ArrayLike,
    clean: npt.ArrayLike,
    owners: npt.ArrayLike,
    distractors: npt.ArrayLike,
    *,
    ranks: Sequence[int] = (1, 5),
    block: int = 1024,
) -> dict[str, Score]:
    """PSR@k by the convention of OPOM (Zhong and Deng 2022, as in MegaFace).

    For each cloaked probe i and each clean photo j != i of the same person the gallery is j and the
    distractors; the probe is protected when j is not among the first k. `psr1_single`, `psr5_single`: means
    over users, higher is better for the defense, Wilson's interval over users.

    An attacker who holds one photo of a person finds that person less often than one who holds all of them:
    those are the rank-k rates of `four_cells` and of `bench.metrics.identification.protection_success_rate`.
    Compare published figures of OPOM with this one alone, and only with as many distractors.

    Args:
        cloaked: [photo, dimension] unit rows, released photos; NaN where no face was detected.
        clean: the same photos before, in the same order.
        owners: int [photo]; everybody has at least two photos.
        distractors: [photo, dimension], clean photos of nobody in `owners`.
        ranks: the k.
        block: as in `four_cells`.

    Raises:
        ValueError: as in `four_cells`, and for no distractors.
    """
    probes, held = _rows(cloaked, "cloaked"), _rows(clean, "clean")
    people = _people(owners, held, probes)
    others = _others(distractors, held.shape[1])
    if not len(others):
        raise ValueError("PSR@k against a single photo of the person needs distractors")
    _positive(ranks=ranks, block=[block])
    mates = rank_mates(probes, held, others, people, block, only_distractors=True)
    scores = {}
    for k in ranks:
        # the mate shares its place with as many as are tied with it
        hit = np.clip((k - mates.above) / (mates.tied + 1), 0, 1) * np.isfinite(mates.similarity)
        label = f"psr{k}_single"
        protected = 1 - (hit * mates.mates).sum(1) / mates.mates.sum(1)
        scores[label] = _over_users(label, protected, people, "higher")
    return scores


def impostor_similarities(
    embeddings: npt.ArrayLike, people: npt.ArrayLike, *, most: int = 1_000_000, seed: int = 0
) -> Floats:
    """Similarities of pairs of photos of different calibration people.

    Args:
        embeddings: [photo, dimension] unit rows; photos without a face (NaN) are left out.
        people: int [photo].
        most: about so many pairs are drawn where there are more.
        seed: of the draw.

    Returns:
        [pair]; every pair once where there are at most `most` pairs of photos.

    Raises:
        ValueError: for shapes that do not fit, or fewer than two people.
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
    """Dense numbers of the people on each photo."""
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
    """Distractors with a detected face: what is not detected can be in nobody's way."""
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
