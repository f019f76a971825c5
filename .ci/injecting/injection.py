"""An injection: what is done, what is right, and what came of it each time."""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import injecting


class CannotInjectError(Exception):
    """What an injection cannot do without, and this machine lacks. A test is skipped, and says so."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one time.

    Attributes:
        says: A few words, the same for all times that ended alike.
        right: Whether it is what has to happen.
    """

    says: str
    right: bool


Counts = Counter[Outcome]


@dataclass(frozen=True, slots=True)
class Injection:
    """One kind of fault, injected at random.

    Attributes:
        name: In lower case with hyphens; unique.
        injected: What is done, in words.
        right: What has to happen then, in words.
        times: How often `python .ci/reliability.py` does it.
        inject: Does it so many times with a seed, in a folder of its own that is empty. Every time has one
            outcome. The same seed injects the same. Raises `CannotInjectError` where the machine lacks what
            it needs.
    """

    name: str
    injected: str
    right: str
    times: int
    inject: Callable[[int, int, Path], Counter[Outcome]]


def draws(times: int, seed: int) -> Iterator[random.Random]:
    """A source of random numbers for each time. The first times are the same however many there are."""
    for number in range(times):
        yield random.Random(f"{seed}, time {number}")


def counts_of(injection: Injection, times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Inject, and see that every time has its outcome.

    Raises:
        RuntimeError: The outcomes are not as many as the times: an injection that looks away is never wrong.
    """
    counts = injection.inject(times, seed, folder)
    if counts.total() != times:
        raise RuntimeError(f"{injection.name}: {counts.total()} outcomes of {times} times")
    return counts


def assert_all_right(injection: Injection, times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """For tests: inject a few times, and fail with the wrong outcomes and the seed that shows them again."""
    counts = counts_of(injection, times, seed, folder)
    wrong = [f"{count} x {outcome.says}" for outcome, count in counts.items() if not outcome.right]
    assert not wrong, f"{injection.name}, {times} times, seed {seed}: {'; '.join(wrong)}"
    return counts


def known() -> dict[str, Injection]:
    """All injections by name, in the order of their names.

    Raises:
        RuntimeError: Two have the same name.
    """
    every: list[Injection] = declared(injecting, "INJECTIONS")
    return {injection.name: injection for injection in sorted(every, key=lambda each: each.name)}


def declared(package: ModuleType, constant: str) -> list[Any]:
    """What the files of a package declare in a constant of one name, file by file.

    Raises:
        RuntimeError: Two of them have the same name.
    """
    every = [
        one
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
        for one in getattr(importlib.import_module(module.name), constant, ())
    ]
    names = Counter(one.name for one in every)
    if max(names.values(), default=1) > 1:
        raise RuntimeError(f"several of {constant} have one name: {names.most_common(1)[0][0]}")
    return every
