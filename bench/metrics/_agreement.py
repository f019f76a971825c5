"""How well an assignment agrees with who is really on the photos."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from bench.metrics._partition import (
    NOISE,
    Crossing,
    cluster_labels,
    crossing,
    mask,
    same_length,
    whole_numbers,
)
from bench.types import Floats, Mask, Score
from bench.uncertainty.intervals import wilson

NAN = float("nan")
Better = Literal["lower", "higher", "none"]


class Agreement(NamedTuple):
    """Precision, recall and their harmonic mean."""

    precision: Score
    recall: Score
    f: Score


def _score(name: str, value: float, n: int, better: Better) -> Score:
    """A score without an interval: its photos or pairs are not independent, resample users instead."""
    return Score(name, value, NAN, NAN, n, better)


def _of(crossed: Crossing, of: npt.ArrayLike | None) -> Mask:
    chosen = mask(of, "of", crossed.truth.size)
    if not chosen.any():
        raise ValueError("of chooses no photo")
    return chosen


def bcubed(
    truth: npt.ArrayLike,
    guess: npt.ArrayLike,
    *,
    of: npt.ArrayLike | None = None,
    suffix: str = "",
    better: Better = "lower",
) -> Agreement:
    """BCubed precision, recall and F (Bagga and Baldwin 1998; F as in Amigó et al. 2009).

    A photo's precision is the share of its cluster that shows its person, its recall the share of its
    person's photos that are in its cluster, itself included in both. Each is averaged over photos; F is the
    harmonic mean of the two averages. A noise photo is a cluster of one. All are in (0, 1]; 1 is a perfect
    assignment.

    Args:
        truth: int [photo], who is on it.
        guess: int [photo], its cluster, -1 for noise.
        of: bool [photo], the photos to average over; counts are always over the whole assignment.
        suffix: of the scores' names, such as `_background`.
        better: which direction is better for the defense.

    Raises:
        ValueError: for other types, different lengths, no photos, or an empty `of`.
    """
    x = crossing(truth, guess)
    chosen = _of(x, of)
    shared = x.cell_size[x.cell]
    precision = float((shared / x.guess_size[x.guess])[chosen].mean())
    recall = float((shared / x.truth_size[x.truth])[chosen].mean())
    n = int(chosen.sum())
    return Agreement(
        _score("bcubed_precision" + suffix, precision, n, better),
        _score("bcubed_recall" + suffix, recall, n, better),
        _score("bcubed_f" + suffix, 2 * precision * recall / (precision + recall), n, better),
    )


def bcubed_objective(guess: npt.ArrayLike, truth: npt.ArrayLike) -> float:
    """BCubed F as what an attacker maximises while it tunes; see `bench.protocols.Clusterer`."""
    return bcubed(truth, guess).f.value


def pairwise(
    truth: npt.ArrayLike,
    guess: npt.ArrayLike,
    *,
    of: npt.ArrayLike | None = None,
    suffix: str = "",
    better: Better = "lower",
) -> Agreement:
    """Pairwise precision, recall and F: which pairs were joined, and which should have been?

    Noise joins nothing. Precision is NaN when no pair was joined and recall NaN when no person has two
    photos; F = 2 both / (joined + true) is 0 when nothing was joined, and NaN only when both are undefined.
    `n` counts pairs: joined, true, and their sum.

    Args:
        truth: int [photo], who is on it.
        guess: int [photo], its cluster, -1 for noise.
        of: bool [photo]; pairs with at least one photo in it count.
        suffix: of the scores' names.
        better: which direction is better for the defense.

    Raises:
        ValueError: as in `bcubed`.
    """
    x = crossing(truth, guess)
    chosen = _of(x, of)
    joined = _pairs(x.guess_size, x.guess, chosen)
    true = _pairs(x.truth_size, x.truth, chosen)
    both = _pairs(x.cell_size, x.cell, chosen)
    return Agreement(
        _score("pairwise_precision" + suffix, _share(both, joined), joined, better),
        _score("pairwise_recall" + suffix, _share(both, true), true, better),
        _score("pairwise_f" + suffix, _share(2 * both, joined + true), joined + true, better),
    )


def _pairs(sizes: npt.NDArray[np.int64], group: npt.NDArray[np.int64], chosen: Mask) -> int:
    """Pairs within groups that touch a chosen photo: all pairs less those between two others."""
    others = np.bincount(group[~chosen], minlength=sizes.size)
    return int((sizes * (sizes - 1) // 2 - others * (others - 1) // 2).sum())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else NAN


def pairwise_precision(truth: npt.ArrayLike, guess: npt.ArrayLike) -> Score:
    """Of the pairs of photos that were joined, the share that shows one person; see `pairwise`."""
    return pairwise(truth, guess).precision


def pairwise_recall(truth: npt.ArrayLike, guess: npt.ArrayLike) -> Score:
    """Of the pairs of photos that show one person, the share that was joined; see `pairwise`."""
    return pairwise(truth, guess).recall


def best_match_f1(labels: npt.ArrayLike, owners: npt.ArrayLike, people: npt.ArrayLike) -> Floats:
    """For each person, the best F1 of any one cluster as a guess of that person's photos.

    F1 = 2 |c ∩ X| / (|c| + |X|) for cluster c and photos X. A noise photo is a cluster of one: somebody with
    one photo that nothing was merged with has F1 1, somebody with ten photos in noise 2/11.

    Args:
        labels: int [photo], its cluster, -1 for noise.
        owners: int [photo], who is on it.
        people: int [person], whom to compute it for.

    Returns:
        [person] in (0, 1].

    Raises:
        ValueError: for other types, different lengths, nobody in `people`, or somebody without a photo.
    """
    wanted, owned = whole_numbers(people, "people"), whole_numbers(owners, "owners")
    assigned = cluster_labels(labels)
    same_length(labels=assigned, owners=owned)
    if wanted.size == 0:
        raise ValueError("people is empty")
    names, person = np.unique(owned, return_inverse=True)
    x = crossing(person, assigned)
    f1 = 2 * x.cell_size / (x.truth_size[x.cell_truth] + x.guess_size[x.cell_guess])
    best = np.zeros(names.size)
    np.maximum.at(best, x.cell_truth, f1)
    place = np.minimum(np.searchsorted(names, wanted), names.size - 1)
    if np.any(names[place] != wanted):
        raise ValueError(f"person {wanted[names[place] != wanted][0]} has no photo")
    return best[place]


def mean_best_match_f1(labels: npt.ArrayLike, owners: npt.ArrayLike, users: npt.ArrayLike) -> Score:
    """The mean over users of `best_match_f1`, with Wilson's interval over users (see `wilson`)."""
    each = best_match_f1(labels, owners, users)
    total = float(each.sum())
    return Score("best_match_f1", total / each.size, *wilson(total, each.size), each.size, "lower")


def contamination(
    clean_labels: npt.ArrayLike, labels: npt.ArrayLike, owners: npt.ArrayLike, background: npt.ArrayLike
) -> Score:
    """Innocent contamination: the share of background identities whom the cloaks made harder to sort.

    Somebody counts whose best-match F1 falls by more than .1 from the clean run to the cloaked one. Everybody
    in the background counts in the denominator, people with a single photo too: noise is a cluster of one, so
    their F1 is 1 until a stranger is merged with them, which is just what this measures.

    Args:
        clean_labels: int [photo], the assignment when nobody was cloaked.
        labels: int [photo], the assignment of the cell, over the same photos in the same order.
        owners: int [photo], who is on it.
        background: int [person], the identities that nobody cloaked.

    Raises:
        ValueError: as in `best_match_f1`.
    """
    before = best_match_f1(clean_labels, owners, background)
    after = best_match_f1(labels, owners, background)
    # The slack keeps a fall of exactly .1 (1.0 to .9 is .09999… or .10000…1 in binary) on one side.
    worse = int((before - after > 0.1 + 1e-9).sum())
    return Score("contamination", worse / before.size, *wilson(worse, before.size), before.size, "lower")


def v_measure(truth: npt.ArrayLike, guess: npt.ArrayLike) -> Score:
    """V-measure (Rosenberg and Hirschberg 2007): harmonic mean of homogeneity and completeness, in [0, 1].

    A noise photo is a cluster of one. Secondary: with many small groups it barely moves.
    """
    x = crossing(truth, guess)
    both, of_truth, of_guess = (_entropy(sizes) for sizes in (x.cell_size, x.truth_size, x.guess_size))
    homogeneity = (of_truth + of_guess - both) / of_truth if of_truth else 1.0
    completeness = (of_truth + of_guess - both) / of_guess if of_guess else 1.0
    total = homogeneity + completeness
    # A difference of entropies can come out a hair below zero.
    value = max(0.0, 2 * homogeneity * completeness / total) if total > 0 else 0.0
    return _score("v_measure", value, x.truth.size, "lower")


def _entropy(sizes: npt.NDArray[np.int64]) -> float:
    """Of a partition into groups of these sizes, in nats."""
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum())


def cluster_count(labels: npt.ArrayLike) -> Score:
    """How many clusters there are, noise not counted."""
    assigned = cluster_labels(labels)
    n = same_length(labels=assigned)
    return _score("clusters", float(np.unique(assigned[assigned != NOISE]).size), n, "none")


def noise_share(labels: npt.ArrayLike, *, of: npt.ArrayLike | None = None) -> Score:
    """The share of photos that are in no cluster, of all or of those in the mask `of`."""
    assigned = cluster_labels(labels)
    chosen = mask(of, "of", same_length(labels=assigned))
    if not chosen.any():
        raise ValueError("of chooses no photo")
    return _score("noise_share", float((assigned[chosen] == NOISE).mean()), int(chosen.sum()), "none")
