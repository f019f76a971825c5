"""Reading ahead keeps the order, loses nothing, and holds no more in memory than it says."""

from __future__ import annotations

import io
import threading
import time
import tracemalloc
from collections.abc import Sequence

import numpy as np
import PIL.Image
import pytest

from bench.photos.decode import UnreadablePhoto, pixels
from bench.photos.read_ahead import chunks
from bench.types import Image

MIB = 2**20


def jpeg(width: int, height: int, level: int = 0) -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (width, height), (level % 256, 0, 0)).save(out, "JPEG")
    return out.getvalue()


class Album:
    """Photos by position; remembers what was asked for at a time."""

    def __init__(self, *contents: bytes | Image) -> None:
        self.contents, self.asked = contents, list[list[int]]()

    def __call__(self, wanted: Sequence[int]) -> list[bytes | Image]:
        self.asked.append(list(wanted))
        return [self.contents[i] for i in wanted]


def test_every_photo_once_and_in_order() -> None:
    album = Album(*(np.full((2, 3, 3), i, np.uint8) for i in range(50)))
    wanted = [*range(40, 0, -3), 41, 49]
    found = list(chunks(album, wanted, photos=4))
    assert [len(chunk) for chunk in found] == [4, 4, 4, 4]
    assert [i for chunk in found for i, _ in chunk] == wanted
    assert all(isinstance(p, np.ndarray) and p[0, 0, 0] == i for chunk in found for i, p in chunk)


def test_nothing_wanted() -> None:
    album = Album(b"")
    assert list(chunks(album, [], photos=4)) == []
    assert album.asked == []


def test_a_broken_file_is_an_answer() -> None:
    ((first, second, third),) = chunks(Album(jpeg(4, 5), b"no photo", b""), [0, 1, 2], photos=8)
    assert isinstance(first[1], np.ndarray)
    assert first[1].shape == (5, 4, 3)
    assert isinstance(second[1], UnreadablePhoto)
    assert isinstance(third[1], UnreadablePhoto)


def test_a_chunk_is_bounded_by_bytes() -> None:
    # 1000 x 1000 pixels are 3 MB: three of them fit 10 MB; one of 25 MB goes alone
    small, large = jpeg(1000, 1000), jpeg(2500, 3333)
    album = Album(*[small] * 5, large, *[small] * 2)
    found = list(chunks(album, range(8), photos=64, size=10_000_000))
    assert [[i for i, _ in chunk] for chunk in found] == [[0, 1, 2], [3, 4], [5], [6, 7]]


def test_files_are_read_a_few_at_a_time() -> None:
    album = Album(*[jpeg(8, 8)] * 100)
    assert sum(map(len, chunks(album, range(100), photos=64))) == 100
    assert max(map(len, album.asked)) <= 8


def test_pixels_of_a_file_without_decoding_it() -> None:
    assert pixels(jpeg(30, 20)) == 600
    assert pixels(jpeg(30, 20)[:200]) in (0, 600)
    assert pixels(b"no photo") == pixels(b"") == 0


def test_the_next_chunk_is_read_while_this_one_is_worked_on() -> None:
    album = Album(*[jpeg(8, 8)] * 6)
    source = chunks(album, range(6), photos=2)
    next(source)
    deadline = time.monotonic() + 10
    while sum(map(len, album.asked)) < 4 and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.05)
    assert sum(map(len, album.asked)) == 4  # the second chunk, and not the third
    source.close()


def test_a_fault_of_the_reader_reaches_the_one_who_reads() -> None:
    def read(wanted: Sequence[int]) -> list[bytes | Image]:
        if 3 in wanted:
            raise OSError("the disk is gone")
        return [jpeg(8, 8) for _ in wanted]

    source = chunks(read, range(6), photos=2)
    assert len(next(source)) == 2
    with pytest.raises(OSError, match="the disk is gone"):
        next(source)


def test_no_thread_is_left_behind() -> None:
    def readers() -> int:
        return sum(thread.name.startswith("bench-reader") for thread in threading.enumerate())

    source = chunks(Album(*[jpeg(8, 8)] * 6), range(6), photos=2)
    next(source)
    assert readers() == 1
    source.close()
    assert readers() == 0


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_photos() -> None:
    # 36 photos of 12 megapixels, 36 MB each and 1.3 GB in all; four fit a chunk, two chunks are held
    photo = jpeg(4000, 3000)
    list(chunks(Album(photo), [0], photos=64))
    tracemalloc.start()
    try:
        for part in chunks(Album(*[photo] * 36), range(36), photos=64, size=150 * MIB):
            assert len(part) == 4
            del part
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 4 * 36_000_000 < peak < 340 * MIB
