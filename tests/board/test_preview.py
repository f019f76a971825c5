"""A picture of cloaks: before, after, and the difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from bench.board.preview import AMPLIFY, draw
from bench.errors import UserError


def test_a_preview_shows_the_difference(tmp_path: Path) -> None:
    before = np.full((40, 50, 3), 100, np.uint8)
    after = before + np.uint8(4)
    draw(tmp_path / "new" / "p.png", [("noise", before, after), ("blur", before, before)])
    with PIL.Image.open(tmp_path / "new" / "p.png") as sheet:
        pixels = np.asarray(sheet)
    levels, counts = np.unique(pixels[:, :, 0], return_counts=True)
    shown = {int(level) for level, count in zip(levels, counts, strict=True) if count >= 40 * 50}
    assert {100, 104, 128, 128 + 4 * AMPLIFY} <= shown  # before, after, no change, the change


def test_a_preview_of_photos_of_several_sizes(tmp_path: Path) -> None:
    wide, high = np.zeros((10, 90, 3), np.uint8), np.zeros((70, 20, 3), np.uint8)
    pairs = [("a", wide, wide), ("a", high, high)]
    draw(tmp_path / "p.png", pairs)
    assert (tmp_path / "p.png").stat().st_size > 0


def test_a_preview_of_nothing_or_nowhere(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to show"):
        draw(tmp_path / "p.png", [])
    (tmp_path / "file").write_text("")
    grey = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(UserError, match="cannot write the preview"):
        draw(tmp_path / "file" / "p.png", [("a", grey, grey)])
