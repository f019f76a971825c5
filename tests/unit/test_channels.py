"""What happens to a photo between release and attacker."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from bench import channels
from bench.errors import UserError


@pytest.fixture
def photo() -> np.ndarray:
    ys, xs = np.mgrid[0:33, 0:47]
    return np.stack([xs * 5, ys * 7, xs + ys], -1).astype(np.uint8)


def test_none_is_the_file_itself(photo: np.ndarray) -> None:
    np.testing.assert_array_equal(channels.parse("none")(photo), photo)


def test_jpeg_is_what_a_platform_writes(photo: np.ndarray) -> None:
    file = io.BytesIO()
    PIL.Image.fromarray(photo).save(file, "JPEG", quality=75, subsampling="4:2:0")
    expected = np.asarray(PIL.Image.open(file))
    passed = channels.parse("jpeg:75")(photo)
    np.testing.assert_array_equal(passed, expected)
    assert (passed.shape, passed.dtype) == (photo.shape, np.uint8)
    assert passed.flags.writeable


def test_lower_quality_costs_more(photo: np.ndarray) -> None:
    def error(quality: int) -> float:
        passed = channels.parse(f"jpeg:{quality}")(photo)
        return float(np.abs(passed.astype(int) - photo).mean())

    assert 0 < error(95) < error(50) < error(5)


def test_the_photo_is_left_as_it_is(photo: np.ndarray) -> None:
    before = photo.copy()
    channels.parse("jpeg:10")(photo)
    np.testing.assert_array_equal(photo, before)


@pytest.mark.parametrize("text", ["none", "jpeg:1", "jpeg:75", "jpeg:100"])
def test_a_channel_is_called_what_it_was_asked_by(text: str) -> None:
    assert str(channels.parse(text)) == text


@pytest.mark.parametrize("text", ["jpeg", "jpeg:", "jpeg:0", "jpeg:101", "jpeg:-5", "jpeg:7.5", "jpeg:high",
                                  "blur", "none:1", ""])  # fmt: skip
def test_what_is_no_channel(text: str) -> None:
    with pytest.raises(UserError) as caught:
        channels.parse(text)
    assert repr(text) in str(caught.value)
    assert "\n" not in str(caught.value)
