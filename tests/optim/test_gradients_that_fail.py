"""A surrogate's gradient that is not finite fails the cloak of that photo, and changes no other cloak."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from bench.optim.engine import CloakingEngine
from bench.protocols import Adam, Descent, Encoder, Ground, Kit
from bench.types import Album, Budget, Image

BRIGHT = 0.7
"""A crop with a mean colour above this is one that the network does not stand."""


class Moody(nn.Module):
    """A network that has no gradient, or from the first step on no value, for bright crops.

    Args:
        network: The network.
        odd: What comes instead of a value; None for a gradient that is not finite.
    """

    def __init__(self, network: nn.Module, odd: float | None) -> None:
        super().__init__()
        self.network, self.odd = network, odd
        self.clean: torch.Tensor | None = None

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        if not isinstance(crops, torch.Tensor):
            raise TypeError("torch.fx cannot trace what depends on values")
        out: torch.Tensor = self.network(crops)
        mean = crops.mean((1, 2, 3))
        if self.odd is None:
            # the root of 0 has an infinite slope, and 0 times infinity is no number
            nothing = mean - mean
            return out + 0 * torch.where(mean > BRIGHT, nothing, 1 + nothing).sqrt()[:, None]
        if self.clean is None or len(mean) > len(self.clean):
            self.clean = mean.detach()
        moved = (mean[:, None] - self.clean).abs().amin(1) > 1e-6
        return torch.where(((mean > BRIGHT) & moved)[:, None], self.odd, out)


@dataclass(frozen=True)
class Together:
    """Every photo away from the mean of all photos as they are now: one that is no number reaches all."""

    def __call__(self, ground: Ground) -> _Together:
        return _Together(ground)


@dataclass(frozen=True)
class _Together:
    ground: Ground

    def __call__(
        self, embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        middle = nn.functional.normalize(current.mean(0), dim=0)
        similarity = embeddings @ middle + (embeddings * self.ground.clean[photos]).sum(1)
        return similarity, similarity < -9


def brightened(own: Album, which: Sequence[int]) -> Album:
    """The album with some photos too bright for the network."""
    photos = [
        np.clip(photo.astype(int) + 130, 0, 250).astype(np.uint8) if i in which else photo
        for i, photo in enumerate(own.photos)
    ]
    return replace(own, photos=tuple(photos))


def changed(own: Album, released: Sequence[Image | None]) -> list[bool]:
    return [
        new is not None and bool((new != old).any()) for old, new in zip(own.photos, released, strict=True)
    ]


class MoodyEncoder:
    """An encoder with such a network as its twin.

    Args:
        encoder: The encoder that it otherwise is.
        odd: See `Moody`.
    """

    def __init__(self, encoder: Encoder, odd: float | None) -> None:
        self.card, self.runtime, self.embed = encoder.card, encoder.runtime, encoder.embed
        self._network = Moody(encoder.twin(), odd)

    def twin(self) -> nn.Module:
        return self._network


@pytest.fixture
def moody(encoder: Encoder, reference: Album) -> Callable[[float | None], Kit]:
    """Makes kits with such an encoder."""
    engine = CloakingEngine("cpu", precision="fp32", batch=4)
    return lambda odd: Kit(Budget.parse("linf:8"), 0, (MoodyEncoder(encoder, odd),), reference, engine, "cpu")


@pytest.mark.parametrize(
    ("odd", "which", "descent"),
    [
        (None, (0,), Descent(steps=2)),
        (None, (1, 3), Descent(steps=2, update=Adam(rate=1.0))),
        (math.nan, (2,), Descent(steps=3, jitter=0.3, smoothing=1.0, copies=2)),
        (math.inf, (0, 4), Descent(steps=3)),
    ],
)
def test_the_photo_fails_with_its_reason_and_the_others_are_cloaked(
    odd: float | None,
    which: tuple[int, ...],
    descent: Descent,
    moody: Callable[[float | None], Kit],
    draw: Callable[..., Album],
    caplog: pytest.LogCaptureFixture,
) -> None:
    own = brightened(draw(3, 5), which)
    kit = moody(odd)
    (released,) = kit.engine.cloak([own], kit, Together(), descent)
    assert [photo is None for photo in released] == [i in which for i in range(5)]
    assert changed(own, released) == [i not in which for i in range(5)]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"photo 3-{i} has no cloak: what surrogate 'synth-ir' gives on the way is not finite" for i in which
    ]


@pytest.mark.parametrize(("which", "fails"), [((0, 1, 2, 3), True), ((1,), False)])
def test_a_users_mask_is_learned_on_the_photos_that_have_a_gradient(
    which: tuple[int, ...], fails: bool, moody: Callable[[float | None], Kit], draw: Callable[..., Album]
) -> None:
    own, other = brightened(draw(3, 4), which), draw(8, 3)
    kit = moody(None)
    first, second = kit.engine.cloak_universal([own, other], kit, Together(), Descent(steps=2), learn=2)
    assert [photo is None for photo in first] == [fails] * 4
    assert changed(other, second) == [True] * 3
