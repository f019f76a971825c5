"""What was asked of a run: a matrix of cells, by name."""

from __future__ import annotations

from dataclasses import dataclass

from bench.plan.chosen import UserFunction


@dataclass(frozen=True, slots=True)
class RunSpec:
    """A matrix of cells, as asked. Tuples are axes; see `bench run --help` for each."""

    dataset: str = "synthetic"
    scenario: str = "introduced"
    defenses: tuple[str | UserFunction, ...] = ("none",)
    attackers: tuple[str, ...] = ("dbscan",)
    encoders: tuple[str, ...] = ()
    surrogates: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ("linf:8",)
    channels: tuple[str, ...] = ("none",)
    users: int | None = None
    photos: int = 10
    labelled: int = 5
    background: int | None = None
    doses: tuple[float, ...] = (1.0,)
    levels: tuple[str, ...] = ("oblivious",)
    adaptations: tuple[str, ...] = ("none",)
    distractors: tuple[int, ...] = (0,)
    seed: int = 0
    draws: int = 1
    device: str = "auto"
    precision: str = "fp32"
