"""Support vector machines: each gallery person against all others, linear or with an RBF kernel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, Self

import numpy as np

from bench.errors import UserError
from bench.types import Embeddings, Labels, PluginCard

from ._embeddings.order import content_order
from ._embeddings.rows import Floats32
from ._identify.classifiers import squared_hinge_loss, train
from ._identify.enrolled import Enrolled, Scorer, held_out
from ._identify.openset import OpenSet
from ._parameters.choice import best, check_calibration
from ._parameters.ranges import check_least

_KERNELS = ("linear", "rbf")


@dataclass(frozen=True)
class Svm(OpenSet):
    """Ranks people by the decision value of their machine: squared hinge loss, one against the rest.

    The objective is LIBLINEAR's, with its regularised intercept. The RBF kernel is approximated by Nyström's
    method on `landmarks` gallery photos. It is exact for galleries of at most `landmarks` photos.

    Attributes:
        kernel: `linear` or `rbf`, exp(-gamma |a - b|^2) of unit vectors.
        c: The weight of the loss against the ridge, as in scikit-learn; None takes the best of `grid` on
            calibration identities.
        gamma: The RBF kernel's gamma; None takes the best of `gamma_grid`. A linear kernel has none.
        grid: The candidates for c.
        gamma_grid: The candidates for gamma.
        landmarks: The number of gallery photos that the RBF kernel is approximated by.
        steps: The number of steps of L-BFGS, at most.
        seed: The seed of the choice of landmarks.
    """

    card: ClassVar[PluginCard] = PluginCard(
        summary="one-against-rest SVM, kernel=linear or rbf; C and gamma tuned on calibration identities",
        source="Cortes and Vapnik 1995; Fan et al. (LIBLINEAR), JMLR 2008; Williams and Seeger, NIPS 2000",
    )

    kernel: str = "linear"
    c: float | None = None
    gamma: float | None = None
    grid: tuple[float, ...] = (0.3, 3.0, 30.0)
    gamma_grid: tuple[float, ...] = (0.25, 1.0)
    landmarks: int = 512
    steps: int = 50
    seed: int = 0

    def check(self) -> None:
        """See `Attacker.check`."""
        super().check()
        if self.kernel not in _KERNELS:
            raise UserError(f"{self.name}: no kernel {self.kernel!r}. Try kernel=linear or kernel=rbf.")
        if self.gamma is not None and self.kernel == "linear":
            raise UserError(f"{self.name}: a linear kernel has no gamma. Add kernel=rbf, or drop gamma.")
        for parameter, value, grid in (("c", self.c, self.grid), ("gamma", self.gamma, self.gamma_grid)):
            if (value is not None and not 0 < value < np.inf) or not grid or min(grid) <= 0:
                raise UserError(
                    f"{self.name}: {parameter} {value} must be above 0. "
                    f"Leave it out to tune it, or try {parameter}=1."
                )
        check_least(self.name, "landmarks", self.landmarks, 1, 512)
        check_least(self.name, "steps", self.steps, 1, 50)

    def tuned(self, embeddings: Embeddings, people: Labels) -> Self:
        """A copy with the c, and for RBF the gamma, of the grids that name most held-out photos.

        Gamma is chosen first, with the middle c of the grid; then c.
        """
        gammas = (self.gamma,) if self.gamma is not None or self.kernel == "linear" else self.gamma_grid
        costs = (self.c,) if self.c is not None else self.grid
        if len(gammas) == 1 and self.c is not None:
            return replace(self, gamma=gammas[0])
        check_calibration(people, len(embeddings))
        split = held_out(embeddings, people)

        @cache
        def score(c: float, gamma: float | None) -> float:
            return split.rank_one(replace(self, c=c, gamma=gamma).fitted(split.gallery))

        middle = costs[len(costs) // 2]
        gamma = best(gammas, lambda gamma: score(middle, gamma)) if len(gammas) > 1 else gammas[0]
        c = best(costs, lambda c: score(c, gamma)) if len(costs) > 1 else costs[0]
        return replace(self, c=c, gamma=gamma)

    def fitted(self, gallery: Enrolled) -> Scorer:
        """The signed decision values: 1 and more well inside a person's side, -1 and less well outside it."""
        if self.c is None or (self.kernel == "rbf" and self.gamma is None):
            raise ValueError(
                f"{self.name} is not tuned yet: calibrate it, or give c, and gamma with kernel=rbf"
            )
        features = _intercept if self.gamma is None else self._nystroem(gallery.rows, self.gamma)
        people = gallery.people.size
        weights = train(
            features(gallery.rows), gallery.person, people, self.c, squared_hinge_loss, 2.0, self.steps
        )
        return lambda probes: features(probes) @ weights

    def _nystroem(self, rows: Floats32, gamma: float) -> Scorer:
        """Features whose products approximate the kernel: K(., landmarks) K(landmarks, landmarks)^-1/2."""
        order = content_order(rows, self.seed)
        # A photo that the gallery holds twice must not take two landmarks: K could not be inverted.
        marks = np.unique(rows[order[: self.landmarks]], axis=0)
        strength, vectors = np.linalg.eigh(_rbf(marks, marks, gamma).astype(np.float64))
        kept = strength > strength[-1] * 1e-6
        root = np.asarray(vectors[:, kept] / np.sqrt(strength[kept]), np.float32)
        return lambda probes: _intercept(_rbf(probes, marks, gamma) @ root)


def _rbf(rows: Floats32, others: Floats32, gamma: float) -> Floats32:
    """exp(-gamma |a - b|^2), where |a - b|^2 = 2 - 2 a.b for unit vectors."""
    return np.asarray(np.exp(np.float32(2 * gamma) * (rows @ others.T - 1)), np.float32)


def _intercept(features: Floats32) -> Floats32:
    """The features and a constant, whose weight is the intercept."""
    return np.concatenate([features, np.ones((len(features), 1), np.float32)], axis=1)


PLUGIN = Svm
