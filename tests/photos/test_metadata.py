"""Metadata is no part of a picture, and neither is the mark of its end."""

from __future__ import annotations

import io
import logging
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.containers import contained, exif_orientation
from bench.photos.decode import UnreadablePhoto, decode, pixels
from injecting import metadata_of_photos as injections
from injecting.injection import assert_all_right

HEAD = b"II*\0\x08\0\0\0"


def exif(*entries: tuple[int, int, int, int]) -> bytes:
    """A block of EXIF: tag, type, count and value of each entry."""
    return (
        HEAD + struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    )


def jpeg(**options: object) -> bytes:
    out = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    PIL.Image.fromarray(noise).save(out, "JPEG", **options)
    return out.getvalue()


@pytest.mark.skipif(find_spec("pillow_heif") is None, reason="the extra 'heic' is not installed")
def test_metadata_of_any_form_changes_nothing_but_the_orientation(tmp_path: Path) -> None:
    counts = assert_all_right(injections.METADATA, 360, 1, tmp_path)
    assert len(counts) == 6  # every format


def test_a_jpeg_that_was_cut_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    counts = assert_all_right(injections.CUT, 500, 1, tmp_path)
    read = sum(count for outcome, count in counts.items() if outcome.says == "read, with every pixel")
    assert 150 < read < 350


@pytest.mark.parametrize(
    "tag", [(270, 5, 1, 40), (296, 1, 1, 2), (271, 2, 2**32 - 1, 9), (34665, 4, 1, 2**31)]
)
def test_tags_of_a_type_that_they_cannot_have(tag: tuple[int, int, int, int]) -> None:
    file = jpeg(exif=b"Exif\0\0" + exif(tag, (0x0112, 3, 1, 6)))
    np.testing.assert_array_equal(decode(file), np.rot90(decode(jpeg()), -1))


@given(st.binary(max_size=60))
def test_exif_of_any_bytes_states_an_orientation_or_none(block: bytes) -> None:
    assert 0 <= exif_orientation(block) <= 8
    assert 0 <= exif_orientation(HEAD + block) <= 8


@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x40\0\0\0WEBP", HEAD, b"\0\0\0\x18ftyp"]),
    st.binary(),
)
def test_any_bytes_are_taken_apart_or_left(start: bytes, rest: bytes) -> None:
    assert 1 <= contained(start + rest).orientation <= 8
    assert pixels(start + rest) >= 0
    try:
        decode(start + rest)
    except UnreadablePhoto as error:
        assert "\n" not in error.reason


def test_a_photo_without_its_end_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    file = jpeg(quality=61)[:-2]
    with caplog.at_level(logging.WARNING, "bench"):
        for _ in range(3):
            decode(file)
    assert [record.getMessage()[:39] for record in caplog.records] == [
        "the file of a photo lacks its end, behi"
    ]


@pytest.mark.parametrize("share", [0.4, 0.7, 0.99])
def test_scans_that_are_missing_are_missed(share: float) -> None:
    # a file of several scans shows a whole picture, of less detail, long before its end
    file = jpeg(progressive=True)
    scans = [i for i in range(len(file)) if file[i : i + 2] == b"\xff\xda"]
    cut = scans[int(len(scans) * share)]
    with pytest.raises(UnreadablePhoto):
        decode(file[:cut])
