"""Random numbers that belong to a photo: the same whatever else is in the batch."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, digest: str, purpose: str) -> np.random.Generator:
    """A generator of its own for one photo and one purpose.

    Args:
        seed: of the run.
        digest: content digest of the photo.
        purpose: keeps draws for different ends apart.
    """
    key = hashlib.sha256(f"{seed}\0{digest}\0{purpose}".encode()).digest()
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(list(key))))
