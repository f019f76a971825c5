"""A photo in a mirror: one of the several views that an attacker may average."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.types import Image


@dataclass(frozen=True)
class Mirror:
    """The photo with left and right exchanged."""

    purifier: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ()

    def __call__(self, photo: Image) -> Image:
        """Exchange left and right."""
        return np.ascontiguousarray(photo[:, ::-1])

    def __str__(self) -> str:
        return "mirror"
