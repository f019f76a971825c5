"""Large photos cost what changed in them, in bounded memory, and as much as if they were computed whole."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics._ssim import same, similarity
from bench.metrics.lpips import SHAPES, Lpips
from bench.metrics.perceptual import perceptual_cost
from bench.types import Image

EVERYTHING = 10**9
"""More pixels than any photo here: the photo is one tile, and all of it is computed."""


def changed(height: int, width: int, seed: int, patches: int) -> tuple[Image, Image]:
    """A photo and a version of it that differs in some rectangles, or everywhere."""
    rng = np.random.default_rng(seed)
    original = np.cumsum(rng.integers(-9, 10, (height, width, 3)), axis=1).astype(np.uint8)
    released = original.copy()
    for _ in range(patches):
        top, left = rng.integers(0, height), rng.integers(0, width)
        place = slice(top, top + rng.integers(1, 40)), slice(left, left + rng.integers(1, 40))
        released[place] ^= rng.integers(0, 64, released[place].shape).astype(np.uint8)
    return original, released


SIDES = st.integers(11, 300)


@settings(max_examples=40)
@given(SIDES, SIDES, st.integers(0, 999), st.integers(0, 3), st.sampled_from([16, 32, 64, 256]))
def test_tiles_have_the_ssim_of_the_whole(
    height: int, width: int, seed: int, patches: int, tile: int
) -> None:
    original, released = changed(height, width, seed, patches)
    for after in (released, (original ^ 1).astype(np.uint8)):
        expected = similarity(original, after, whole=EVERYTHING)
        assert similarity(original, after, whole=0, tile=tile) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("height", "width"), [(11, 300), (176, 177), (353, 401)])
def test_identical_photos_are_what_the_computation_says(height: int, width: int) -> None:
    original, _ = changed(height, width, 1, 0)
    assert same(height, width) == pytest.approx(similarity(original, original, whole=EVERYTHING), abs=1e-12)


@pytest.fixture(scope="module")
def lpips() -> Lpips:
    rng = np.random.default_rng(0)
    shapes = {name: (shape, "lin" in name) for name, shape in SHAPES.items()}
    return Lpips(
        {
            name: (
                rng.random(shape) if head else rng.normal(0, 1 / math.sqrt(math.prod(shape[1:]) or 1), shape)
            ).astype(np.float32)
            for name, (shape, head) in shapes.items()
        }
    )


@pytest.mark.parametrize(
    ("height", "width", "tile"), [(31, 400, 3), (95, 97, 1), (230, 131, 4), (255, 256, 8)]
)
@pytest.mark.parametrize("patches", [0, 1, 3])
def test_tiles_have_the_lpips_of_the_whole(
    lpips: Lpips, height: int, width: int, tile: int, patches: int
) -> None:
    original, released = changed(height, width, tile, patches)
    after = released if patches else original ^ np.uint8(1)
    expected = lpips.distance(original, after, whole=EVERYTHING)
    assert expected > 0
    assert lpips.distance(original, after, whole=0, tile=tile) == pytest.approx(expected, abs=1e-6)


def test_the_largest_change_and_rmse_do_not_depend_on_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    original, released = changed(97, 63, 4, 3)
    expected = perceptual_cost(original, released, None)
    monkeypatch.setattr("bench.metrics.perceptual._BAND", 100)
    assert perceptual_cost(original, released, None) == expected
    difference = released.astype(float) - original
    assert (expected.whole.linf, expected.whole.rmse) == (
        np.abs(difference).max(),
        pytest.approx(math.sqrt((difference**2).mean())),
    )


MEASURED = """
import json, sys, time
import numpy as np
from bench.machine.memory import peak_memory
from bench.metrics.perceptual import perceptual_cost
from bench.types import Face

original = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), dtype=np.uint8)
released, face = original.copy(), Face((1500.0, 1000.0, 2500.0, 2000.0), ((0.0, 0.0),) * 5, 1.0)
seconds, changed = [], [(0, 0, 0, 0), (1000, 2000, 1500, 2500), (0, 3000, 0, 4000)]
for top, bottom, left, right in changed:
    released[top:bottom, left:right] ^= 3
    began = time.process_time()
    cost = perceptual_cost(original, released, face)
    seconds.append(time.process_time() - began)
    released[top:bottom, left:right] ^= 3
print(json.dumps({"seconds": seconds, "mib": peak_memory(), "changed": cost.whole.linf}))
"""


@pytest.mark.slow
def test_a_photo_of_12_megapixels_costs_what_changed_in_it() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    nothing, face, everything = said["seconds"]
    assert said["changed"] == 3
    assert nothing < face / 4
    assert face < everything / 2
    assert said["mib"] < 300  # two photos of 36 MB, the interpreter and its libraries among it
