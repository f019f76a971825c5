"""Goals that the defenses give to the engine. Private to this folder.

Everything is a cosine similarity of unit embeddings under one surrogate. `t`, the largest similarity that may
remain, is the level that only a share `far` of pairs of different people exceed, minus a margin.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import UserError
from bench.protocols import Ground

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Apart:
    """Each photo away from its own clean embedding, whatever the others do."""

    def __call__(self, ground: Ground) -> _Apart:
        return _Apart(ground.clean)


@dataclass(frozen=True, slots=True)
class _Apart:
    clean: torch.Tensor

    def __call__(
        self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        loss = (embeddings * self.clean[photos]).sum(1)
        return loss, torch.zeros_like(loss, dtype=torch.bool)


@dataclass(frozen=True, slots=True)
class Dispersed:
    """Each photo away from the user's clean photos and from the user's other cloaked photos.

    Attributes:
        margin: How far below the level of strangers a similarity must fall to count as reached.
        far: The share of pairs of strangers above that level, between 0 and 1.
        spread: The weight of the similarity to the user's other cloaked photos.
        pull: The weight of the similarity to a stranger of the photo's own, which gives every photo a
            direction.
    """

    margin: float
    far: float
    spread: float
    pull: float

    def __post_init__(self) -> None:
        """See that the level can be set."""
        if not 0 < self.far < 1:
            raise UserError(
                f"parameter far={self.far:g} is a share of pairs; it takes a number between 0 and 1."
            )

    def __call__(self, ground: Ground) -> _Dispersed:
        """Draw each photo's stranger and set the level.

        Raises:
            UserError: with fewer than two reference people.
        """
        import torch

        people = ground.reference
        if len(people) < 2:
            raise UserError(
                f"this defense needs photos of at least 2 other people for reference and got {len(people)}; "
                "a data set with more people has them."
            )
        first, second = torch.triu_indices(len(people), len(people), 1, device=people.device)
        strangers = (people[first] * people[second]).sum(1)
        level = float(torch.quantile(strangers.double(), 1 - self.far)) - self.margin
        same = ground.owners[:, None] == ground.owners[None]
        alone = torch.eye(len(same), dtype=torch.bool, device=same.device)
        targets = people[torch.tensor(strangers_of(ground, len(people)), device=people.device)]
        return _Dispersed(ground.clean, same, same & ~alone, targets, level, self.spread, self.pull)


@dataclass(frozen=True, slots=True)
class _Dispersed:
    clean: torch.Tensor
    own: torch.Tensor
    others: torch.Tensor
    targets: torch.Tensor
    level: float
    spread: float
    pull: float

    def __call__(
        self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        own, others = self.own[photos], self.others[photos]
        to_clean, to_others = embeddings @ self.clean.T, embeddings @ current.T
        loss = _mean(to_clean, own) + self.spread * _mean(to_others, others)
        loss = loss - self.pull * (embeddings * self.targets[photos]).sum(1)
        reached = _largest(to_clean, own).maximum(_largest(to_others, others)) < self.level
        return loss, reached


def strangers_of(ground: Ground, people: int) -> list[int]:
    """A reference person for each photo; no two photos of a user share one while there are enough people.

    Every photo has its own order of preference, drawn from its digest; within a user the first photo
    by digest chooses first.
    """
    chosen = [0] * len(ground.digests)
    taken: dict[int, set[int]] = {}
    for photo in sorted(range(len(chosen)), key=lambda i: ground.digests[i]):
        used = taken.setdefault(int(ground.owners[photo]), set())
        if len(used) >= people:
            used.clear()
        key = f"{ground.seed}\0{ground.digests[photo]}\0stranger"
        wish = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % people
        while wish in used:
            wish = (wish + 1) % people
        used.add(wish)
        chosen[photo] = wish
    return chosen


def _mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of each row where the mask holds; 0 where it holds nowhere."""
    return (values * mask).sum(1) / mask.sum(1).clamp_min(1)


def _largest(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Largest of each row where the mask holds; -1, the least a cosine can be, where it holds nowhere."""
    return values.masked_fill(~mask, -1).amax(1)
