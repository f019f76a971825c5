"""Random numbers that belong to a photo. Private to this folder."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, digest: str, purpose: str) -> np.random.Generator:
    """A generator of its own for one photo: the same whoever else is cloaked, in whatever order."""
    key = hashlib.sha256(f"{seed}\0{digest}\0{purpose}".encode()).digest()
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(list(key))))
