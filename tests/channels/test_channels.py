"""What happens to a photo between release and attacker, and what an attacker does to it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from scipy.ndimage import gaussian_filter, median_filter

from bench import channels
from bench.channels.platforms import FILTERS
from bench.errors import UserError

EXAMPLES = [row.example for row in channels.ROWS.values() if row.name != "denoiser"]
MORE = ["jpeg:90", "jpeg:50", "webp:1", "resize:0.01", "resize:0.5:nearest", "crop-pad:0.49", "gaussian:20",
        "median:31", "bits:1", "tv:1", "nlm:100", "resize:0.5+jpeg:75", "messenger+tv:0.1"]  # fmt: skip
every = pytest.mark.parametrize("text", [*EXAMPLES, *MORE])


@pytest.fixture
def photo() -> np.ndarray:
    ys, xs = np.mgrid[0:33, 0:47]
    return np.stack([xs * 5, ys * 7, xs + ys], -1).astype(np.uint8)


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (33, 47, 3), dtype=np.uint8)


@every
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 7), (5, 1), (33, 47)])
def test_a_photo_of_any_size_goes_through_alike_each_time(text: str, size: tuple[int, int]) -> None:
    given = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    before = given.copy()
    once, again = channels.parse(text)(given), channels.parse(text)(given)
    assert (once.shape, once.dtype) == (given.shape, np.uint8)
    assert once.flags.writeable  # torch wants that
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(given, before)


@every
def test_a_channel_is_called_what_it_was_asked_by(text: str) -> None:
    assert str(channels.parse(text)) == text
    assert channels.parse(str(channels.parse(text))) == channels.parse(text)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("resize:.5", "resize:0.5"),
        ("resize:0.50:bicubic", "resize:0.5"),
        ("resize:1.0", "resize:1"),
        ("jpeg:075", "jpeg:75"),
        ("tv:1e-1", "tv:0.1"),
        ("none+jpeg:75", "jpeg:75"),
        ("none+none", "none"),
        ("tv:0.1+none", "tv:0.1"),
        ("denoiser", "denoiser:600"),
        ("denoiser:060:small", "denoiser:60"),
        ("denoiser:060:large", "denoiser:60:large"),
    ],
)
def test_equal_channels_have_one_name(asked: str, name: str) -> None:
    assert str(channels.parse(asked)) == name


@pytest.mark.parametrize("text", ["none", "resize:1", "crop-pad:0", "median:1", "bits:8", "resize:1+bits:8"])
def test_what_changes_nothing(text: str, photo: np.ndarray) -> None:
    np.testing.assert_array_equal(channels.parse(text)(photo), photo)


def test_jpeg_is_what_a_platform_writes(photo: np.ndarray) -> None:
    file = io.BytesIO()
    PIL.Image.fromarray(photo).save(file, "JPEG", quality=75, subsampling="4:2:0")
    np.testing.assert_array_equal(channels.parse("jpeg:75")(photo), np.asarray(PIL.Image.open(file)))


def test_webp_is_lossy_webp(photo: np.ndarray) -> None:
    file = io.BytesIO()
    PIL.Image.fromarray(photo).save(file, "WEBP", quality=60)
    np.testing.assert_array_equal(
        channels.parse("webp:60")(photo), np.asarray(PIL.Image.open(file).convert("RGB"))
    )


def test_a_photo_larger_than_webp_can_hold_is_refused_in_one_line() -> None:
    with pytest.raises(
        UserError, match=r"1 x 16384 pixels is larger .* Try|1 x 16384 .*try --channel jpeg:75"
    ):
        channels.parse("webp:75")(np.zeros((16384, 1, 3), np.uint8))


@pytest.mark.parametrize(
    ("weak", "strong"),
    [("jpeg:90", "jpeg:20"), ("webp:90", "webp:5"), ("resize:0.9", "resize:0.2"),
     ("gaussian:0.5", "gaussian:3"),
     ("median:3", "median:7"), ("bits:6", "bits:2"), ("tv:0.02", "tv:0.5"), ("nlm:20", "nlm:100"),
     ("crop-pad:0.05", "crop-pad:0.3")],
)  # fmt: skip
def test_more_of_it_costs_more(weak: str, strong: str, noise: np.ndarray) -> None:
    def error(text: str) -> float:
        return float(np.abs(channels.parse(text)(noise).astype(int) - noise).mean())

    assert 0 < error(weak) < error(strong)


@pytest.mark.parametrize("name", FILTERS)
def test_resize_is_there_and_back_by_the_named_filter(name: str, noise: np.ndarray) -> None:
    # 33 x 47 -> 16 x 24 (half, rounded to even) -> 33 x 47
    small = PIL.Image.fromarray(noise).resize((24, 16), FILTERS[name])
    expected = np.asarray(small.resize((47, 33), FILTERS[name]))
    np.testing.assert_array_equal(channels.parse(f"resize:0.5:{name}")(noise), expected)


def test_crop_pad_blackens_the_rim_and_moves_nothing(noise: np.ndarray) -> None:
    # a tenth of 33 rows is 3, of 47 columns 4
    passed = channels.parse("crop-pad:0.1")(noise)
    np.testing.assert_array_equal(passed[3:30, 4:43], noise[3:30, 4:43])
    assert passed.sum() == noise[3:30, 4:43].sum()


def test_gaussian_is_each_colour_for_itself(noise: np.ndarray) -> None:
    passed = channels.parse("gaussian:1.5")(noise)
    for colour in range(3):
        expected = gaussian_filter(noise[..., colour].astype(float), 1.5, mode="nearest")
        np.testing.assert_array_equal(passed[..., colour], np.rint(expected))


def test_the_median_of_an_impulse_is_its_surroundings(noise: np.ndarray) -> None:
    impulse = np.full((9, 9, 3), 40, np.uint8)
    impulse[4, 4] = 255
    assert (channels.parse("median:3")(impulse) == 40).all()
    expected = median_filter(noise, size=(5, 5, 1), mode="nearest")
    np.testing.assert_array_equal(channels.parse("median:5")(noise), expected)


@pytest.mark.parametrize("bits", range(1, 9))
def test_bits_leave_so_many_levels(bits: int) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    passed = channels.parse(f"bits:{bits}")(ramp)
    assert len(np.unique(passed[..., 0])) == 2**bits
    assert passed.min() == 0
    assert passed.max() == 255
    assert np.abs(passed.astype(int) - ramp).max() <= 255 / (2**bits - 1) / 2 + 0.5


def test_one_bit_is_black_and_white() -> None:
    assert channels.parse("bits:1")(np.array([[[0, 127, 128]]], np.uint8)).tolist() == [[[0, 0, 255]]]


def test_a_messenger_shrinks_large_photos_only() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (40, 1600, 3), dtype=np.uint8)
    large = np.repeat(np.repeat(noise, 2, 0), 2, 1)
    message = channels.parse("messenger")

    def detail(photo: np.ndarray) -> float:
        return float(np.abs(np.diff(photo.astype(int), axis=1)).mean())

    # at 1600 pixels neighbours still differ about as JPEG 70 leaves them; noise at 3200 is averaged away
    assert detail(message(noise)) > 0.8 * detail(channels.parse("jpeg:70")(noise))
    fine = np.random.default_rng(2).integers(0, 256, large.shape, dtype=np.uint8)
    assert message(fine).shape == fine.shape
    assert detail(message(fine)) < 0.5 * detail(message(noise))


@pytest.mark.parametrize(("name", "longest"), [("immich-preview", 1440), ("photoprism-preview", 720)])
def test_a_preview_shrinks_what_is_larger_and_enlarges_nothing(name: str, longest: int) -> None:
    preview = channels.parse(name)
    large = np.random.default_rng(1).integers(0, 256, (60, 2 * longest, 3), dtype=np.uint8)

    def detail(photo: np.ndarray) -> float:
        return float(np.abs(np.diff(photo.astype(int), axis=1)).mean())

    assert preview(large).shape == large.shape
    assert detail(preview(large)) < 0.5 * detail(large)  # every other pixel is gone
    upright = np.ascontiguousarray(large.transpose(1, 0, 2))
    assert np.abs(np.diff(preview(upright).astype(int), axis=0)).mean() < 0.5 * detail(large)
    fits = large[:, :longest]
    expected = channels.parse("jpeg:80")(fits) if name == "immich-preview" else fits
    np.testing.assert_array_equal(preview(fits), expected)
    one_more = np.concatenate([fits, fits[:, :1]], axis=1)
    assert not np.array_equal(preview(one_more)[:, :longest], expected)


def test_a_preview_is_the_attackers_own_look_and_comes_after_any_platform() -> None:
    chain = channels.parse("messenger+immich-preview")
    assert tuple(map(str, channels.divided(chain))) == ("messenger", "immich-preview")
    with pytest.raises(UserError, match="purifier"):
        channels.parse("photoprism-preview+jpeg:75")


def test_a_screenshot_is_darker_nowhere_and_lighter_in_the_shadows() -> None:
    grey = [2, 10, 128, 255]
    shown = [int(channels.parse("screenshot")(np.full((8, 8, 3), g, np.uint8))[4, 4, 0]) for g in grey]
    # sRGB 10 is light 0.00304; ** (1 / 2.2) * 255 = 18.2.  sRGB 2 is 0.000607 -> 8.8.  128: 0.2159 -> 127.0
    assert shown == [9, 18, 127, 255]


def test_the_order_of_a_chain_matters(noise: np.ndarray) -> None:
    one, other = channels.parse("resize:0.5+bits:2"), channels.parse("bits:2+resize:0.5")
    np.testing.assert_array_equal(one(noise), channels.parse("bits:2")(channels.parse("resize:0.5")(noise)))
    assert len(np.unique(one(noise))) == 4
    assert (one(noise) != other(noise)).any()


@pytest.mark.parametrize("text", ["tv:0.1", "nlm:20"])
def test_a_purifier_takes_noise_off(text: str) -> None:
    rng = np.random.default_rng(3)
    ys, xs = np.mgrid[0:64, 0:64]
    clean = np.stack([60 + 2 * xs, 200 - ys, 90 + xs], -1).astype(np.uint8)
    noisy = np.clip(clean + 8 * rng.choice([-1, 1], clean.shape), 0, 255).astype(np.uint8)
    purified = channels.parse(text)(noisy)
    assert ((purified.astype(int) - clean) ** 2).mean() < 0.5 * ((noisy.astype(int) - clean) ** 2).mean()


def test_who_runs_what() -> None:
    purifiers = {name for name, row in channels.ROWS.items() if channels.parse(row.example).purifier}
    assert purifiers == {"tv", "nlm", "denoiser", "immich-preview", "photoprism-preview"}
    assert all(
        channels.ROWS[name].about.startswith("purifier: ") == (name in purifiers) for name in channels.ROWS
    )


@pytest.mark.parametrize(
    ("text", "platform", "purifier"),
    [
        ("none", "none", "none"),
        ("jpeg:75", "jpeg:75", "none"),
        ("tv:0.1", "none", "tv:0.1"),
        ("resize:0.5+jpeg:75+tv:0.1", "resize:0.5+jpeg:75", "tv:0.1"),
        ("messenger+denoiser:10+nlm:4", "messenger", "denoiser:10+nlm:4"),
    ],
)
def test_a_chain_is_divided_at_the_attackers_door(text: str, platform: str, purifier: str) -> None:
    assert tuple(map(str, channels.divided(channels.parse(text)))) == (platform, purifier)


@pytest.mark.parametrize(
    "text",
    ["jpeg", "jpeg:", "jpeg:0", "jpeg:101", "jpeg:-5", "jpeg:7.5", "jpeg:high", "jpeg:²", "jpeg:75 ",
     "webp:0", "resize:0", "resize:1.1", "resize:nan", "resize:0.5:linear", "resize:1_0", "crop-pad:0.5",
     "crop-pad:-0.1",
     "gaussian:0", "gaussian:inf", "gaussian:21", "median:2", "median:33", "bits:0", "bits:9", "bits:1.0",
     "messenger:1", "screenshot:", "none:1", "tv:0", "tv:2", "nlm:0", "nlm:101", "denoiser:", "denoiser:0",
     "denoiser:9:", "denoiser:9:huge", "denoiser:large", "denoiser:9:large:",
     "immich-preview:1440",
     "jpeg:75+jpeg:0", "tv:0.1+jpeg:75", "denoiser:9+denoiser:9", "jpeg:" + "9" * 5000],
)  # fmt: skip
def test_what_no_channel_allows(text: str) -> None:
    with pytest.raises(UserError) as caught:
        channels.parse(text)
    assert repr(text) in str(caught.value)
    assert "Try --channel " in str(caught.value)
    assert "\n" not in str(caught.value)
    suggestion = str(caught.value).rpartition("Try --channel ")[2].removesuffix(".")
    assert channels.parse(suggestion)


@pytest.mark.parametrize(
    ("text", "near"),
    [("jpg:60", "jpeg:60"), ("gausian:2", "gaussian:2"), ("crop:0.1", "crop-pad:0.1"),
     ("mesenger", "messenger"), ("denoise", "denoiser:600"), ("jpeg:75+medan:3", "median:3"),
     ("rezise:0.5+jpeg:75", "resize:0.5")],
)  # fmt: skip
def test_a_name_that_does_not_exist_has_a_nearest_one(text: str, near: str) -> None:
    with pytest.raises(UserError, match=f"Did you mean '{near}'"):
        channels.parse(text)


@pytest.mark.parametrize("text", ["", "+", "jpeg:75+", "blurred"])
def test_what_is_no_channel(text: str) -> None:
    with pytest.raises(UserError, match=r"no channel .* 'bench list channels' names all"):
        channels.parse(text)


def test_the_stamp_tells_channels_libraries_and_learned_states_apart() -> None:
    texts = ["none", "jpeg:75", "webp:75", "tv:0.1", "nlm:4", "denoiser:5", "jpeg:75+tv:0.1"]
    stamps = [channels.stamp(channels.parse(text)) for text in texts]
    assert len({str(stamp) for stamp in stamps}) == len(texts)
    assert "pillow" in str(stamps[1])
    assert "scikit-image" in str(stamps[3])
    assert "opencv" in str(stamps[4])
    assert "pillow" in str(stamps[6])
    assert "scikit-image" in str(stamps[6])
    untrained = channels.parse("jpeg:75+denoiser:5")
    one, two = (channels.with_state(untrained, state) for state in (b"1", b"2"))
    assert str(one) == str(two) == str(untrained)
    assert len({str(channels.stamp(c)) for c in (untrained, one, two)}) == 3


def test_a_denoiser_that_nobody_trained_refuses(photo: np.ndarray) -> None:
    untrained = channels.parse("jpeg:75+denoiser:5")
    assert (step := channels.learner(untrained)) is not None
    assert step.steps == 5
    assert channels.learner(channels.parse("tv:0.1")) is None
    with pytest.raises(ValueError, match="not trained yet"):
        untrained(photo)


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "channels.md").read_text("utf-8")


def test_the_page_names_every_channel_and_who_runs_it() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (\w*) ?\|", PAGE, re.M)
    assert [form for form, _ in rows] == [row.form for row in channels.ROWS.values()]
    for (_, who), row in zip(rows[1:], list(channels.ROWS.values())[1:], strict=True):
        assert who == ("purifier" if channels.parse(row.example).purifier else "platform")


@pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M))
def test_the_examples_of_the_page_run(block: str) -> None:
    exec(compile(block, "docs/channels.md", "exec"), {"__name__": "example"})
