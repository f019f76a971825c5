"""Everything that is read of an encoder, damaged: one line, or something that can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from injecting import damaged_encoders
from injecting.injection import Injection, assert_all_right


@pytest.mark.parametrize("injection", damaged_encoders.INJECTIONS, ids=lambda injection: injection.name)
def test_what_is_damaged_is_refused_in_one_line(injection: Injection, tmp_path: Path) -> None:
    assert_all_right(injection, 30, 7, tmp_path)
