"""Two defenses as a user would write them, on parts of the engine that sign steps have no use for.

One walks by Adam in tanh space under a penalty of DSSIM, as Fawkes does (Shan et al. 2020). The other
averages twenty gradients a step over random warps of the face. Both import what a plug-in may import.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from bench.errors import UserError
from bench.faces.align import matrix, warp
from bench.metrics.perceptual import perceptual_cost
from bench.optim.surrogate import Surrogate
from bench.protocols import (
    Adam,
    Descent,
    Dssim,
    Encoder,
    Ground,
    Kit,
    Moment,
    Objective,
    Penalty,
    TanhSpace,
    Variation,
)
from bench.types import Album, Budget, Image, PluginCard

pytestmark = pytest.mark.slow

MakeKit = Callable[..., Kit]
Draw = Callable[..., Album]


def away(ground: Ground) -> Objective:
    """Each photo away from its clean embedding, as far as the steps go."""

    def objective(
        embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        cosine = (embeddings * ground.clean[photos]).sum(1)
        return cosine, cosine < -1

    return objective


@dataclass(frozen=True)
class Soft:
    """Away from the own photo, by Adam in tanh space, with a penalty that keeps DSSIM near the budget."""

    steps: int = 8
    rate: float = 0.05
    weight: float = 1e3

    card: ClassVar[PluginCard] = PluginCard(
        summary="Adam under a DSSIM penalty", source="own", surrogates=True, budgets=("dssim",)
    )

    def check(self, budget: Budget) -> None:
        """See `bench.protocols.Defense`."""
        if budget.kind != "dssim":
            raise UserError(f"defense 'soft' keeps dssim:X, not {budget}. Try --budget dssim:0.004.")

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        penalty = Penalty(Dssim(), self.weight, beyond=kit.budget.value, power=2, adapt=2)
        descent = Descent(steps=self.steps, start=1, update=TanhSpace(Adam(self.rate)), penalties=(penalty,))
        return kit.engine.cloak(albums, kit, away, descent)


@dataclass(frozen=True)
class Elastic(Variation):
    """A smooth warp with another displacement in every corner and in between."""

    strength: float = 0.03

    def points(self, points: torch.Tensor, moment: Moment) -> torch.Tensor:
        """See `bench.protocols.Variation`."""
        side = points.shape[1]
        field = self.strength * side * moment.normal(2, 3, 3)
        spread = F.interpolate(field, (side, side), mode="bilinear", align_corners=True)
        return points + spread.permute(0, 2, 3, 1)


@dataclass(frozen=True)
class Warped:
    """Away from the own photo, by the mean of twenty gradients a step over random warps."""

    steps: int = 3
    copies: int = 20

    card: ClassVar[PluginCard] = PluginCard(
        summary="twenty warped gradients a step", source="own", surrogates=True
    )

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`."""
        descent = Descent(steps=self.steps, random_start=True, copies=self.copies, variations=(Elastic(),))
        return kit.engine.cloak(albums, kit, away, descent)


Photos = Sequence[Sequence[Image | None]]
both = pytest.mark.parametrize(
    ("defense", "budget"), [(Soft(), "dssim:0.03"), (Warped(), "linf:4")], ids=["adam", "warps"]
)


@pytest.fixture(scope="module")
def cloaked(users: list[Album], kit: MakeKit) -> Callable[[Any, str], Photos]:
    """The users' photos under a defense and a budget, made once."""
    return cache(lambda defense, budget: defense.cloak(users, kit(budget)))


def cosines(encoder: Encoder, albums: Sequence[Album], released: Photos) -> Any:
    """Of each released photo with its original, by the encoder's own exact runtime."""
    out = []
    for album, photos in zip(albums, released, strict=True):
        for old, new, face in zip(album.photos, photos, album.faces, strict=True):
            assert new is not None and face is not None
            pixels = torch.from_numpy(np.stack([old, new])).permute(0, 3, 1, 2).float() / 255
            m = matrix(face, encoder.card.crop)
            a, b = encoder.embed(warp(pixels, [m, m], encoder.card.crop.size))
            out.append(float(a @ b))
    return np.array(out)


def differing(some: Sequence[Image | None], others: Sequence[Image | None]) -> float:
    """The share of values that differ between two versions of photos, the largest of all photos."""
    pairs = zip(some, others, strict=True)
    return max(float((a != b).mean()) for a, b in pairs if a is not None and b is not None)


@both
def test_its_objective_falls_on_its_own_surrogate(
    defense: Any, budget: str, users: list[Album], cloaked: Callable[[Any, str], Photos], encoder: Encoder
) -> None:
    assert cosines(encoder, users, cloaked(defense, budget)).max() < 0.7  # it is 1 for the photo itself


@both
def test_the_released_file_is_within_the_budget_and_spends_it(
    defense: Any, budget: str, users: list[Album], cloaked: Callable[[Any, str], Photos]
) -> None:
    limit = Budget.parse(budget)
    for album, photos in zip(users, cloaked(defense, budget), strict=True):
        for old, new, face in zip(album.photos, photos, album.faces, strict=True):
            assert new is not None
            cost = perceptual_cost(old, new, face)
            assert cost.face is not None
            spent = max(getattr(region, limit.kind) for region in (cost.whole, cost.face))
            assert 0.5 * limit.value < spent <= limit.value


@both
def test_the_same_seed_gives_the_same_bytes(
    defense: Any, budget: str, users: list[Album], kit: MakeKit
) -> None:
    first, again, other = (defense.cloak(users[1:], kit(budget, seed))[0] for seed in (1, 1, 2))
    assert differing(first, again) == 0
    assert differing(first, other) > 0.01


@both
def test_a_photo_does_not_depend_on_who_else_is_in_the_batch(
    defense: Any, budget: str, kit: MakeKit, draw: Draw
) -> None:
    # four photos of one size share a batch: a user's two, and two of somebody else
    user, friend, stranger = (
        draw(3, 2, same_size=True),
        draw(8, 2, same_size=True),
        draw(5, 2, same_size=True),
    )
    first, _ = defense.cloak([user, friend], kit(budget))
    second, _ = defense.cloak([user, stranger], kit(budget))
    _, third = defense.cloak([friend, user], kit(budget))
    assert differing(first, second) == 0
    assert differing(first, third) == 0


def test_a_defense_of_likeness_says_which_budgets_it_keeps() -> None:
    with pytest.raises(UserError, match="keeps dssim:X"):
        Soft().check(Budget.parse("linf:8"))


def test_twenty_gradients_cost_twenty_passes_and_the_memory_of_one(
    users: list[Album], kit: MakeKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[int] = []
    graphs: list[weakref.ref[torch.Tensor]] = []
    gradient = Surrogate.gradient

    def spied(self: Surrogate, crops: torch.Tensor, *more: Any) -> tuple[torch.Tensor, torch.Tensor]:
        # whatever the pass before held for its backward half is gone when the next one begins
        assert not [graph for graph in graphs if graph() is not None]
        assert crops.grad_fn is not None
        graphs[:] = [weakref.ref(crops)]
        passes.append(len(crops))
        return gradient(self, crops, *more)

    monkeypatch.setattr(Surrogate, "gradient", spied)
    steps, photos, batches = 2, 5, 2  # a batch is four photos
    Warped(steps=steps).cloak(users, kit("linf:4"))
    assert len(passes) == 20 * steps * batches
    assert max(passes) == 4
    assert sum(passes) == 20 * steps * photos


def test_the_mean_of_twenty_is_nearer_to_the_mean_of_others_than_one_is(
    users: list[Album], kit: MakeKit
) -> None:
    # two descents of one step whose warps are drawn from different seeds agree on more signs when each
    # has averaged; a start at random would differ with the seed, so each begins at the same level
    def step(copies: int, seed: int) -> Image:
        descent = Descent(steps=1, reach=1.0, copies=copies, variations=(Elastic(),))
        towards = kit("linf:4", seed)
        (released,) = towards.engine.cloak(users[1:], towards, _target, descent)
        assert released[0] is not None
        return released[0]

    def agreeing(copies: int) -> float:
        return float((step(copies, 1) == step(copies, 2)).mean())

    assert agreeing(20) > agreeing(1) + 0.02


def _target(ground: Ground) -> Objective:
    """Towards one fixed person: its gradient at the clean photo is not zero."""

    def objective(
        embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        loss = -(embeddings @ ground.reference[0])
        return loss, torch.zeros_like(loss, dtype=torch.bool)

    return objective
