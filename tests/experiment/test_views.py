"""Cells share a view only where nothing differs that an attacker sees or learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import pytest

from bench import encoders, registry
from bench.adaptations import ensembles, names
from bench.experiment.views import Views
from bench.faces.finder import detector_parameters
from bench.plan.chosen import Chosen
from bench.plan.nouns import Cloaking, View
from bench.types import Budget

CARD = {name: encoders.lookup(name)[1] for name in ("synth-ir", "synth-inc", "synth-vit")}
CHANGED_VIEW: dict[str, dict[str, Any]] = {
    "encoder": {"encoder": CARD["synth-inc"], "members": (CARD["synth-inc"],)},
    "members": {"members": (CARD["synth-ir"], CARD["synth-inc"])},
    "adaptation": {"adaptation": Chosen(*names.make("views"))},
    "detector": {"detector": detector_parameters() | {"min_face": 41}},
    "channel": {"channel": "tv:0.1"},
    "options": {"options": (("some", "thing"),)},
}
"""Field of a view -> the same view with another value; a run has one precision."""
CHANGED_CLOAKING: dict[str, dict[str, Any]] = {
    "defense": {"defense": Chosen("noise", registry.load("defenses", "noise")())},
    "surrogates": {"surrogates": (CARD["synth-vit"],)},
    "budget": {"budget": Budget.parse("linf:4")},
    "options": {"options": (("some", "thing"),)},
}
"""Field of a cloaking that an attacker's own cloaks depend on -> the same cloaking with another value."""
LEARNS: dict[str, Callable[[], View]] = {
    "head": lambda: view(adaptation=Chosen(*names.make("head"))),
    "finetune": lambda: view(adaptation=Chosen(*names.make("finetune"))),
    "whiten": lambda: view(adaptation=Chosen(*names.make("whiten"))),
    "adversarial as long as it pays": lambda: view(adaptation=Chosen(*names.make("adversarial:steps=0"))),
    "chain": lambda: view(adaptation=Chosen(*names.make("adversarial+whiten"))),
    "weighted": lambda: ensemble("weighted:synth-ir+synth-inc"),
    "denoiser": lambda: view(channel="denoiser:3"),
    "drops suspects": lambda: view(options=(("cloak_detector", "residuals:use=drop"),)),
    "purifies suspects": lambda: view(
        channel="tv:0.1", options=(("cloak_detector", "residuals:use=purify"),)
    ),
}
"""Views that are learned from cloaks."""
OTHERS: dict[str, Callable[[], View]] = {
    "as it is": lambda: view(channel="none"),
    "views": lambda: view(adaptation=Chosen(*names.make("views:random=2"))),
    "adversarial": lambda: view(adaptation=Chosen(*names.make("adversarial"))),
    "side by side": lambda: ensemble("synth-ir+synth-inc"),
    "mean": lambda: ensemble("mean:synth-ir+synth-inc"),
    "purifier": lambda: view(channel="tv:0.1"),
}


def view(**more: Any) -> View:
    usual: dict[str, Any] = {
        "encoder": CARD["synth-ir"],
        "members": (CARD["synth-ir"],),
        "adaptation": Chosen(*names.make("none")),
        "detector": detector_parameters(),
    }
    return View(**usual | more)


def ensemble(name: str) -> View:
    whole, members = ensembles.parse(name, lambda one: CARD[one])
    return view(encoder=whole, members=members)


CLOAKING = Cloaking(
    defense=Chosen("none", registry.load("defenses", "none")()),
    surrogates=(),
    budget=Budget.parse("linf:8"),
)


def repetition(number: int = 0) -> Any:
    return SimpleNamespace(number=number, training_data=lambda cloaking, platform: (cloaking, str(platform)))


@pytest.fixture
def views() -> Views:
    """Views that are made and never looked through."""
    observer = SimpleNamespace(with_detector=lambda name: name)
    tools: Any = SimpleNamespace(observer=observer, cache=None, progress=None)
    return Views([SimpleNamespace(view=view(), cloaking=CLOAKING)], tools)  # type: ignore[list-item]


def test_every_field_is_thought_of() -> None:
    everywhere = {"memo"}
    assert {field.name for field in fields(View)} == {*CHANGED_VIEW, "precision"} | everywhere
    assert {field.name for field in fields(Cloaking)} == {*CHANGED_CLOAKING, "seed", "dose"} | everywhere


@pytest.mark.parametrize("field", CHANGED_VIEW)
def test_whoever_looks_otherwise_has_a_view_of_its_own(field: str, views: Views) -> None:
    first = views.of(view(), CLOAKING, repetition())
    assert views.of(view(), CLOAKING, repetition()) is first
    assert views.of(view(**CHANGED_VIEW[field]), CLOAKING, repetition()) is not first


@pytest.mark.parametrize("way", [*LEARNS, *OTHERS])
def test_another_repetition_or_seed_is_another_view(way: str, views: Views) -> None:
    seen = (LEARNS | OTHERS)[way]()
    first = views.of(seen, CLOAKING, repetition())
    assert views.of(seen, CLOAKING, repetition(1)) is not first
    assert views.of(seen, replace(CLOAKING, seed=1), repetition()) is not first


@pytest.mark.parametrize("field", CHANGED_CLOAKING)
@pytest.mark.parametrize("way", [*LEARNS, *OTHERS])
def test_a_view_belongs_to_a_cloaking_where_it_learned_from_cloaks(
    way: str, field: str, views: Views
) -> None:
    seen = (LEARNS | OTHERS)[way]()
    first = views.of(seen, CLOAKING, repetition())
    other = views.of(seen, replace(CLOAKING, **CHANGED_CLOAKING[field]), repetition())
    assert (other is not first) == (way in LEARNS)


@pytest.mark.parametrize("way", ["whiten", "weighted", "as it is"])
def test_a_view_belongs_to_a_platform_where_it_learned_from_cloaks(way: str, views: Views) -> None:
    seen = (LEARNS | OTHERS)[way]()
    after = replace(seen, channel="jpeg:75")
    assert (views.of(seen, CLOAKING, repetition()) is not views.of(after, CLOAKING, repetition())) == (
        way in LEARNS
    )


def test_the_dose_of_users_is_nothing_to_an_attackers_own_cloaks(views: Views) -> None:
    seen = LEARNS["whiten"]()
    first = views.of(seen, CLOAKING, repetition())
    assert views.of(seen, replace(CLOAKING, dose=0.5), repetition()) is first


def test_a_function_is_told_from_another_one(views: Views) -> None:
    from bench.plan.chosen import FunctionDefense

    seen = LEARNS["whiten"]()
    functions = [FunctionDefense(lambda photos: photos) for _ in range(2)]
    one, other = (replace(CLOAKING, defense=Chosen("mine", function)) for function in functions)
    assert views.of(seen, one, repetition()) is views.of(seen, one, repetition())
    assert views.of(seen, one, repetition()) is not views.of(seen, other, repetition())
