"""Digests of values and arrays, and the versions of libraries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.parameters import plain


def digest(*parts: Any) -> str:
    """Hex sha256 of plain values (see `bench.parameters.plain`), in canonical JSON."""
    text = json.dumps(plain(list(parts)), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


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
