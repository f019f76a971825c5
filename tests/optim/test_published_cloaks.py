"""The published cloaks: each lowers its own objective on its own surrogate, and keeps what it promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from bench import registry
from bench.errors import UserError
from bench.faces.align import matrix, warp
from bench.metrics.lpips import SHAPES, Lpips
from bench.metrics.perceptual import perceptual_cost
from bench.optim.engine import CloakingEngine
from bench.protocols import Goal, Ground, Kit
from bench.types import Album, Face, Floats, Image

MakeKit = Callable[..., Kit]

BRIEF = {
    "admix": "steps=4,mixes=1,scales=3",
    "advmask": "steps=6",
    "advmask-universal": "steps=8,learn=2",
    "bsr": "steps=4,copies=3",
    "chameleon": "steps=12,learn=2",
    "decowa": "steps=4,warps=2",
    "dim": "steps=5",
    "face-off": "steps=20",
    "facecloak": "steps=12,learn=2,reach=3",
    "fawkes": "mode=low,steps=20",
    "foggysight": "steps=20,rate=1",
    "lgc": "steps=5",
    "lowkey": "steps=6",
    "mifgsm": "steps=5",
    "opom": "steps=12,learn=2,reach=3",
    "pgd": "steps=5",
    "pgn": "steps=4,neighbours=2",
    "protego": "steps=16,learn=2,reach=2",
    "sia": "steps=5,copies=4",
    "ssa": "steps=4,spectra=3",
    "tim": "steps=5",
    "tipim": "steps=8,targets=4",
    "vmi": "steps=4,neighbours=2",
}
"""Every optimising defense, with numbers that a test can wait for."""

BUDGETS = {"fawkes": "dssim:0.02"}


def test_every_optimising_defense_is_here() -> None:
    names = registry.names("defenses")
    assert sorted(BRIEF) == [n for n in names if registry.load("defenses", n).card.surrogates]


@pytest.mark.parametrize("name", BRIEF)
def test_it_lowers_its_own_objective_within_its_budget(name: str, users: list[Album], kit: MakeKit) -> None:
    towards, user = kit(BUDGETS.get(name, "linf:8")), users[1]
    _, defense = registry.make("defenses", f"{name}:{BRIEF[name]}")
    defense.check(towards.budget)
    (released,) = defense.cloak([user], towards)
    for old, new, face in zip(user.photos, released, user.faces, strict=True):
        assert new is not None
        cost = perceptual_cost(old, new, face)
        assert cost.face is not None
        spent = max(getattr(part, towards.budget.kind) for part in (cost.whole, cost.face))
        assert 0 < spent <= towards.budget.value
    before = losses(towards, user, defense.goal(), user.photos)
    after = losses(towards, user, defense.goal(), released)
    assert after.mean() < before.mean() - 0.02, (before, after)


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


def test_face_off_makes_the_change_as_large_as_the_budget_allows(users: list[Album], kit: MakeKit) -> None:
    def largest(amplification: int) -> list[float]:
        _, defense = registry.make("defenses", f"face-off:steps=2,amplification={amplification}")
        (released,) = defense.cloak(users[1:], kit("linf:8"))
        return [
            perceptual_cost(old, new, face).whole.linf
            for old, new, face in zip(users[1].photos, released, users[1].faces, strict=True)
        ]

    assert all(few < many == 8 for few, many in zip(largest(1), largest(50), strict=True))


def test_fawkes_stays_near_the_likeness_that_it_is_given(users: list[Album], kit: MakeKit) -> None:
    _, defense = registry.make("defenses", "fawkes:mode=low")
    (released,) = defense.cloak(users[1:], kit("dssim:0.004"))
    for old, new, face in zip(users[1].photos, released, users[1].faces, strict=True):
        cost = perceptual_cost(old, new, face)
        assert cost.face is not None
        assert 0.5 * 0.004 < max(cost.whole.dssim, cost.face.dssim) <= 0.004


@pytest.mark.parametrize("name", ["chameleon", "protego"])
def test_a_penalty_on_likeness_makes_the_change_smaller(name: str, users: list[Album], kit: MakeKit) -> None:
    def unlike(penalty: float) -> float:
        _, defense = registry.make("defenses", f"{name}:steps=20,learn=2,reach=2,penalty={penalty}")
        (released,) = defense.cloak(users[1:], kit("linf:16"))
        costs = [
            perceptual_cost(old, new, face).face
            for old, new, face in zip(users[1].photos, released, users[1].faces, strict=True)
        ]
        return max(cost.dssim for cost in costs if cost is not None)

    assert unlike(1e4) < 0.9 * unlike(0)


def test_lowkey_keeps_lpips_low_where_it_is_given_weights(users: list[Album], kit: MakeKit) -> None:
    draw = np.random.default_rng(0)
    weights = {
        name: (draw.random(s) if "lin" in name else draw.standard_normal(s) / np.sqrt(np.prod(s[1:])))
        for name, s in SHAPES.items()
    }
    lpips = Lpips({name: w.astype(np.float32) for name, w in weights.items()}, "a")
    spent = []
    for penalty in (0, 100):
        _, defense = registry.make("defenses", f"lowkey:steps=6,likeness=lpips,penalty={penalty}")
        assert defense.needs_lpips()
        towards = replace(kit(), engine=CloakingEngine("cpu", precision="fp32", lpips=lpips))
        (released,) = defense.cloak(users[:1], towards)
        costs = [
            perceptual_cost(old, new, face, lpips).face
            for old, new, face in zip(users[0].photos, released, users[0].faces, strict=True)
            if new is not None
        ]
        spent.append([cost.lpips for cost in costs if cost and cost.lpips is not None])
    assert len(spent[0]) == 3
    assert (np.array(spent[1]) < 0.9 * np.array(spent[0])).all(), spent
    with pytest.raises(UserError, match="no weights"):
        defense.cloak(users[:1], kit())


@pytest.mark.parametrize("name", ["opom", "chameleon", "protego", "facecloak"])
def test_one_mask_is_laid_onto_photos_that_it_never_saw(name: str, users: list[Album], kit: MakeKit) -> None:
    _, defense = registry.make("defenses", f"{name}:steps=3,learn=1")
    (released,) = defense.cloak(users[:1], kit("linf:8"))
    changed = [(new != old).any() for old, new in zip(users[0].photos, released, strict=True)]
    assert len(changed) == 3 and all(changed)


def test_fewer_people_than_targets_are_one_clear_line(users: list[Album], kit: MakeKit) -> None:
    _, defense = registry.make("defenses", "tipim")
    with pytest.raises(UserError, match="at least 10 other people") as raised:
        defense.cloak(users, kit("linf:8"))
    assert "\n" not in str(raised.value)


def test_an_estimate_remembers_from_step_to_step(users: list[Album], kit: MakeKit) -> None:
    # without memory the variance would be zero in every step, and so would its effect
    def second_step(radius: float) -> Image:
        _, defense = registry.make(
            "defenses", f"vmi:steps=2,neighbours=3,momentum=0,reach=2.5,radius={radius}"
        )
        released: Image = defense.cloak(users[1:], kit("linf:6"))[0][0]
        return released

    assert (second_step(3.0) != second_step(1e-7)).mean() > 0.02


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("mifgsm:steps=2", 1),
        ("bsr:steps=2,copies=4", 4),
        ("admix:steps=2,mixes=3,scales=2", 6),
        ("vmi:steps=2,neighbours=3", 1 + 3),
        ("pgn:steps=2,neighbours=3", 2 * 3),
        ("decowa:steps=2,warps=3", 2 * 3),
    ],
)
def test_gradients_are_counted_by_the_pass(
    text: str, passes: int, users: list[Album], kit: MakeKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[Any] = []
    run = CloakingEngine.run

    def watched(self: CloakingEngine, *given: Any, **named: Any) -> Any:
        runs.append(run(self, *given, **named))
        return runs[-1]

    monkeypatch.setattr(CloakingEngine, "run", watched)
    registry.make("defenses", text)[1].cloak(users, kit("linf:6"))
    steps, photos = 2, 5
    assert runs[0].gradients == steps * passes * photos
