"""What the engine promises, with networks small enough to run in a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from bench.encoders import load
from bench.encoders.families import synth
from bench.errors import UserError
from bench.optim.diversity import compressed, shakes, smoothed
from bench.optim.engine import CloakingEngine
from bench.optim.limits import bounds_of
from bench.optim.perturbation import first_masks
from bench.optim.surrogate import Surrogate
from bench.protocols import Descent, Ground, Kit, Objective
from bench.types import ARCFACE_CROP, Album, Budget, Crop, EncoderCard, Face, Folders, Image

TEMPLATE = np.array(ARCFACE_CROP.template)
BOX_CROP = Crop(size=48, kind="box", margin=4)


class TinyEncoder:
    """A small network with fixed weights, and a card."""

    def __init__(self, seed: int, crop: Crop = ARCFACE_CROP) -> None:
        torch.manual_seed(seed)
        self.card = EncoderCard(f"tiny-{seed}", "tiny", "none", crop, 16, 0, "", "", "", str(seed))
        self.runtime = "torch"
        pooled = 3 * (crop.size // 4) ** 2
        self.network = nn.Sequential(
            nn.Conv2d(3, 3, 3, 2, 1, groups=3),
            nn.BatchNorm2d(3, momentum=None),
            nn.PReLU(3),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(pooled, 16),
            nn.BatchNorm1d(16, momentum=None),
        )
        # centred on what it sees; a projection onto random directions is easy to move, as networks are
        coarse = 0.4 + 0.2 * torch.rand((64, 3, 12, 12), generator=torch.Generator().manual_seed(seed))
        self.network.train()(nn.functional.interpolate(coarse, (crop.size, crop.size), mode="bilinear"))
        self.network.eval()

    def twin(self) -> nn.Module:
        return self.network

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return nn.functional.normalize(self.network(crops), dim=1)


def album(name: str, photos: int, *, missing: Sequence[int] = ()) -> Album:
    """Photos of smooth random colour and of differing sizes."""
    pixels: list[Image] = []
    faces: list[Face | None] = []
    for i in range(photos):
        rng = np.random.default_rng([len(name), ord(name[0]), i])
        height, width = rng.integers(110, 170, 2)
        coarse = torch.from_numpy(rng.uniform(100, 156, (1, 3, 12, 12)))
        smooth = nn.functional.interpolate(coarse, (int(height), int(width)), mode="bilinear")
        pixels.append(np.ascontiguousarray(smooth[0].permute(1, 2, 0).numpy().round().astype(np.uint8)))
        points = (TEMPLATE - 55.5) * rng.uniform(0.5, 0.9) + [width / 2, height / 2]
        low, high = points.min(0) - 15, points.max(0) + 15
        face = Face((*low, *high), tuple((float(x), float(y)) for x, y in points), 0.99)
        faces.append(None if i in missing else face)
    return Album(tuple(pixels), tuple(faces), tuple(f"{name}-{i}" for i in range(photos)))


@dataclass(frozen=True)
class Away:
    """Every photo away from its clean embedding, until the similarity is below a level."""

    level: float

    def __call__(self, ground: Ground) -> _Away:
        return _Away(ground, self.level)


@dataclass(frozen=True)
class _Away:
    ground: Ground
    level: float

    def __call__(
        self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        similarity = (embeddings * self.ground.clean[photos]).sum(1)
        return similarity, similarity < self.level


ENGINE = CloakingEngine("cpu", precision="fp32", batch=4)
START = Descent(steps=10, random_start=True)


def a_kit(
    *encoders: TinyEncoder, budget: str = "linf:8", seed: int = 0, engine: CloakingEngine = ENGINE
) -> Kit:
    return Kit(Budget.parse(budget), seed, encoders, album("reference", 4), engine, "cpu")


def change(album: Album, released: Sequence[Image | None]) -> list[int]:
    pairs = zip(album.photos, released, strict=True)
    return [int(np.abs(new.astype(int) - old).max()) for old, new in pairs if new is not None]


def similarity(encoder: TinyEncoder, album: Album, released: Sequence[Image | None]) -> list[float]:
    """Of each released photo with its original, by the encoder itself on the whole photo."""
    from bench.faces.align import matrix, warp

    out = []
    for old, new, face in zip(album.photos, released, album.faces, strict=True):
        assert new is not None and face is not None
        both = torch.from_numpy(np.stack([old, new])).permute(0, 3, 1, 2).float() / 255
        m = matrix(face, encoder.card.crop)
        a, b = encoder.embed(warp(both, [m, m], encoder.card.crop.size))
        out.append(float(a @ b))
    return out


def halfway(values: Sequence[float]) -> float:
    """A level that some of the values are below and some above, and none near."""
    ordered = sorted(values)
    gaps = [b - a for a, b in pairwise(ordered)]
    widest = gaps.index(max(gaps))
    return (ordered[widest] + ordered[widest + 1]) / 2


def test_reached_is_what_the_encoder_says_of_the_released_file() -> None:
    encoder, photos = TinyEncoder(1), album("u", 5)
    kit = a_kit(encoder, budget="linf:1")
    level = halfway(similarity(encoder, photos, ENGINE.run([photos], kit, Away(-2), START).photos[0]))
    run = ENGINE.run([photos], kit, Away(level), START)
    found = similarity(encoder, photos, run.photos[0])
    assert run.reached[0] == [value < level for value in found]
    assert set(run.reached[0]) == {True, False}  # the test would say nothing if all agreed anyway


def test_every_surrogate_has_to_agree() -> None:
    first, second, photos = TinyEncoder(1), TinyEncoder(2, BOX_CROP), album("u", 6)
    kit = a_kit(first, second, budget="linf:1")
    walked = ENGINE.run([photos], kit, Away(-2), START).photos[0]
    worst = [
        max(pair) for pair in zip(*(similarity(e, photos, walked) for e in (first, second)), strict=True)
    ]
    level = halfway(worst)
    run = ENGINE.run([photos], kit, Away(level), START)
    each = [similarity(e, photos, run.photos[0]) for e in (first, second)]
    assert run.reached[0] == [a < level and b < level for a, b in zip(*each, strict=True)]
    assert set(run.reached[0]) == {True, False}


def test_a_second_surrogate_is_attacked_too() -> None:
    first, second, photos = TinyEncoder(1), TinyEncoder(2, BOX_CROP), album("u", 4)
    alone = ENGINE.run([photos], a_kit(first), Away(-2), START).photos[0]
    both = ENGINE.run([photos], a_kit(first, second), Away(-2), START).photos[0]
    assert np.mean(similarity(second, photos, both)) < np.mean(similarity(second, photos, alone)) - 0.05


def test_photos_that_reached_the_goal_leave_and_are_the_same_as_without_leaving() -> None:
    encoder, photos = TinyEncoder(1), album("u", 6)
    kit = a_kit(encoder)
    full = ENGINE.run([photos], kit, Away(-2), START)
    stopping = ENGINE.run([photos], kit, Away(-0.5), START)
    assert full.gradients == 6 * 10
    assert all(stopping.reached[0])
    assert stopping.gradients < full.gradients
    # one that reached its goal at step s holds exactly what a walk of s steps of the same length comes to
    walks = [
        ENGINE.run([photos], kit, Away(-2), replace(START, steps=s, reach=START.reach * s / START.steps))
        for s in range(1, START.steps + 1)
    ]
    for photo, released in enumerate(stopping.photos[0]):
        walked = [walk.photos[0][photo] for walk in walks]
        assert released is not None
        assert any(np.array_equal(end, released) for end in walked if end is not None)


def test_a_photo_starts_again_when_another_one_undoes_its_goal() -> None:
    @dataclass(frozen=True)
    class Undone:
        """Reached at first, then lost: photo 0 depends on how far photo 1 has gone."""

        def __call__(self, ground: Ground) -> Objective:
            def objective(
                embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
            ) -> tuple[torch.Tensor, torch.Tensor]:
                similarity = (embeddings * ground.clean[photos]).sum(1)
                other = (current[1] * ground.clean[1]).sum()
                reached = torch.where(photos == 0, other > 0, False)
                return similarity, reached

            return objective

    encoder, photos = TinyEncoder(1), album("u", 2)
    run = ENGINE.run([photos], a_kit(encoder), Undone(), replace(START, random_start=False, reach=5.0))
    assert run.reached[0] == [False, False]
    assert 10 < run.gradients < 20  # photo 1 took all steps, photo 0 those after photo 1 had moved
    assert similarity(encoder, photos, run.photos[0])[0] < 0


def test_a_user_alone_and_in_company_gets_nearly_the_same_pixels_and_the_same_verdicts() -> None:
    encoder = TinyEncoder(1)
    users = [album(name, 3) for name in ("a", "bb", "ccc")]
    together = ENGINE.run(users, a_kit(encoder), Away(-0.5), START)
    for user, photos, reached in zip(users, together.photos, together.reached, strict=True):
        alone = ENGINE.run([user], a_kit(encoder), Away(-0.5), START)
        assert alone.reached[0] == reached
        for one, other in zip(alone.photos[0], photos, strict=True):
            assert one is not None and other is not None
            # only where a gradient is within rounding of zero may its sign differ
            assert (one != other).mean() < 1e-3


def test_waves_and_batches_do_not_change_the_result() -> None:
    encoder, users = TinyEncoder(1), [album(name, 3) for name in ("a", "bb", "ccc")]
    small = CloakingEngine("cpu", precision="fp32", batch=2, wave=1e-3)  # one user at a time
    one = ENGINE.run(users, a_kit(encoder), Away(-0.5), START)
    other = small.run(users, a_kit(encoder, engine=small), Away(-0.5), START)
    assert one.reached == other.reached
    for a, b in zip(one.photos, other.photos, strict=True):
        for x, y in zip(a, b, strict=True):
            assert x is not None and y is not None
            assert (x != y).mean() < 1e-3


@pytest.mark.parametrize("budget", ["linf:8", "linf:4.9", "linf:1", "linf:0.5"])
@pytest.mark.parametrize("learn", [None, 2])
@pytest.mark.parametrize("start", [False, True])
def test_the_budget_is_kept_in_whole_levels(budget: str, learn: int | None, start: bool) -> None:
    photos = album("u", 4, missing=[1])
    descent = Descent(steps=4, jitter=1.0, smoothing=1.0, jpeg=60, random_start=start)
    kit = a_kit(TinyEncoder(1), budget=budget)
    released = ENGINE.run([photos], kit, Away(-2), descent, learn=learn).photos[0]
    assert released[1] is None
    limit = int(float(budget.removeprefix("linf:")))
    assert max(change(photos, released)) == limit
    for old, new, face in zip(photos.photos, released, photos.faces, strict=True):
        if new is not None:
            region = ENGINE.region(old, face)
            assert region is not None
            assert (new == old)[~region].all()


def test_one_mask_of_a_user_works_on_photos_that_it_was_not_learned_on() -> None:
    encoder = TinyEncoder(1)
    # the same photo under other names: what is learned on some must move the others alike
    (pixels, face), photos = (lambda a: (a.photos[0], a.faces[0]))(album("u", 1)), 5
    user = Album((pixels,) * photos, (face,) * photos, tuple(f"same-{i}" for i in range(photos)))
    run = ENGINE.run([user], a_kit(encoder), Away(-0.5), replace(START, random_start=False), learn=2)
    assert run.gradients <= 2 * 10
    assert similarity(encoder, user, run.photos[0])[4] == pytest.approx(
        similarity(encoder, user, run.photos[0])[0]
    )
    assert max(similarity(encoder, user, run.photos[0])) < -0.5


def test_a_mask_that_starts_at_random_belongs_to_its_user_alone() -> None:
    owners = torch.tensor([0, 1, 0])
    bounds, descent = bounds_of(Budget.parse("linf:8")), Descent(random_start=True)
    masks = first_masks(owners, bounds, descent, 0, ["a", "b", "c"])
    assert masks.abs().max() == 8 and masks.unique().numel() == 17
    assert (masks[0] != masks[1]).float().mean() > 0.9
    others = first_masks(torch.tensor([0, 0, 1, 1]), bounds, descent, 0, ["x", "y", "c", "a"])
    assert torch.equal(others[1], masks[0])
    assert not torch.equal(first_masks(owners, bounds, descent, 1, ["a", "b", "c"])[0], masks[0])
    assert first_masks(owners, bounds, Descent(start=3), 0, ["a", "b", "c"]).abs().max() == 3
    assert not first_masks(owners, bounds, Descent(), 0, ["a", "b", "c"]).any()


def test_bfloat16_keeps_the_budget_and_moves_the_photo() -> None:
    encoder, photos = TinyEncoder(1), album("u", 4)
    engine = CloakingEngine("cpu", precision="bf16")
    run = engine.run([photos], a_kit(encoder, engine=engine), Away(-2), START)
    assert max(change(photos, run.photos[0])) == 8
    assert max(similarity(encoder, photos, run.photos[0])) < -0.5


def test_networks_of_linear_layers_stay_in_float32_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.optim.surrogate.precision_for", lambda asked, device: "bf16")
    found = {card.name: load(card.name, Folders(home="nowhere"), "cpu") for card in synth.cards()}
    weights = {
        asked: {
            name: next(Surrogate(encoder, torch.device("cpu"), asked, 4).network.buffers()).dtype
            for name, encoder in found.items()
        }
        for asked in ("auto", "bf16")
    }
    halves = {name for name, dtype in weights["auto"].items() if dtype == torch.bfloat16}
    assert halves == {"synth-ir", "synth-inc"} and len(found) == 3
    assert set(weights["bf16"].values()) == {torch.bfloat16}  # whoever asks for it gets it


def test_what_auto_became_is_written_down() -> None:
    resolved = CloakingEngine("cpu").resolved()
    assert resolved["precision"] in ("fp32", "bf16")
    assert {"device", "precision_asked", "batch", "wave_megapixels"} <= set(resolved)


def test_without_surrogate_or_budget_it_says_what_to_type() -> None:
    photos = [album("u", 1)]
    with pytest.raises(UserError, match="--surrogate"):
        ENGINE.run(photos, a_kit(), Away(0), START)
    with pytest.raises(UserError, match="linf:8"):
        ENGINE.run(photos, a_kit(TinyEncoder(1), budget="unbounded"), Away(0), START)


def test_simulated_jpeg_is_what_a_jpeg_file_does() -> None:
    import io

    from PIL import Image as Pillow

    photo = album("u", 1).photos[0][:96, :96]
    for quality in (50, 75, 95):
        file = io.BytesIO()
        Pillow.fromarray(photo).save(file, "JPEG", quality=quality)
        real = np.asarray(Pillow.open(file)).astype(float)
        levels = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
        ours = compressed(levels, torch.tensor([quality]))[0].permute(1, 2, 0).numpy()
        # a decoder rounds to whole levels, and spreads colour at its own borders
        assert np.abs(ours - real).mean() < 0.5 * np.abs(photo - real).mean() + 0.3


def test_shaking_keeps_the_middle_of_the_crop_near_the_middle() -> None:
    maps = shakes(0, ["a", "b"], 200, 1.0, 112)
    assert maps is not None
    moved = maps @ np.array([55.5, 55.5, 1.0]) - [55.5, 55.5, 1.0]
    assert abs(moved[..., :2].std() / (0.02 * 112) - 1) < 0.15
    assert shakes(0, ["a"], 3, 0.0, 112) is None
    again = shakes(0, ["b"], 200, 1.0, 112)
    assert again is not None
    assert (again[0] == maps[1]).all()  # drawn for the photo, not for its place


def test_smoothing_keeps_the_sum_and_nothing_smooths_by_zero() -> None:
    gradient = torch.zeros(1, 3, 15, 15)
    gradient[:, :, 7, 7] = 1
    assert smoothed(gradient, 0) is gradient
    spread = smoothed(gradient, 1.0)
    assert float(spread.sum()) == pytest.approx(3, rel=1e-5)
    assert spread[0, 0, 7, 7] == spread.max()
    assert torch.equal(spread, spread.transpose(2, 3))
