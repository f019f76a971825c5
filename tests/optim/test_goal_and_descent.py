"""A goal is one thing and the way towards it another: `pgd` walks plainly, or exactly as `advmask` does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bench.errors import UserError
from bench.parameters import resolved
from bench.protocols import Descent, Goal, Kit
from bench.registry import load, make
from bench.types import Album, Budget

MakeKit = Callable[..., Kit]
AdvMask, Pgd = load("defenses", "advmask"), load("defenses", "pgd")


@dataclass(frozen=True)
class AnotherGoal(Pgd):  # type: ignore[misc, valid-type]  # loaded by name
    """The descent of `pgd` towards the goal of `advmask`."""

    def goal(self) -> Goal:
        """All photos of a user together."""
        goal: Goal = AdvMask().goal()
        return goal


def cloaks(defense: Any, users: list[Album], kit: MakeKit) -> list[Any]:
    out = defense.cloak(users[:1], kit("linf:8"))
    return [image for album in out for image in album]


def test_the_descent_is_that_of_advmask_and_the_goal_is_not() -> None:
    diverse = make("defenses", "pgd:descent=diverse")[1]
    assert diverse.walk() == AdvMask().walk()
    assert diverse.goal() == Pgd().goal() != AdvMask().goal()
    assert (
        make("defenses", "pgd:descent=diverse,momentum=0.5,steps=7")[1].walk()
        == AdvMask(momentum=0.5, steps=7).walk()
    )


def test_both_descents_are_written_down() -> None:
    assert Pgd().walk() == Descent(momentum=0.0, random_start=True)
    assert resolved(Pgd()) == {"steps": 20, "reach": 2.5, "momentum": 0.0, "descent": "plain"}
    assert resolved(Pgd(descent="diverse"))["descent"] == "diverse"


def test_with_the_same_goal_its_cloaks_are_those_of_advmask(users: list[Album], kit: MakeKit) -> None:
    theirs = cloaks(AdvMask(steps=3), users, kit)
    own = cloaks(Pgd(steps=3, descent="diverse"), users, kit)
    same_goal = cloaks(AnotherGoal(steps=3, descent="diverse"), users, kit)
    plain = cloaks(AnotherGoal(steps=3), users, kit)
    assert all(np.array_equal(one, other) for one, other in zip(same_goal, theirs, strict=True))
    for others in (own, plain):
        assert not any(np.array_equal(one, other) for one, other in zip(others, theirs, strict=True))


def test_a_descent_that_does_not_exist_is_the_users_mistake() -> None:
    with pytest.raises(UserError, match=r"^parameter descent=fast is unknown; it takes plain or diverse\.$"):
        make("defenses", "pgd:descent=fast")[1].check(Budget("linf", 8))
