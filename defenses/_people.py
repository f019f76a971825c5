"""Goals of published cloaks: other people, and all of a user's photos. Private to this folder.

Embeddings are unit rows, so that a squared distance is two minus twice the cosine. None of these goals is
ever reached: their authors' programs walk all their steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.errors import UserError
from bench.protocols import Ground

from ._goals import strangers_of

if TYPE_CHECKING:
    import torch

Judged = tuple["torch.Tensor", "torch.Tensor"]
Hull = Literal["centre", "affine", "convex"]


def _never(loss: torch.Tensor) -> Judged:
    import torch

    return loss, torch.zeros_like(loss, dtype=torch.bool)


def _at_least(ground: Ground, people: int) -> torch.Tensor:
    """The reference people.

    Raises:
        UserError: There are fewer.
    """
    if len(ground.reference) < people:
        raise UserError(
            f"this defense needs photos of at least {people} other people for reference and got "
            f"{len(ground.reference)}; a data set with more people has them."
        )
    return ground.reference


@dataclass(frozen=True, slots=True)
class Angle:
    """Each photo away from its own clean embedding, in radians."""

    def __call__(self, ground: Ground) -> _Angle:
        return _Angle(ground.clean)


@dataclass(frozen=True, slots=True)
class _Angle:
    clean: torch.Tensor

    def __call__(self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor) -> Judged:
        # at the clean photo itself the angle has no slope: just beside it, it has the steepest
        cosine = (embeddings * self.clean[photos]).sum(1).clamp(-1 + 1e-6, 1 - 1e-6)
        return _never(-cosine.arccos())


@dataclass(frozen=True, slots=True)
class NearestTarget:
    """Towards whichever of some other people is nearest by now, and away from oneself.

    Attributes:
        targets: How many people there are to choose from.
    """

    targets: int

    def __call__(self, ground: Ground) -> _NearestTarget:
        return _NearestTarget(ground.clean, _at_least(ground, self.targets)[: self.targets])


@dataclass(frozen=True, slots=True)
class _NearestTarget:
    clean: torch.Tensor
    targets: torch.Tensor

    def __call__(self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor) -> Judged:
        nearest = (current[photos] @ self.targets.T).argmax(1)
        return _never((embeddings * (self.clean[photos] - self.targets[nearest])).sum(1))


@dataclass(frozen=True, slots=True)
class Towards:
    """Each photo towards another person of its own, whatever it was."""

    def __call__(self, ground: Ground) -> _Towards:
        people = _at_least(ground, 1)
        chosen = strangers_of(ground, len(people))
        return _Towards(people[chosen])


@dataclass(frozen=True, slots=True)
class _Towards:
    targets: torch.Tensor

    def __call__(self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor) -> Judged:
        return _never(1 - (embeddings * self.targets[photos]).sum(1))


@dataclass(frozen=True, slots=True)
class Margin:
    """Each photo nearer to another person than to its user, by a margin of distance; nothing beyond that.

    Attributes:
        margin: The margin, a difference of distances of unit embeddings.
    """

    margin: float

    def __call__(self, ground: Ground) -> _Margin:
        import torch

        people = _at_least(ground, 1)
        same = (ground.owners[:, None] == ground.owners[None]).to(ground.clean)
        # one target a user: the stranger of the user's first photo by digest
        wishes = strangers_of(ground, len(people))
        first: dict[int, int] = {}
        for photo in sorted(range(len(wishes)), key=lambda i: ground.digests[i]):
            first.setdefault(int(ground.owners[photo]), wishes[photo])
        targets = torch.tensor([first[int(owner)] for owner in ground.owners], device=people.device)
        return _Margin(same @ ground.clean / same.sum(1, keepdim=True), people[targets], self.margin)


@dataclass(frozen=True, slots=True)
class _Margin:
    own: torch.Tensor
    targets: torch.Tensor
    margin: float

    def __call__(self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor) -> Judged:
        near, far = (
            (embeddings - there[photos]).norm(dim=1).clamp_min(1e-6) for there in (self.targets, self.own)
        )
        return _never((near - far + self.margin).clamp_min(0))


@dataclass(frozen=True, slots=True)
class BetweenPeople:
    """Away from the nearest other person, and towards the farthest."""

    def __call__(self, ground: Ground) -> _BetweenPeople:
        people = _at_least(ground, 2)
        alike = ground.clean @ people.T
        return _BetweenPeople(people[alike.argmax(1)] - people[alike.argmin(1)])


@dataclass(frozen=True, slots=True)
class _BetweenPeople:
    uphill: torch.Tensor

    def __call__(self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor) -> Judged:
        return _never((embeddings * self.uphill[photos]).sum(1))


@dataclass(frozen=True, slots=True)
class OutOfHull:
    """Each photo away from the hull of the user's clean photos.

    Attributes:
        hull: `centre`, the mean of the embeddings; `affine`, the nearest of their combinations with weights
            that sum to one; or `convex`, with weights that are not negative either.
    """

    hull: Hull

    def __call__(self, ground: Ground) -> _OutOfHull:
        own = {int(owner): ground.clean[ground.owners == owner] for owner in ground.owners.unique()}
        directions = (
            {owner: _directions(clean) for owner, clean in own.items()} if self.hull == "affine" else {}
        )
        return _OutOfHull(self.hull, ground.owners, own, directions)


@dataclass(frozen=True, slots=True)
class _OutOfHull:
    hull: Hull
    owners: torch.Tensor
    own: dict[int, torch.Tensor]
    directions: dict[int, torch.Tensor]

    def __call__(self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor) -> Judged:
        import torch

        owners = self.owners[photos]
        nearest = torch.empty_like(embeddings)
        for owner in owners.unique():
            mine = owners == owner
            nearest[mine] = self._nearest(embeddings[mine].detach(), int(owner))
        return _never(-(embeddings - nearest).square().sum(1))

    def _nearest(self, points: torch.Tensor, owner: int) -> torch.Tensor:
        """The point of a user's hull that is nearest to each of some points."""
        clean = self.own[owner]
        middle = clean.mean(0)
        if self.hull == "centre" or len(clean) == 1:
            return middle.expand_as(points)
        if self.hull == "affine":
            across = self.directions[owner]
            return middle + (points - middle) @ across.T @ across
        return _combined(points, clean)


def _directions(clean: torch.Tensor) -> torch.Tensor:
    """The directions in which some rows differ: orthonormal, at most one fewer than there are rows."""
    import torch

    _, sizes, directions = torch.linalg.svd(clean - clean.mean(0), full_matrices=False)
    kept: torch.Tensor = directions[sizes > 1e-4 * sizes.max().clamp_min(1e-30)]
    return kept


def _combined(points: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
    """The nearest convex combination of some rows: non-negative least squares with a heavy row of ones."""
    import numpy as np
    import torch
    from scipy.optimize import nnls

    heavy = 1e3
    rows = clean.double().cpu().numpy()
    matrix = np.vstack([rows.T, np.full(len(rows), heavy)])
    weights = [nnls(matrix, np.append(point, heavy))[0] for point in points.double().cpu().numpy()]
    return torch.from_numpy(np.stack(weights) @ rows).to(points)


@dataclass(frozen=True, slots=True)
class Volume:
    """A user's cloaked photos in as many directions as there are, each unlike its own clean one."""

    def __call__(self, ground: Ground) -> _Volume:
        return _Volume(ground.clean, ground.owners)


@dataclass(frozen=True, slots=True)
class _Volume:
    clean: torch.Tensor
    owners: torch.Tensor

    def __call__(self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor) -> Judged:
        """Minus the logarithm of the Gram matrix's determinant, each photo with the others as they are.

        With all other rows held, the determinant is that of the others' matrix times what the photo adds to
        it (Schur's complement), so each photo's slope is that of the whole.
        """
        import torch

        losses = []
        for embedding, photo in zip(embeddings, photos.tolist(), strict=True):
            mine = self.owners == self.owners[photo]
            mine[photo] = False
            others = current[mine].double()
            own = embedding.double()
            volume = own @ own + _RIDGE
            rest = torch.ones((), dtype=torch.float64, device=own.device)
            if len(others):
                gram = others @ others.T + _RIDGE * torch.eye(len(others), device=own.device)
                alike = others @ own
                volume = volume - alike @ torch.linalg.solve(gram, alike)
                rest = torch.linalg.det(gram)
            losses.append((own * self.clean[photo]).sum() - (volume * rest + _RIDGE).log())
        return _never(torch.stack(losses).to(embeddings))


_RIDGE = 1e-4
"""What is added to the Gram matrix's diagonal, and to its determinant."""
