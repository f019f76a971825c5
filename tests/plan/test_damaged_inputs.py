"""A damaged suite, list, lock, manifest or index is one line, or is repaired."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from injecting import damaged_inputs
from injecting.injection import Injection, assert_all_right


@pytest.mark.parametrize("what", damaged_inputs.INPUTS)
def test_a_damaged_input(what: str, tmp_path: Path) -> None:
    every = damaged_inputs.DAMAGE
    one = Injection(
        every.name, every.injected, every.right, every.times, partial(damaged_inputs.damage, what=what)
    )
    assert_all_right(one, 25, 7, tmp_path)
