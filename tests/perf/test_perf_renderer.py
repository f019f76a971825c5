"""Photos a minute of the built-in renderer, with torch's usual number of threads."""

from __future__ import annotations

from bench.datasets._synthetic.render import render
from pytest_benchmark.fixture import BenchmarkFixture

PHOTOS = 40


def test_draw_photos(benchmark: BenchmarkFixture) -> None:
    benchmark.group = "draw photos"
    render([0], [0])
    who, which = [i // 4 for i in range(PHOTOS)], [i % 4 for i in range(PHOTOS)]
    pixels, _ = benchmark.pedantic(render, args=(who, which), rounds=5, iterations=1)
    assert benchmark.stats is not None
    benchmark.extra_info.update(photos=PHOTOS, photos_per_minute=60 * PHOTOS / benchmark.stats.stats.median)
    assert len(pixels) == PHOTOS
