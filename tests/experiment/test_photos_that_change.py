"""Photos that go away, are cut or are exchanged while a run reads them leave nothing wrong behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from injecting.injection import assert_all_right
from injecting.photos_that_change import PHOTOS_THAT_CHANGE


@pytest.mark.slow
def test_a_disturbance_at_any_moment_leaves_nothing_wrong_behind(tmp_path: Path) -> None:
    assert_all_right(PHOTOS_THAT_CHANGE, 16, 0, tmp_path)
