"""The control `noise` on large photos: numbers are drawn for the whole photo, and kept for the face."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from bench.defenses import noise

IMPORTS = """
import numpy as np
from bench import registry
from bench.optim.engine import CloakingEngine
from bench.protocols import Kit
from bench.types import Album, Budget, Face
defense = registry.load("defenses", "noise")()
"""
CLOAK = (
    IMPORTS
    + """
photo = np.full((3000, 4000, 3), 128, np.uint8)
points = (1800.0, 1400.0), (2200.0, 1400.0), (2000.0, 1600.0), (1850.0, 1800.0), (2150.0, 1800.0)
album = Album((photo,), (Face((1600.0, 1100.0, 2400.0, 2000.0), points, 1.0),), ("d",))
kit = Kit(Budget.parse("linf:8"), 0, (), Album((), (), ()), CloakingEngine(), "cpu")
((cloaked,),) = defense.cloak([album], kit)
print(int(cloaked.max()), int(cloaked.min()))
"""
)


@pytest.mark.parametrize(("height", "width"), [(7, 5), (40, 300), (900, 700)])
@pytest.mark.parametrize("band", [1, 1000, 2**20])
def test_bands_are_the_numbers_of_one_draw(
    height: int, width: int, band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noise, "_BAND", band)
    photo = np.zeros((height, width, 3), np.uint8)
    box = slice(height // 3, height - 1), slice(1, width // 2)
    whole, parts = (np.random.default_rng(3) for _ in range(2))
    for draw in ("integers", "random"):
        expected, drawn = (
            (lambda shape, rng=rng: rng.integers(-8, 9, shape)) if draw == "integers" else rng.random
            for rng in (whole, parts)
        )
        kept = noise._drawn(photo, box, drawn)
        assert np.array_equal(kept, expected(photo.shape)[box])


@pytest.mark.slow
def test_a_large_photo_takes_little_memory(peak_of: Callable[..., tuple[int, str]]) -> None:
    without, _ = peak_of(IMPORTS)
    peak, said = peak_of(CLOAK)
    assert said == "136 120"
    assert peak - without < 250  # the photo and its cloak take 72; with the numbers of the whole photo, 900
