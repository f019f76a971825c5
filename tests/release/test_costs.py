"""Measuring many photos: as many in memory as fit, whatever their number."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from bench.machine.progress import Silent
from bench.photos.collection import Photos
from bench.photos.decode import encode_png
from bench.release.costs import CostMeter
from bench.release.release import Release
from bench.store.cache import Cache

MIB = 2**20


def meter(folder: Path) -> CostMeter:
    return CostMeter(Cache(folder), Silent())


def album(count: int, height: int, width: int) -> tuple[Photos, Release]:
    """Photos, and a release of them in which one pixel of each is changed."""
    pixels = np.full((height, width, 3), 90, np.uint8)
    out = io.BytesIO()
    PIL.Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    pixels[0, 0] = 99
    file, names = encode_png(pixels), tuple(map(str, range(count)))
    originals = Photos(names, lambda wanted: [out.getvalue() for _ in wanted])
    return originals, Release((file,) * count, tuple(f"{name} released" for name in names), (False,) * count)


def test_a_photo_costs_what_it_costs_whoever_measures_it(tmp_path: Path) -> None:
    originals, release = album(5, 40, 30)
    from_files = meter(tmp_path / "files").costs(originals, release, [None] * 5)
    assert [cost["whole"]["linf"] for cost in from_files if cost] == [9] * 5
    in_memory = meter(tmp_path / "memory")
    before, after = np.full((40, 30, 3), 90, np.uint8), np.full((40, 30, 3), 90, np.uint8)
    after[0, 0] = 99
    in_memory.measure(
        originals.digests, release.digests, [before] * 4 + [None], [after] * 4 + [None], [None] * 5
    )
    unread = Photos(originals.digests, lambda wanted: pytest.fail(f"read again: {wanted}"))
    lost = Release((*release.files[:4], b""), release.digests, release.failed)
    assert in_memory.costs(unread, lost, [None] * 5) == [*from_files[:4], None]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_photos(tmp_path: Path) -> None:
    # 12 photos of 12 megapixels: 36 MB each, and as much released, are 860 MB in all
    originals, release = album(12, 3000, 4000)
    subject = meter(tmp_path)
    subject.costs(*album(1, 20, 20), [None])
    tracemalloc.start()
    try:
        costs = subject.costs(originals, release, [None] * 12)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(costs)
    assert peak < 560 * MIB  # two chunks of 160 MiB, and what each of the workers decodes
