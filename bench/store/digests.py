"""Digests of values and arrays, and the versions of libraries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.parameters import plain

_write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Canonical:
    """A value in canonical JSON: what many digests have in common is written once.

    Attributes:
        text: The JSON.
    """

    text: str

    @classmethod
    def of(cls, value: Any) -> Canonical:
        """A plain value (see `bench.parameters.plain`), written."""
        return cls(_write(value if type(value) is str else plain(value)))


def digest(*parts: Any) -> str:
    """Hex sha256 of plain values (see `bench.parameters.plain`), in canonical JSON; some may be written."""
    texts = [part.text if isinstance(part, Canonical) else Canonical.of(part).text for part in parts]
    return hashlib.sha256(f"[{','.join(texts)}]".encode()).hexdigest()


def array_digest(array: npt.NDArray[Any]) -> str:
    """Hex sha256 of an array's shape, type and bytes."""
    head = f"{array.dtype.str}{array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Installed versions by distribution name; `absent` where a package is not installed."""
    return {name: _version(name) for name in packages}


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def combine(digests: Sequence[str]) -> str:
    """One digest of many, in order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
