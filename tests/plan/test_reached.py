"""Two functions have one digest only if they read the same; what cannot be told is named."""

from __future__ import annotations

import functools
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.plan.chosen import Chosen, FunctionDefense
from bench.plan.reached import reached

ROOT = Path(__file__).resolve().parents[2]
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3) | st.tuples(inner)
    ),
    max_leaves=6,
)


@dataclass
class Settings:
    """What a function may hold."""

    value: Any

    def read(self) -> Any:
        return self.value


def closing(value: Any) -> Callable[[], Any]:
    def read() -> Any:
        return value

    return read


def defaulting(value: Any) -> Callable[..., Any]:
    def read(given: Any = value, *, named: Any = None) -> Any:
        return given, named

    return read


def naming(value: Any) -> Callable[..., Any]:
    def read(*, named: Any = value) -> Any:
        return named

    return read


def calling(value: Any) -> Callable[[], Any]:
    inner = closing(value)

    def read() -> Any:
        return [inner() for _ in range(2)]

    return read


def reading_a_global(value: Any) -> Callable[[], Any]:
    scope: dict[str, Any] = {"held": value}
    exec("def read():\n    return [held for _ in 'ab']", scope)  # a module of its own
    made: Callable[[], Any] = scope["read"]
    return made


def holding(value: Any) -> Callable[[], Any]:
    settings = Settings(value)

    def read() -> Any:
        return settings.value

    return read


def method(value: Any) -> Callable[[], Any]:
    return Settings(value).read


def partial(value: Any) -> Callable[[], Any]:
    return functools.partial(defaulting(3), value)


def array(value: Any) -> Callable[[], Any]:
    return closing(np.frombuffer(repr(value).encode(), np.uint8))


def tensor(value: Any) -> Callable[[], Any]:
    return closing({"weights": [torch.tensor(list(repr(value).encode()))]})


WAYS = [closing, defaulting, naming, calling, reading_a_global, holding, method, partial, array, tensor]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@settings(max_examples=40)
@given(one=PLAIN, other=PLAIN)
def test_what_a_function_reads_decides_its_digest(way: Callable[[Any], Any], one: Any, other: Any) -> None:
    first, again, second = reached(way(one)), reached(way(one)), reached(way(other))
    assert first == again
    assert not first.unseen
    assert (first.digest == second.digest) == (repr(one) == repr(other))


@pytest.mark.parametrize(
    ("held", "named"),
    [
        (np.random.default_rng(0), True),
        (random.Random(0), True),
        (sys.stdout, True),
        (iter([1]), True),
        ([1, {"rng": np.random.default_rng(0)}], True),
        (Settings(random.Random(0)), True),
        (np.arange(3), False),
        (Settings, False),
        (np, False),
        (len, False),
        (np.random.default_rng, False),
        (np.random.default_rng(0).normal, True),
        (np.add, False),
        ([3].index, False),
        (functools.cache(closing(3)), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_digest_is_named(held: Any, named: bool) -> None:
    unseen = reached(closing(held)).unseen
    assert bool(unseen) == named
    assert all(name.startswith("value") for name in unseen)
    defense: Any = closing(held)
    parameters = Chosen("read", FunctionDefense(defense)).parameters
    assert ("unseen" in parameters) == named


def test_a_circle_ends() -> None:
    held: list[Any] = [1]
    held.append(held)
    assert reached(closing(held)) == reached(closing(held))

    def itself(count: int) -> int:
        return itself(count - 1) if count else 0

    assert not reached(itself).unseen


def test_two_lambdas_of_one_line_are_two() -> None:
    one, two = (lambda photos: photos), (lambda photos: photos[::-1])
    assert reached(one).digest != reached(two).digest


def test_the_digest_is_the_same_in_another_process(tmp_path: Path) -> None:
    script = tmp_path / "cloaks.py"
    script.write_text(
        "import numpy as np\n"
        "from bench.plan.reached import reached\n"
        "strength = {'a': {1, 2, 'b'}, 'c': np.arange(4)}\n"
        "def cloak(photos):\n"
        "    return [photo + strength['c'].sum() for photo in photos]\n"
        "print(reached(cloak).digest)\n"
    )
    made = {
        subprocess.run(
            [sys.executable, str(script)],
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1
