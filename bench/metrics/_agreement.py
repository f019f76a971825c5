"""Agreement of an assignment with the people who are really on the photos."""

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
from bench.types import Floats, Ints, Mask, Score
from bench.uncertainty.intervals import wilson

NAN = float("nan")
Better = Literal["lower", "higher", "none"]


class Agreement(NamedTuple):
    """Precision, recall and their harmonic mean F."""

    precision: Score
    recall: Score
    f: Score


def _score(name: str, value: float, n: int, better: Better) -> Score:
    """A score without an interval: photos and pairs depend on each other, so users must be resampled."""
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

    The precision of a photo is the share of its cluster that shows the same person. The recall of a photo is
    the share of its person's photos that lie in its cluster. The photo itself counts in both. Precision and
    recall are averaged over photos, and F is the harmonic mean of the two averages. A noise photo is a
    cluster of one. All three are in (0, 1]; 1 is a perfect assignment.

    Args:
        truth: int [photo], the person on each photo.
        guess: int [photo], the cluster of each photo; -1 means noise.
        of: bool [photo], the photos that the averages are taken over. Sizes always count the whole
            assignment.
        suffix: The end of the scores' names, such as `_background`.
        better: The direction that is better for the defense.

    Raises:
        ValueError: An array has another type, the lengths differ, there are no photos, or `of` is empty.
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
    """BCubed F in [0, 1], as the number that an attacker maximises during tuning.

    The order of arguments is that of the objective in `bench.protocols.Clusterer`.

    Args:
        guess: int [photo], the cluster of each photo; -1 means noise.
        truth: int [photo], the person on each photo.
    """
    return bcubed(truth, guess).f.value


def pairwise(
    truth: npt.ArrayLike,
    guess: npt.ArrayLike,
    *,
    of: npt.ArrayLike | None = None,
    suffix: str = "",
    better: Better = "lower",
) -> Agreement:
    """Pairwise precision, recall and F: the pairs that were joined against the pairs that show one person.

    Noise joins nothing. Precision is NaN when no pair was joined. Recall is NaN when no person has two
    photos. F = 2 both / (joined + true) is 0 when nothing was joined, and NaN only when precision and recall
    are both NaN. `n` counts pairs: the joined ones, the true ones, and the sum of the two.

    Args:
        truth: int [photo], the person on each photo.
        guess: int [photo], the cluster of each photo; -1 means noise.
        of: bool [photo]; a pair counts if at least one of its photos is in this mask.
        suffix: The end of the scores' names.
        better: The direction that is better for the defense.

    Raises:
        ValueError: As in `bcubed`.
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
    """Pairs within groups that touch a chosen photo: all pairs, less the pairs of two other photos."""
    others = np.bincount(group[~chosen], minlength=sizes.size)
    return int((sizes * (sizes - 1) // 2 - others * (others - 1) // 2).sum())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else NAN


def pairwise_precision(truth: npt.ArrayLike, guess: npt.ArrayLike) -> Score:
    """The share of joined pairs that show one person, in [0, 1]; see `pairwise`."""
    return pairwise(truth, guess).precision


def pairwise_recall(truth: npt.ArrayLike, guess: npt.ArrayLike) -> Score:
    """The share of one-person pairs that were joined, in [0, 1]; see `pairwise`."""
    return pairwise(truth, guess).recall


def best_match_f1(labels: npt.ArrayLike, owners: npt.ArrayLike, people: npt.ArrayLike) -> Floats:
    """The best F1 that any one cluster reaches as a guess of a person's photos, for each person.

    F1 = 2 |c ∩ X| / (|c| + |X|) for a cluster c and the person's photos X. A noise photo is a cluster of one.
    So a person with one photo that nothing was merged with has an F1 of 1, and a person with ten photos in
    noise has 2/11.

    Args:
        labels: int [photo], the cluster of each photo; -1 means noise.
        owners: int [photo], the person on each photo.
        people: int [person], the people to compute it for.

    Returns:
        float64 [person] in (0, 1].

    Raises:
        ValueError: An array has another type, the lengths differ, `people` is empty, or a person has no
            photo.
    """
    return _best_match(labels, owners, people).f1


class _Best(NamedTuple):
    """The best cluster of each person: its F1, its label among `Crossing.guess`, and what F1 is made of.

    F1 is 2 `own` / `sizes`; the arrays have one entry a person.
    """

    f1: Floats
    cluster: Ints
    own: Ints
    sizes: Ints


def _best_match(labels: npt.ArrayLike, owners: npt.ArrayLike, people: npt.ArrayLike) -> _Best:
    wanted, owned = whole_numbers(people, "people"), whole_numbers(owners, "owners")
    assigned = cluster_labels(labels)
    same_length(labels=assigned, owners=owned)
    if wanted.size == 0:
        raise ValueError("people is empty")
    names, person = np.unique(owned, return_inverse=True)
    x = crossing(person, assigned)
    sizes = x.truth_size[x.cell_truth] + x.guess_size[x.cell_guess]
    f1 = 2 * x.cell_size / sizes
    order = np.lexsort((x.cell_guess, -f1, x.cell_truth))
    best = order[np.unique(x.cell_truth[order], return_index=True)[1]]
    place = np.minimum(np.searchsorted(names, wanted), names.size - 1)
    if np.any(names[place] != wanted):
        raise ValueError(f"person {wanted[names[place] != wanted][0]} has no photo")
    chosen = best[place]
    return _Best(f1[chosen], x.cell_guess[chosen], x.cell_size[chosen], sizes[chosen])


def mean_best_match_f1(labels: npt.ArrayLike, owners: npt.ArrayLike, users: npt.ArrayLike) -> Score:
    """The mean of `best_match_f1` over users, with Wilson's interval over users (see `wilson`)."""
    each = best_match_f1(labels, owners, users)
    total = float(each.sum())
    return Score("best_match_f1", total / each.size, *wilson(total, each.size), each.size, "lower")


def contamination(
    clean_labels: npt.ArrayLike, labels: npt.ArrayLike, owners: npt.ArrayLike, background: npt.ArrayLike
) -> Score:
    """Innocent contamination: the share of background people whom the cloaks made harder to sort.

    A person counts when the person's best-match F1 falls by more than .1 from the clean run to the cloaked
    run. The denominator holds everybody in the background, people with a single photo too. Noise is a cluster
    of one, so the F1 of such a person is 1 until a stranger is merged with that person.

    Args:
        clean_labels: int [photo], the assignment when nobody was cloaked; -1 means noise.
        labels: int [photo], the assignment of the cell, over the same photos in the same order.
        owners: int [photo], the person on each photo.
        background: int [person], the people who were not cloaked.

    Raises:
        ValueError: As in `best_match_f1`.
    """
    before = best_match_f1(clean_labels, owners, background)
    after = best_match_f1(labels, owners, background)
    # The slack keeps a fall of exactly .1 (1.0 to .9 is .09999… or .10000…1 in binary) on one side.
    worse = int((before - after > 0.1 + 1e-9).sum())
    return Score("contamination", worse / before.size, *wilson(worse, before.size), before.size, "lower")


def contamination_bounds(
    clean_labels: npt.ArrayLike,
    labels: npt.ArrayLike,
    owners: npt.ArrayLike,
    background: npt.ArrayLike,
    unsure: npt.ArrayLike,
) -> tuple[float, float]:
    """Contamination if the users' unsure photos had gone best, and worst, for the background.

    Best: no unsure photo is in any cluster. Worst: they are where most people are harder to sort for it. Of
    the worst it is an upper bound: it does not ask whether another cluster would then be a person's best, and
    lets a part of a photo harm a part of the people. Everybody else's photos stay as they were seen.

    Args:
        clean_labels: As for `contamination`.
        labels: As for `contamination`.
        owners: As for `contamination`.
        background: As for `contamination`.
        unsure: bool [photo], photos of other people than `background` whose place says nothing.

    Raises:
        ValueError: As in `best_match_f1`, or the mask has another length.
    """
    assigned = cluster_labels(labels)
    open_ = mask(unsure, "unsure", assigned.size, default=False)
    limit = best_match_f1(clean_labels, owners, background) - 0.1 - 1e-9
    after = _best_match(np.where(open_, NOISE, assigned), owners, background)
    already = after.f1 < limit
    # so many photos of others in the best cluster take its F1 below the limit
    needed = np.floor(2 * after.own / np.maximum(limit, 1e-12)).astype(np.int64) - after.sizes + 1
    possible = ~already & (limit > 0)
    most = int(already.sum()) + _most_harmed(after.cluster[possible], needed[possible], int(open_.sum()))
    return float(already.mean()), min(1.0, most / after.f1.size)


def _most_harmed(cluster: Ints, needed: Ints, photos: int) -> int:
    """How many people at most are harmed by so many photos, of whom each needs some in a cluster."""
    segments: list[tuple[float, float]] = []  # photos, and people whom they harm
    for name in np.unique(cluster):
        needs = np.sort(np.maximum(needed[cluster == name], 1))
        at = people = 0
        while people < needs.size:
            gains = (np.arange(people, needs.size) + 1 - people) / (needs[people:] - at)
            best = people + int(len(gains) - 1 - gains[::-1].argmax())
            segments.append((float(needs[best] - at), float(best + 1 - people)))
            at, people = int(needs[best]), best + 1
    harmed, left = 0.0, float(photos)
    for cost, gain in sorted(segments, key=lambda segment: -segment[1] / segment[0]):
        share = min(1.0, left / cost)
        harmed, left = harmed + share * gain, left - share * cost
    return int(harmed + 1e-9)


def v_measure(truth: npt.ArrayLike, guess: npt.ArrayLike) -> Score:
    """V-measure (Rosenberg and Hirschberg 2007), in [0, 1].

    It is the harmonic mean of homogeneity and completeness. A noise photo is a cluster of one. The measure is
    secondary: with many small groups it hardly moves.

    Args:
        truth: int [photo], the person on each photo.
        guess: int [photo], the cluster of each photo; -1 means noise.
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
    """The entropy of a partition into groups of these sizes, in nats."""
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum())


def cluster_count(labels: npt.ArrayLike) -> Score:
    """The number of clusters. Noise is no cluster."""
    assigned = cluster_labels(labels)
    n = same_length(labels=assigned)
    return _score("clusters", float(np.unique(assigned[assigned != NOISE]).size), n, "none")


def noise_share(labels: npt.ArrayLike, *, of: npt.ArrayLike | None = None) -> Score:
    """The share of photos in no cluster, over all photos or over those in the mask `of`."""
    assigned = cluster_labels(labels)
    chosen = mask(of, "of", same_length(labels=assigned))
    if not chosen.any():
        raise ValueError("of chooses no photo")
    return _score("noise_share", float((assigned[chosen] == NOISE).mean()), int(chosen.sum()), "none")
