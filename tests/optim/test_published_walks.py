"""What published methods need of the engine, each in a few lines, as a plug-in would write it.

These are sketches: they show that a method's walk can be said in the engine's words, that it lowers its own
objective, and that it keeps its budget. Their numbers are not the papers'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from bench.faces.align import matrix, warp
from bench.metrics.perceptual import perceptual_cost
from bench.optim.engine import CloakingEngine
from bench.protocols import (
    Adam,
    Blur,
    Descent,
    Dssim,
    Goal,
    Ground,
    Kit,
    Limit,
    Moment,
    Objective,
    Penalty,
    Pictures,
    Shuffles,
    Sizes,
    SquaredChange,
    Turn,
    Variation,
)
from bench.types import Album, Face, Floats, Image

MakeKit = Callable[..., Kit]
Slope = Callable[[torch.Tensor], torch.Tensor]
Memory = Sequence[torch.Tensor]


@dataclass(frozen=True)
class Variance:
    """VMI-FGSM (Wang and He 2021): the gradient, and how the last neighbours' gradients differed from it."""

    radius: float
    neighbours: int = 3
    memory: ClassVar[int] = 1

    def __call__(self, pictures: Pictures, slope: Slope, memory: Memory, moment: Moment) -> torch.Tensor:
        own, around = slope(pictures.levels), torch.zeros_like(pictures.levels)
        for _ in range(self.neighbours):
            around += slope(pictures.levels + self.radius * (2 * moment.uniform(*own.shape[1:]) - 1))
        tuned = own + memory[0]
        memory[0].copy_(around / self.neighbours - own)
        return tuned


@dataclass(frozen=True)
class Flat:
    """PGN (Ge et al. 2023): at each neighbour the gradient there, and the one a step further uphill."""

    radius: float
    step: float
    neighbours: int = 2
    balance: float = 0.5
    memory: ClassVar[int] = 0

    def __call__(self, pictures: Pictures, slope: Slope, memory: Memory, moment: Moment) -> torch.Tensor:
        total = torch.zeros_like(pictures.levels)
        for _ in range(self.neighbours):
            near = pictures.levels + self.radius * (2 * moment.uniform(*total.shape[1:]) - 1)
            first = slope(near)
            second = slope(near + self.step * first / first.abs().mean((1, 2, 3), keepdim=True))
            total += (1 - self.balance) * first + self.balance * second
        return total


@dataclass(frozen=True)
class Yielding:
    """DeCowA (Lin et al. 2024): through a warp that first gives way to the loss."""

    strength: float = 4.0
    give: float = 1.0
    memory: ClassVar[int] = 0

    def __call__(self, pictures: Pictures, slope: Slope, memory: Memory, moment: Moment) -> torch.Tensor:
        height, width = pictures.levels.shape[2:]
        axes = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        still = torch.stack(axes[::-1], -1).to(pictures.levels)

        def warped(levels: torch.Tensor, mesh: torch.Tensor) -> torch.Tensor:
            field = F.interpolate(mesh, (height, width), mode="bilinear", align_corners=True)
            return moment.sample(levels, still + field.permute(0, 2, 3, 1))

        mesh = (self.strength * moment.normal(2, 3, 3)).requires_grad_(True)
        seen = warped(pictures.levels, mesh)
        (towards,) = torch.autograd.grad(seen, mesh, slope(seen.detach()))
        mesh = (mesh - self.give * towards.sign()).detach()
        leaf = pictures.levels.detach().requires_grad_(True)
        seen = warped(leaf, mesh)
        return torch.autograd.grad(seen, leaf, slope(seen.detach()))[0]


@dataclass(frozen=True)
class Spectrum(Variation):
    """SSA (Long et al. 2022): noise and random gains of frequencies; the gradient is that of the result."""

    noise: float = 0.03
    gain: float = 0.5

    def view(self, view: torch.Tensor, moment: Moment) -> torch.Tensor:
        size = view.shape[-1]
        k = torch.arange(size).to(view)
        basis = torch.cos((2 * k[None] + 1) * k[:, None] * torch.pi / (2 * size)) * (2 / size) ** 0.5
        basis[0] /= 2**0.5
        noisy = view.detach() + self.noise * moment.normal(*view.shape[1:])
        gains = 1 + self.gain * (2 * moment.uniform(*view.shape[1:]) - 1)
        changed: torch.Tensor = basis.T @ (basis @ noisy @ basis.T * gains) @ basis
        return view + (changed - view).detach()


class Mixed(Variation):
    """Admix (Wang et al. 2021): a little of somebody else, and darker with every copy."""

    def view(self, view: torch.Tensor, moment: Moment) -> torch.Tensor:
        return (view + 0.2 * moment.strangers()) / float(2 ** (moment.copy % 5))


class Holes(Variation):
    """LGC (Yang et al. 2020): squares are cut out at landmarks."""

    def view(self, view: torch.Tensor, moment: Moment) -> torch.Tensor:
        pixels = torch.arange(view.shape[-1]).to(view)
        x, y = (moment.landmarks[:, :4, axis, None] for axis in (0, 1))
        near_x, near_y = (pixels - x).abs() < 7, (pixels - y).abs() < 7
        chosen = moment.uniform(4) < 0.5
        hole = (near_y[:, :, :, None] & near_x[:, :, None, :] & chosen[:, :, None, None]).any(1)
        return view * ~hole[:, None]


class Lit(Variation):
    """FoggySight's brightness (Evtimov et al. 2021)."""

    def photo(self, levels: torch.Tensor, moment: Moment) -> torch.Tensor:
        return levels * (0.5 + moment.uniform(1, 1, 1))


@dataclass(frozen=True)
class Straight:
    """TIP-IM's steps (Yang et al. 2021): along the gradient itself, not along its sign."""

    length: float
    memory: int = 1

    def absorb(self, values: torch.Tensor, gradient: torch.Tensor, memory: Memory, turn: Turn) -> None:
        memory[0] += gradient / gradient.abs().mean((1, 2, 3), keepdim=True)

    def step(self, values: torch.Tensor, memory: Memory, turn: Turn) -> torch.Tensor:
        size = memory[0].square().mean((1, 2, 3), keepdim=True).sqrt()
        return values - self.length * memory[0] / size


def apart(ground: Ground) -> Objective:
    """Away from the own embedding."""

    def objective(
        embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        cosine = (embeddings * ground.clean[photos]).sum(1)
        return cosine, cosine < -1

    return objective


def scattered(ground: Ground) -> Objective:
    """Protego's: minus log det of the Gram matrix of a user's photos, each with the others as they are."""
    same = ground.owners[:, None] == ground.owners[None]

    def objective(
        embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        losses = []
        for own, photo in zip(embeddings, photos.tolist(), strict=True):
            rows = [own if i == photo else current[i] for i in same[photo].nonzero()[:, 0].tolist()]
            gram = torch.stack(rows) @ torch.stack(rows).T
            losses.append(
                (own * ground.clean[photo]).sum() - torch.logdet(gram + 1e-4 * torch.eye(len(rows)))
            )
        loss = torch.stack(losses)
        return loss, torch.zeros_like(loss, dtype=torch.bool)

    return objective


def best_of_some(ground: Ground) -> Objective:
    """TIP-IM's: towards the nearest of several targets, whichever that is by now, and away from oneself."""

    def objective(
        embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        nearest = (current[photos] @ ground.reference.T).argmax(1)
        own = (embeddings * ground.clean[photos]).sum(1)
        loss = own - (embeddings * ground.reference[nearest]).sum(1)
        return loss, torch.zeros_like(loss, dtype=torch.bool)

    return objective


START = Descent(steps=3, random_start=True)
SHY = Penalty(Dssim(), 10.0, beyond=0.02, adapt=2)
WALKS: dict[str, tuple[str, Goal, Descent, int | None]] = {
    "vmi": ("linf:6", apart, replace(START, estimate=Variance(9.0)), None),
    "pgn": ("linf:6", apart, replace(START, estimate=Flat(12.0, 2.0)), None),
    "decowa": ("linf:6", apart, replace(START, estimate=Yielding()), None),
    "ssa": ("linf:6", apart, replace(START, copies=3, variations=(Spectrum(),)), None),
    "admix": ("linf:6", apart, replace(START, copies=3, variations=(Mixed(),)), None),
    "bsr": ("linf:6", apart, replace(START, copies=3, variations=(Shuffles(3),)), None),
    "lgc": ("linf:6", apart, replace(START, variations=(Holes(),)), None),
    "dim-tim": (
        "linf:6",
        apart,
        replace(START, smoothing=2, jitter=1, jpeg=70, variations=(Sizes(),)),
        None,
    ),
    "lowkey": (
        "linf:8",
        apart,
        replace(START, copies=2, variations=(Blur(3, every=2),), penalties=(SHY,)),
        None,
    ),
    "tip-im": ("linf:8", best_of_some, Descent(steps=3, update=Straight(3.0)), None),
    "opom": ("linf:8", apart, Descent(steps=4, dropout=0.1, jitter=1), 2),
    "chameleon": (
        "linf:16",
        apart,
        Descent(steps=4, penalties=(SHY,), limits=(Limit(Dssim(), 0.03),), jitter=1),
        2,
    ),
    "protego": ("linf:16", scattered, Descent(steps=4, penalties=(SHY,), jitter=1), 2),
    "foggysight": (
        "ssim:0.9",
        best_of_some,
        Descent(
            steps=4,
            update=Adam(1.0),
            copies=2,
            variations=(Lit(), Sizes(1.1, 1), Blur(0.75)),
            penalties=(Penalty(SquaredChange(), 1e-6),),
        ),
        None,
    ),
    "carlini-wagner": (
        "unbounded",
        apart,
        Descent(steps=4, start=1, update=Adam(1.0), penalties=(Penalty(SquaredChange(), 0.01),)),
        None,
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_it_lowers_its_objective_within_its_budget(name: str, users: list[Album], kit: MakeKit) -> None:
    budget, goal, descent, learn = WALKS[name]
    towards, user = kit(budget), users[1]
    assert isinstance(towards.engine, CloakingEngine)
    run = towards.engine.run([user], towards, goal, descent, learn=learn)
    for old, new, face in zip(user.photos, run.photos[0], user.faces, strict=True):
        assert new is not None
        cost = perceptual_cost(old, new, face)
        assert cost.face is not None
        assert 0 < cost.whole.linf <= (towards.budget.value if towards.budget.kind == "linf" else 255)
        if name == "chameleon":
            assert max(cost.whole.dssim, cost.face.dssim) <= 0.03
        if towards.budget.kind == "ssim":
            assert min(cost.whole.ssim, cost.face.ssim) >= 0.9
    before, after = losses(towards, user, goal, user.photos), losses(towards, user, goal, run.photos[0])
    assert (after < before - 0.02).all(), (before, after)


def losses(kit: Kit, user: Album, goal: Goal, photos: Sequence[Image | None]) -> Floats:
    """A goal's loss of each photo, by the encoder itself."""
    (encoder,) = kit.surrogates

    def embedded(pictures: Sequence[Image | None], faces: Sequence[Face | None]) -> torch.Tensor:
        rows = []
        for picture, face in zip(pictures, faces, strict=True):
            assert picture is not None and face is not None
            pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
            crop = warp(pixels, [matrix(face, encoder.card.crop)], encoder.card.crop.size)
            rows.append(encoder.embed(crop))
        return torch.cat(rows)

    clean, changed = embedded(user.photos, user.faces), embedded(photos, user.faces)
    others = embedded(kit.reference.photos, kit.reference.faces)
    owners = torch.zeros(len(clean), dtype=torch.int64)
    objective = goal(Ground(clean, owners, others, user.digests, kit.seed))
    return objective(changed, torch.arange(len(clean)), changed)[0].double().numpy()


def test_an_estimate_remembers_from_step_to_step(users: list[Album], kit: MakeKit) -> None:
    # without memory the variance would be zero in every step, and so would its effect
    def second_step(radius: float) -> Image:
        towards = kit("linf:6")
        descent = Descent(steps=2, momentum=0, random_start=True, estimate=Variance(radius))
        released = towards.engine.cloak(users[1:], towards, apart, descent)[0][0]
        assert released is not None
        return released

    assert (second_step(20.0) != second_step(1e-6)).mean() > 0.02


def test_gradients_are_counted_by_the_pass(users: list[Album], kit: MakeKit) -> None:
    towards = kit("linf:6")
    assert isinstance(towards.engine, CloakingEngine)
    run, photos = towards.engine.run, 5
    averaged = run(users, towards, apart, replace(START, copies=4, jitter=1))
    assert averaged.gradients == 3 * 4 * photos
    estimated = run(users, towards, apart, replace(START, estimate=Variance(9.0, neighbours=3)))
    assert estimated.gradients == 3 * (1 + 3) * photos
