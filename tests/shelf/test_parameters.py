"""Parameters are read by their declared type and written down completely."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from inspect import signature

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.parameters import Plain, coerce, filled, plain, resolved
from bench.store.digests import array_digest, digest, versions


@dataclass(frozen=True)
class Inner:
    size: int = 2


@dataclass(frozen=True)
class Plugin:
    steps: int = 10
    reach: float | None = None
    on: bool = True
    kind: str = "sign"
    grid: tuple[float, ...] = (0.5, math.inf)
    inner: Inner = Inner()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("steps", "7", 7),
        ("reach", "2.5", 2.5),
        ("reach", "3", 3.0),
        ("reach", "none", None),
        ("on", "false", False),
        ("on", "True", True),
        ("kind", "uniform", "uniform"),
    ],
)
def test_text_becomes_the_declared_type(name: str, text: str, value: object) -> None:
    read = coerce(Plugin, name, text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("steps", "7.5"), ("steps", ""), ("steps", "none"), ("reach", "far"), ("reach", "inf"),
     ("on", "0"), ("on", "yes"), ("grid", "1")],
)  # fmt: skip
def test_what_does_not_fit_is_said(name: str, text: str) -> None:
    with pytest.raises(UserError) as caught:
        coerce(Plugin, name, text)
    assert f"{name}={text!r}" in str(caught.value)
    assert "Plugin" in str(caught.value)


def test_everything_is_written_down() -> None:
    assert resolved(Plugin()) == {
        "steps": 10,
        "reach": None,
        "on": True,
        "kind": "sign",
        "grid": [0.5, "inf"],
        "inner": {"size": 2},
    }


@dataclass(frozen=True)
class Younger:
    steps: int = 10
    copies: float = field(default=0.0, metadata={"later": True})


def test_a_parameter_that_came_later_is_left_out_at_its_default() -> None:
    assert resolved(Younger()) == {"steps": 10}
    assert resolved(Younger(copies=4.0)) == {"steps": 10, "copies": 4.0}
    assert filled(Younger, "defense 'younger'", "copies=4") == Younger(copies=4.0)


@dataclass(frozen=True, kw_only=True)
class Shared:
    seed: int = 0


@dataclass(frozen=True)
class Sharing(Shared):
    eps: float = 0.5
    grid: int = 3


def test_parameters_that_many_plugins_share_come_last_as_in_the_constructor() -> None:
    assert list(resolved(Sharing())) == ["eps", "grid", "seed"] == list(signature(Sharing).parameters)
    with pytest.raises(UserError, match="it has: eps, grid, seed"):
        filled(Sharing, "attacker 'sharing'", "size=3")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_plain_values_stay_what_they_are(value: Plain) -> None:
    assert plain(value) == value
    assert len(digest(value)) == 64


@given(PLAIN, PLAIN)
def test_digests_differ_where_values_do(left: Plain, right: Plain) -> None:
    same = json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    assert (digest(left) == digest(right)) == same


def test_a_digest_knows_its_parts_apart() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(["a"], "b") != digest("a", ["b"])
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_arrays_of_other_shape_or_type_are_others() -> None:
    flat = np.arange(6, dtype=np.int32)
    others: list[np.ndarray] = [flat.reshape(2, 3), flat.reshape(3, 2), flat.astype(np.int64), flat + 1]
    assert len({array_digest(a) for a in (flat, *others)}) == 5
    assert array_digest(flat.reshape(2, 3).T) == array_digest(np.ascontiguousarray(flat.reshape(2, 3).T))


def test_a_package_that_is_not_there_is_absent() -> None:
    assert versions(["numpy", "no-such-package-at-all"])["no-such-package-at-all"] == "absent"
