"""What released photos cost to look at: measured once for each pair of contents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bench.machine.progress import Progress
from bench.metrics import perceptual
from bench.metrics.lpips import Lpips
from bench.photos.collection import Photos
from bench.photos.decode import decode
from bench.release.release import Release
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.types import Face, Image

_AT_ONCE = 64
"""Photos measured at a time."""

Costs = list[dict[str, Any] | None]
"""Measures of each photo, over the whole photo and over the face; None where the original cannot be read."""


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
        with self._progress.stage("measure", len(missing)) as advance:
            for start in range(0, len(missing), _AT_ONCE):
                part = missing[start : start + _AT_ONCE]
                before = [decode(content) for content in originals.read(part)]
                after = [decode(release.files[i]) for i in part]
                rows |= self._measure([keys[i] for i in part], before, after, [faces[i] for i in part])
                advance(len(part))
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
        missing = [i for i, key in enumerate(keys) if key not in rows and before[i] is not None]
        for start in range(0, len(missing), _AT_ONCE):
            part = missing[start : start + _AT_ONCE]
            pairs = [(a, b) for i in part if (a := before[i]) is not None and (b := after[i]) is not None]
            self._measure(
                [keys[i] for i in part],
                [a for a, _ in pairs],
                [b for _, b in pairs],
                [faces[i] for i in part],
            )

    def _measure(
        self,
        keys: Sequence[str],
        before: Sequence[Image],
        after: Sequence[Image],
        faces: Sequence[Face | None],
    ) -> dict[str, bytes]:
        measured = perceptual.perceptual_costs(before, after, faces, self._lpips)
        rows = {key: json.dumps(asdict(cost)).encode() for key, cost in zip(keys, measured, strict=True)}
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
