"""What released photos cost to look at: measured once for each pair of contents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.machine.progress import Progress
from bench.metrics import perceptual
from bench.metrics.lpips import Lpips
from bench.photos.collection import Photos
from bench.photos.decode import decode
from bench.photos.read_ahead import chunks, readable
from bench.release.release import Release
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.types import Face, Image

_AT_ONCE = 64
"""The most photos measured at a time; of large ones fewer (`bench.photos.read_ahead`)."""

Costs = list[dict[str, Any] | None]
"""Measures of each photo, over the whole photo and over the face; None where the original cannot be read."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A photo and what was published of it.

    Attributes:
        key: Where its cost is kept.
        original: The pixels of the photo.
        released: The file that was published, or its pixels.
        face: The face in the photo, or None.
    """

    key: str
    original: Image
    released: bytes | Image
    face: Face | None


class CostMeter:
    """Measures the perceptual cost of released photos."""

    def __init__(self, cache: Cache, progress: Progress, lpips: Lpips | None = None) -> None:
        """Store.

        Args:
            cache: Has what was measured before.
            progress: Told of every part.
            lpips: Measures LPIPS too; None where there are no weights for it.
        """
        self._cache, self._progress, self._lpips = cache, progress, lpips

    def costs(self, originals: Photos, release: Release, faces: Sequence[Face | None]) -> Costs:
        """The cost of each released photo; None where the original could not be read.

        Args:
            originals: The clean photos.
            release: What was published.
            faces: The faces in the clean photos.
        """
        keys = self._keys(originals.digests, release.digests, faces)
        rows = self._cache.rows("perceptual", keys)
        missing = [i for i, key in enumerate(keys) if key not in rows and release.files[i]]
        with self._progress.stage("measure what changed in photos", len(missing)) as advance:
            for part in chunks(originals.read, missing, _AT_ONCE):
                rows |= self._measure(
                    [_Pair(keys[i], readable(before), release.files[i], faces[i]) for i, before in part]
                )
                advance(len(part))
                del part
        return [json.loads(rows[key]) if key in rows else None for key in keys]

    def measure(
        self,
        originals: Sequence[str],
        released: Sequence[str],
        before: Sequence[Image | None],
        after: Sequence[Image | None],
        faces: Sequence[Face | None],
    ) -> None:
        """Measure photos whose pixels are in memory, so that nobody decodes them again for it.

        Args:
            originals: The digest of each original's content.
            released: The digest of each released photo's pixels.
            before: The originals' pixels; None where an original cannot be read.
            after: The released pixels, likewise.
            faces: The faces in the originals.
        """
        keys = self._keys(originals, released, faces)
        rows = self._cache.rows("perceptual", keys)
        self._measure(
            [
                _Pair(key, original, photo, face)
                for key, original, photo, face in zip(keys, before, after, faces, strict=True)
                if key not in rows and original is not None and photo is not None
            ]
        )

    def _measure(self, pairs: Sequence[_Pair]) -> dict[str, bytes]:
        """Measure several pairs at once; each worker decodes a released file when its turn comes."""
        from bench.machine.workers import each  # loads torch

        def cost(pair: _Pair) -> perceptual.PerceptualCost:
            return perceptual.perceptual_cost(pair.original, decode(pair.released), pair.face, self._lpips)

        costs = each(cost, pairs)
        rows = {pair.key: json.dumps(asdict(cost)).encode() for pair, cost in zip(pairs, costs, strict=True)}
        self._cache.put_rows("perceptual", rows)
        return rows

    def _keys(
        self, originals: Sequence[str], released: Sequence[str], faces: Sequence[Face | None]
    ) -> list[str]:
        code = [stage_code(perceptual.__name__), *([self._lpips.sha256] if self._lpips else [])]
        return [
            digest("perceptual", code, before, after, face)
            for before, after, face in zip(originals, released, faces, strict=True)
        ]
