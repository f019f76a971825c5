"""Random resizing and padding of aligned faces."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.recognition.resize_pad import ResizePad

SIZE = 32
WHITE = torch.ones(1, 3, SIZE, SIZE)


def squares(looks: torch.Tensor) -> list[tuple[int, int, int, int]]:
    """Where each look at a white crop is not black: top, bottom, left, right."""
    out = []
    for look in looks:
        rows, columns = np.nonzero(look[0].numpy() > 0)
        out.append((rows.min(), rows.max(), columns.min(), columns.max()))
    return out


@settings(max_examples=50)
@given(st.integers(1, 12), st.floats(0.1, 0.99), st.integers(0, 9), st.text("0123456789abcdef"))
def test_each_look_is_the_whole_face_smaller_somewhere_in_the_crop(
    looks: int, least: float, seed: int, photo: str
) -> None:
    shown = ResizePad(looks, least, seed)(WHITE, photo)
    assert shown.shape == (looks + 1, 3, SIZE, SIZE)
    torch.testing.assert_close(shown[:1], WHITE)
    for (top, bottom, left, right), look in zip(squares(shown)[1:], shown[1:], strict=True):
        side = bottom - top + 1
        assert side == right - left + 1
        assert min(round(least * SIZE), SIZE - 1) <= side < SIZE
        torch.testing.assert_close(look[:, top : bottom + 1, left : right + 1], torch.ones(3, side, side))


def test_sides_and_places_follow_from_seed_and_photo() -> None:
    looks = ResizePad(20, 0.7, 0)
    crop = torch.rand(1, 3, SIZE, SIZE)
    np.testing.assert_array_equal(looks(crop, "a"), looks(crop, "a"))
    places = {
        (seed, photo): squares(ResizePad(20, 0.7, seed)(WHITE, photo)) for seed in (0, 1) for photo in "ab"
    }
    assert len({tuple(place) for place in places.values()}) == 4
    assert len(set(places[0, "a"])) > 15  # and differ from look to look


@pytest.mark.parametrize("looks", [1, 3])
def test_what_is_shown_is_the_face(looks: int) -> None:
    # a gradient stays one: its mean over the square is that of the crop
    crop = torch.linspace(0.2, 1, SIZE).repeat(1, 3, SIZE, 1)
    for look, place in zip(
        ResizePad(looks, 0.5, 0)(crop, "x")[1:],
        squares(ResizePad(looks, 0.5, 0)(WHITE, "x"))[1:],
        strict=True,
    ):
        top, bottom, left, right = place
        assert float(look[:, top : bottom + 1, left : right + 1].mean()) == pytest.approx(0.6, abs=0.01)
