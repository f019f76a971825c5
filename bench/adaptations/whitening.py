"""Whitening: a linear map of embeddings that narrows the directions along which photos of one person differ.

Cloaks of one defense move embeddings along directions that they share. Photos of one person, some cloaked
and some not, then differ most along these. All is computed in double precision on one thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from bench.adaptations.ensembles import unit
from bench.adaptations.methods import Whiten
from bench.machine.workers import alone
from bench.types import Labels, Mask

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Whitening:
    """A map of embeddings.

    Attributes:
        centre: float64 [dimensions], taken away from every embedding.
        matrix: float64 [dimensions, new dimensions].
    """

    centre: torch.Tensor
    matrix: torch.Tensor

    @classmethod
    def fitted(cls, vectors: Vectors, people: Labels, cloaked: Mask, how: Whiten) -> Whitening:
        """Learn the map.

        `wccn` makes the covariance within people a ball (within-class covariance normalisation, Hatch,
        Kajarekar and Stolcke, Interspeech 2006), on the first principal directions where `dimensions` are
        fewer. `lda` does the same, and keeps the directions along which the means of people differ most after
        that (Fisher 1936; Rao 1948); with all directions kept the cosines are those of `wccn`. `pca` makes
        the covariance of all photos a ball, and does not ask who is on them.

        Args:
            vectors: [photo, dimensions].
            people: int64 [photo], who is on each.
            cloaked: bool [photo].
            how: The method, its dimensions and its shrinkage.

        Raises:
            ValueError: No person has two photos, or embeddings do not differ.
        """
        owners = np.unique(people, return_inverse=True)[1]
        return alone(lambda: cls(*_fitted(torch.from_numpy(vectors).double(), owners, cloaked, how)))

    def __call__(self, vectors: Vectors) -> Vectors:
        """Embeddings after the map: float32 [photo, new dimensions], unit rows.

        Args:
            vectors: [photo, dimensions].
        """
        rows = torch.from_numpy(vectors)
        return unit(alone(lambda: ((rows.double() - self.centre) @ self.matrix).float().numpy()))


def _fitted(
    rows: torch.Tensor, owners: Labels, cloaked: Mask, how: Whiten
) -> tuple[torch.Tensor, torch.Tensor]:
    """The centre and the matrix."""
    means = _means(rows, owners)
    kept = min(how.dimensions or rows.shape[1], rows.shape[1])
    if how.method == "pca":
        return means.mean(0), _ball(shrunk(torch.cov(rows.T), how.shrinkage))[:, :kept]
    within = shrunk(within_people(rows, owners, cloaked), how.shrinkage)
    if how.method == "lda":
        ball = _ball(within)
        return means.mean(0), ball @ _directions(ball.T @ torch.cov(means.T) @ ball)[:, :kept]
    first = _directions(torch.cov(rows.T))[:, :kept]
    return means.mean(0), first @ _ball(first.T @ within @ first)


def within_people(rows: torch.Tensor, owners: Labels, cloaked: Mask) -> torch.Tensor:
    """The covariance of photos around the means of their people: [dimensions, dimensions].

    People whom the attacker cloaked, and people of whom it has clean photos only, count equally as groups.
    Otherwise a crowd of a thousand people would hide what thirty cloaked people show.

    Args:
        rows: float64 [photo, dimensions].
        owners: int [photo], who is on each, from 0.
        cloaked: bool [photo].

    Raises:
        ValueError: No person has two photos.
    """
    several = (np.bincount(owners) > 1)[owners]
    has_cloaks = np.isin(owners, owners[cloaked])
    groups = [group for group in (several & has_cloaks, several & ~has_cloaks) if group.any()]
    if not groups:
        raise ValueError("no person has two photos")
    return torch.stack([_pooled(rows[torch.from_numpy(group)], owners[group]) for group in groups]).mean(0)


def shrunk(covariance: torch.Tensor, share: float) -> torch.Tensor:
    """A covariance that is drawn towards that of a ball of the same total variance (Ledoit and Wolf 2004).

    Args:
        covariance: float64 [dimensions, dimensions].
        share: How far, from 0 to 1.

    Raises:
        ValueError: There is no variance.
    """
    size = len(covariance)
    variance = float(covariance.trace()) / size
    if not variance > 0:
        raise ValueError("embeddings of one person do not differ")
    return (1 - share) * covariance + share * variance * torch.eye(size, dtype=torch.float64)


def _means(rows: torch.Tensor, owners: Labels) -> torch.Tensor:
    """The mean of each person: [person, dimensions]."""
    counts = torch.from_numpy(np.bincount(owners)).double()
    sums = torch.zeros(len(counts), rows.shape[1], dtype=torch.float64)
    return sums.index_add_(0, torch.from_numpy(owners), rows) / counts[:, None]


def _pooled(rows: torch.Tensor, owners: Labels) -> torch.Tensor:
    people = np.unique(owners, return_inverse=True)[1]
    deviations = rows - _means(rows, people)[torch.from_numpy(people)]
    return deviations.T @ deviations / (len(rows) - len(np.unique(people)))


def _directions(covariance: torch.Tensor) -> torch.Tensor:
    """Unit directions, that of the largest variance first: [dimensions, dimensions]."""
    directions: torch.Tensor = torch.linalg.eigh(covariance)[1].flip(1)
    return directions


def _ball(covariance: torch.Tensor) -> torch.Tensor:
    """Directions, that of the largest variance first, scaled so that each variance becomes 1."""
    variances, directions = torch.linalg.eigh(covariance)
    scaled: torch.Tensor = (directions / variances.sqrt()).flip(1)
    return scaled
