"""Random numbers that belong to a photo: the same whatever else is in the batch."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch

from bench.optim.sampling import bilinear

_GOLDEN = 0x9E3779B97F4A7C15
_FACTORS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_SHIFTS = (30, 27, 31)
"""The constants of SplitMix64 (Steele, Lea and Flood 2014); each number below is one of its outputs."""


def generator(seed: int, digest: str, purpose: str) -> np.random.Generator:
    """A generator of its own for one photo and one purpose.

    Args:
        seed: The seed of the run.
        digest: The content digest of the photo.
        purpose: What the numbers are for; it keeps draws for different ends apart.
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(list(_key(seed, digest, purpose)))))


def photo_keys(seed: int, digests: Sequence[str]) -> torch.Tensor:
    """The key of each photo for `uniforms`: int64 [photo], on the host."""
    keys = [_key(seed, digest, "parts")[:8] for digest in digests]
    return torch.tensor([int.from_bytes(key, "big", signed=True) for key in keys], dtype=torch.int64)


def _key(seed: int, digest: str, purpose: str) -> bytes:
    return hashlib.sha256(f"{seed}\0{digest}\0{purpose}".encode()).digest()


def uniforms(keys: torch.Tensor, place: Sequence[int], shape: Sequence[int]) -> torch.Tensor:
    """Numbers in [0, 1) that depend on a photo's key and on what they are drawn for, and on nothing else.

    Each is a hash of its position, so whole batches are drawn at once, with the same bits on every device.

    Args:
        keys: int64 [n] of `photo_keys`, on the device.
        place: Whole numbers that tell the draw from all others of the photo.
        shape: Of what is drawn for each photo.

    Returns:
        float32 [n, *shape], multiples of 2^-24.
    """
    bits = _bits(keys, place, math.prod(shape))
    return (bits.bitwise_right_shift_(40).bitwise_and_(2**24 - 1).float() / 2**24).view(len(keys), *shape)


def chances(keys: torch.Tensor, place: Sequence[int], shape: Sequence[int], share: float) -> torch.Tensor:
    """Whether something happens, drawn like `uniforms`: bool [n, *shape].

    Four draws take one hash, and a share is counted in parts of 2^16.

    Args:
        keys: int64 [n] of `photo_keys`, on the device.
        place: Whole numbers that tell the draw from all others of the photo.
        shape: Of what is drawn for each photo.
        share: How often it happens, from 0 to below 1.
    """
    count = math.prod(shape)
    words = _bits(keys, place, -(-count // 4)).view(torch.int16)
    return (words[:, :count] < min(round(share * 2**16), 2**16 - 1) - 2**15).view(len(keys), *shape)


def _bits(keys: torch.Tensor, place: Sequence[int], count: int) -> torch.Tensor:
    """64 bits for each photo and number: int64 [n, count]."""
    salt = hashlib.sha256(",".join(map(str, place)).encode()).digest()[:8]
    start = _scrambled(keys ^ int.from_bytes(salt, "big", signed=True))
    index = torch.arange(1, count + 1, device=keys.device) * _signed(_GOLDEN)
    return _scrambled(start[:, None] + index)


def _scrambled(x: torch.Tensor) -> torch.Tensor:
    for shift, factor in zip(_SHIFTS, (*_FACTORS, 1), strict=True):
        # int64 shifts copy the sign; the mask makes them those of unsigned numbers
        x = (x ^ ((x >> shift) & (2 ** (64 - shift) - 1))) * _signed(factor)
    return x


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


class PhotoMoment:
    """See `bench.descent.Moment`.

    Args:
        keys: int64 [n] of `photo_keys`, on the device.
        step: The step's number.
        copy: The gradient's number within its step.
        part: A number that tells the part from all others of the descent.
        landmarks: float [n, 5, 2] in pixels of what is varied.
        others: Gives the aligned faces of the reference people, [person, 3, size, size]; None where a part
            may not see them.
    """

    def __init__(
        self,
        keys: torch.Tensor,
        step: int,
        copy: int,
        part: int,
        landmarks: torch.Tensor,
        others: Callable[[], torch.Tensor] | None = None,
    ) -> None:
        self.step, self.copy, self.landmarks = step, copy, landmarks
        self._keys, self._part, self._others = keys, part, others
        self._draws = 0

    def uniform(self, *shape: int) -> torch.Tensor:
        """See `Moment`."""
        self._draws += 1
        return uniforms(self._keys, (self.step, self.copy, self._part, self._draws), shape)

    def normal(self, *shape: int) -> torch.Tensor:
        """See `Moment`."""
        centred = self.uniform(*shape).double() + 2.0**-25  # in the middle of its interval: never 0 or 1
        normal: torch.Tensor = torch.special.ndtri(centred)
        return normal.float()

    def strangers(self) -> torch.Tensor:
        """See `Moment`."""
        if self._others is None:
            raise ValueError("reference people are seen in Variation.view only")
        faces = self._others()
        return faces[(self.uniform() * len(faces)).long()]

    def sample(self, pixels: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """See `Moment`."""
        size = points.new_tensor([pixels.shape[3], pixels.shape[2]])
        return bilinear(pixels, (2 * points + 1) / size - 1)
