"""Cluster, then assign: what a clusterer left over joins the nearest cluster, whatever clustered first.

Products do it in a second pass (PhotoPrism, LibrePhotos, Apple Photos). A template stands for each cluster of
`PROTOCOL.support` photos or more: the mean direction of its members, each weighted by its cosine with the
plain mean, so that a member at the rim says less. Embeddings have length 1 here: no norm tells their quality.
Two templates that are each other's nearest merge, then leftovers join the nearest template. Both distances
are tuned on the calibration people, with the clusterer frozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from bench.attack.objective import KEPT, Objective
from bench.metrics.clustering import PROTOCOL
from bench.parameters import Plain
from bench.types import Embeddings, Labels

JOINS = (0.0, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7)
"""The candidates for the cosine distance up to which a leftover joins a template; 0 joins none."""
MERGES = (0.0, 0.2, 0.3, 0.4, 0.5)
"""The candidates for the cosine distance up to which two templates merge; 0 merges none."""
_EXACT_UP_TO = 4096  # templates: beyond, they are searched through lists, and nothing is quadratic
_PROBES = 16
_LISTS_PER_ROOT = 4


@dataclass(frozen=True)
class SecondStep:
    """What is done to a clustering.

    Attributes:
        join: The cosine distance up to which a photo that is left over joins the nearest template; 0 joins
            none.
        merge: The cosine distance up to which two clusters merge whose templates are each other's nearest; 0
            merges none.
    """

    join: float = 0.0
    merge: float = 0.0

    def described(self) -> dict[str, Plain]:
        """Both distances, as a record has them among what was calibrated."""
        return {"second_step.join": self.join, "second_step.merge": self.merge}

    def after(self, embeddings: Embeddings, labels: Labels) -> Labels:
        """The clustering after the second step.

        Args:
            embeddings: float32 [photo, dimension], unit rows.
            labels: int64 [photo], the clusterer's; -1 means noise.

        Returns:
            int64 [photo], clusters numbered from 0, -1 for noise. A photo that joins nothing stays where it
            was.
        """
        merged = _merged(embeddings, labels, self.merge)
        return _joined(merged, self.join, _Leftovers.of(embeddings, merged) if self.join > 0 else None)


CANDIDATES = tuple(SecondStep(join, merge) for join, merge in product(JOINS, MERGES))
"""What is tried; the first one does nothing."""


def tuned_second_step(
    embeddings: Embeddings,
    people: Labels,
    labels: Labels,
    rate: Objective,
    crowd: Objective | None = None,
) -> SecondStep:
    """The distances that find most calibration people, of those that keep the crowd sorted.

    Of equally good ones, that with the larger BCubed F over the crowd is taken, then the shortest distances.

    Args:
        embeddings: float32 [photo, dimension], unit rows, of calibration people.
        people: int64 [photo], who is on each.
        labels: int64 [photo], what the tuned clusterer makes of them; -1 means noise.
        rate: Their CFR, of a clustering.
        crowd: BCubed F over the crowd, of a clustering; None where the crowd does not matter.
    """
    guesses = all_candidates(embeddings, labels)
    sorted_well = [crowd(guess, people) if crowd else 0.0 for guess in guesses]
    least = KEPT * max(sorted_well)
    good = [number for number, f in enumerate(sorted_well) if f >= least]
    return CANDIDATES[max(good, key=lambda number: (rate(guesses[number], people), sorted_well[number]))]


def all_candidates(embeddings: Embeddings, labels: Labels) -> list[Labels]:
    """What each of `CANDIDATES` makes of a clustering, see `SecondStep.after`.

    Those that merge alike share it: a leftover's nearest template does not depend on how far it may be.

    Args:
        embeddings: float32 [photo, dimension], unit rows.
        labels: int64 [photo], the clusterer's; -1 means noise.
    """
    merged = {merge: _merged(embeddings, labels, merge) for merge in MERGES}
    left = {merge: _Leftovers.of(embeddings, merged[merge]) for merge in MERGES}
    return [_joined(merged[step.merge], step.join, left[step.merge]) for step in CANDIDATES]


def _merged(rows: Embeddings, labels: Labels, distance: float) -> Labels:
    """Merge clusters in rounds, as long as two templates are each other's nearest, and near."""
    labels = labels.copy()
    while distance > 0:
        names, templates = _templates(rows, labels)
        if names.size < 2:
            break
        nearest, alike = _nearest(templates, templates, skip_itself=True)
        here = np.arange(names.size)
        mutual = (nearest[nearest] == here) & (here < nearest) & (alike >= 1 - distance)
        if not mutual.any():
            break
        becomes = np.arange(labels.max() + 1)
        becomes[names[nearest[mutual]]] = names[mutual]
        clustered = labels >= 0
        labels[clustered] = becomes[labels[clustered]]
    return labels


@dataclass(frozen=True)
class _Leftovers:
    """Photos in no cluster that has a template.

    Attributes:
        photos: int64 [n], which ones; none where there is no template.
        nearest: int64 [n], the cluster of the nearest template of each.
        alike: [n], its cosine.
    """

    photos: Labels
    nearest: Labels
    alike: Any

    @classmethod
    def of(cls, rows: Embeddings, labels: Labels) -> _Leftovers:
        names, templates = _templates(rows, labels)
        left = np.flatnonzero(~np.isin(labels, names))
        if not names.size or not left.size:
            return cls(left[:0], left[:0], np.zeros(0))
        nearest, alike = _nearest(rows[left], templates)
        return cls(left, names[nearest], alike)


def _joined(labels: Labels, distance: float, leftovers: _Leftovers | None) -> Labels:
    """Leftovers in the clusters that they are near enough to, and clusters numbered from 0."""
    labels = labels.copy()
    if distance > 0 and leftovers is not None:
        near = leftovers.alike >= 1 - distance
        labels[leftovers.photos[near]] = leftovers.nearest[near]
    clustered = labels >= 0
    labels[clustered] = np.unique(labels[clustered], return_inverse=True)[1]
    return labels


def _templates(rows: Embeddings, labels: Labels) -> tuple[Labels, Embeddings]:
    """The clusters that are large enough, and the weighted mean direction of each."""
    counts = np.bincount(labels[labels >= 0], minlength=1)
    names = np.flatnonzero(counts >= PROTOCOL.support)
    position = np.full(counts.size, -1)
    position[names] = np.arange(names.size)
    members = np.flatnonzero(labels >= 0)
    members = members[position[labels[members]] >= 0]
    cluster = position[labels[members]]
    plain = _sums(rows[members], np.ones(members.size, np.float32), cluster, names.size)
    weight = np.maximum(np.einsum("ij,ij->i", rows[members], plain[cluster]), 0)
    return names, _sums(rows[members], weight, cluster, names.size)


def _sums(rows: Embeddings, weight: Any, cluster: Labels, clusters: int) -> Embeddings:
    """The direction of the weighted sum of each cluster's rows: unit vectors, zero where there is none."""
    which = csr_array((weight.astype(np.float64), (cluster, np.arange(len(rows)))), (clusters, len(rows)))
    sums = np.asarray(which @ rows)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.where(lengths > 0, lengths, 1), np.float32)


def _nearest(rows: Embeddings, templates: Embeddings, *, skip_itself: bool = False) -> tuple[Labels, Any]:
    """The nearest template of each row, and its cosine.

    Args:
        rows: [row, dimension].
        templates: [template, dimension]; with `skip_itself` the same as `rows`.
        skip_itself: Whether the template of the row's own number does not count.
    """
    import faiss  # imported late: it brings an OpenMP of its own

    index: Any = faiss.IndexFlatIP(templates.shape[1])
    if len(templates) > _EXACT_UP_TO:
        lists = int(_LISTS_PER_ROOT * len(templates) ** 0.5)
        index = faiss.IndexIVFFlat(index, templates.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
        index.cp.min_points_per_centroid = 1  # fewer are no reason for a warning
        index.train(templates)
        index.nprobe = _PROBES
    index.add(templates)
    found = index.search(np.ascontiguousarray(rows, np.float32), 1 + skip_itself)[1]
    if skip_itself:
        own = found[:, 0] == np.arange(len(rows))
        found = np.where(own, found[:, 1], found[:, 0])[:, None]
    nearest = np.maximum(found[:, 0], 0)
    # measured again: the bits of a search depend on the other rows
    alike = np.einsum("ij,ij->i", rows, templates[nearest])
    return nearest, np.where(found[:, 0] >= 0, alike, -1)
