"""Who is near whom: pairs within a distance and nearest neighbours, exact or through inverted lists.

Exact search compares all pairs, a tile at a time, first in bfloat16 where the processor multiplies those.
That only rules pairs out, by a margin that no rounding can exceed; what is left is measured in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.errors import UserError
from bench.types import Ints

from .._embeddings.rows import Floats32

Numbers = npt.NDArray[np.int32]

TILE = 1024
"""Photos on a side of a tile: similarities and both sides of a tile fit into a second-level cache or two."""
PAIRS_AT_MOST = 100_000_000
"""Pairs that are kept: 1.2 GB. More means that nearly everybody is near everybody."""
_LISTS_PER_ROOT = 2  # inverted lists for n photos: 2 sqrt(n); more are read faster, but take longer to choose
_FAISS_PER_ROOT = 4  # where faiss reads them, photo by photo and slower: what it advises
_PHOTOS_PER_LIST = 16  # photos of the sample from which a list's centroid is learned
_ROUNDS = 4  # of k-means; more moved no pair that mattered
_ROUNDING = 2.0**-6 * 0.4
"""Bound on the error of a product of two unit vectors in bfloat16: each number is off by 2^-9 of itself at
most, on either side, and so is the result; Cauchy and Schwarz bound the sum by 3 * 2^-9 = .0059."""


@dataclass(frozen=True, slots=True)
class Search:
    """How neighbours are looked for.

    Attributes:
        exact_up_to: photos up to which all pairs are compared; beyond, inverted lists.
        probes: inverted lists nearest to a photo in which its neighbours are looked for.
        seed: of the sample that the lists are learned from.
    """

    exact_up_to: int = 30_000
    probes: int = 24
    seed: int = 0

    def check(self, attacker: str) -> None:
        """See that the parameters make sense.

        Raises:
            UserError: unless they do.
        """
        if self.exact_up_to < 0 or self.probes < 1 or self.seed < 0:
            raise UserError(
                f"{attacker}: exact_up_to {self.exact_up_to} and seed {self.seed} must be at least 0, probes "
                f"{self.probes} at least 1. Leave them out for the defaults."
            )


EXACT = Search(exact_up_to=2**31)


def near_pairs(rows: Floats32, floor: float, search: Search) -> tuple[Numbers, Numbers, Floats32]:
    """Pairs of unit rows whose cosine is `floor` or more; each once, the lower number first, sorted.

    Returns:
        lower number [pair], higher number [pair], cosine [pair].

    Raises:
        ValueError: for more than `PAIRS_AT_MOST` pairs.
    """
    photos = rows.shape[0]
    exact = photos <= search.exact_up_to
    found = list(_kept(_all_tiles(rows, floor) if exact else _list_tiles(rows, floor, search), floor))
    if not found:
        nobody = np.empty(0, np.int32)
        return nobody, nobody, np.empty(0, np.float32)
    left, right, alike = (np.concatenate(part) for part in zip(*found, strict=True))
    # A pair is found once among all, but from either side, and perhaps twice, in lists.
    key = left.astype(np.int64) * photos + right
    order = np.argsort(key, kind="stable") if exact else np.unique(key, return_index=True)[1]
    return left[order], right[order], alike[order]


def nearest(rows: Floats32, count: int, search: Search) -> tuple[Numbers, Floats32]:
    """The nearest other rows of each unit row, nearest first; of equally near ones the lower number first.

    Returns:
        numbers [photo, k] and cosines [photo, k], k = min(count, photos - 1). Lists may find fewer: the rest
        is -1 with cosine -1.
    """
    import faiss  # only here: it brings an OpenMP of its own

    photos, dimensions = rows.shape
    k = min(count, photos - 1)
    if k < 1:
        return np.empty((photos, 0), np.int32), np.empty((photos, 0), np.float32)
    index: Any = faiss.IndexFlatIP(dimensions)
    if photos > search.exact_up_to:
        centres = _centres(rows, search, _FAISS_PER_ROOT)
        quantizer = faiss.IndexFlatIP(dimensions)
        index = faiss.IndexIVFFlat(quantizer, dimensions, len(centres), faiss.METRIC_INNER_PRODUCT)
        quantizer.add(centres)
        index.is_trained = True
        index.nprobe = min(search.probes, len(centres))
    index.add(rows)
    who = index.search(rows, k + 1)[1]
    mine = np.repeat(np.arange(photos), k + 1)
    # Measured again as everywhere else, so that equally near ones are equally near.
    alike = np.where(who >= 0, cosines(rows, mine, np.maximum(who, 0).ravel()).reshape(who.shape), -1)
    # Twins may come before a photo itself, or leave it out: it goes last and is cut off.
    alike[who == mine.reshape(who.shape)] = -2
    order = np.lexsort((who, -alike), axis=1)[:, :k]
    who, alike = np.take_along_axis(who, order, 1), np.take_along_axis(alike, order, 1)
    return np.where(alike > -2, who, -1).astype(np.int32), np.maximum(alike, -1).astype(np.float32)


def cosines(rows: Floats32, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Floats32:
    """Cosine of each pair of unit rows, whatever pairs are asked for beside it."""
    out = np.empty(left.size, np.float32)
    step = max(1, 2**22 // rows.shape[1])
    for start in range(0, left.size, step):
        part = slice(start, start + step)
        np.einsum("ij,ij->i", rows[left[part]], rows[right[part]], out=out[part])
    return out


Tile = tuple[Numbers, Numbers, Floats32]


def _kept(tiles: Iterator[Tile], floor: float) -> Iterator[Tile]:
    """Drop what is below the floor after all; stop before memory does."""
    pairs = 0
    for left, right, alike in tiles:
        near = alike >= floor
        pairs += int(near.sum())
        if pairs > PAIRS_AT_MOST:
            raise ValueError(
                f"more than {PAIRS_AT_MOST:,} pairs of photos are within cosine distance {1 - floor:.4g}: "
                "the photos are too much alike, or the distance is too wide"
            )
        yield left[near], right[near], alike[near]


def _all_tiles(rows: Floats32, floor: float) -> Iterator[Tile]:
    """Candidates of all pairs, over the upper triangle."""
    screen = _Screen(rows, floor)
    for top in range(0, rows.shape[0], TILE):
        for side in range(top, rows.shape[0], TILE):
            here, there = slice(top, top + TILE), slice(side, side + TILE)
            i, j, alike = screen.candidates(here, there)
            later = j + side > i + top
            left, right = (i[later] + top).astype(np.int32), (j[later] + side).astype(np.int32)
            yield left, right, cosines(rows, left, right) if alike is None else alike[later]


def _list_tiles(rows: Floats32, floor: float, search: Search) -> Iterator[Tile]:
    """Candidates between each list's photos and the photos that it is one of the nearest lists of."""
    import faiss  # only here: it brings an OpenMP of its own

    centres = _centres(rows, search, _LISTS_PER_ROOT)
    index = faiss.IndexFlatIP(rows.shape[1])
    index.add(centres)
    probed = index.search(rows, min(search.probes, len(centres)))[1].astype(np.int32)
    members = np.split(*_grouped(probed[:, 0], len(centres)))
    order, ends = _grouped(probed.ravel(), len(centres))
    visitors = np.split((order // probed.shape[1]).astype(np.int32), ends)
    screen = _Screen(rows, floor)
    for inside, guests in zip(members, visitors, strict=True):
        for start in range(0, guests.size, 4 * TILE):
            some = guests[start : start + 4 * TILE]
            i, j, alike = screen.candidates(some, inside)
            left, right = some[i].astype(np.int32), inside[j].astype(np.int32)
            # A photo at home in this list meets the others of the list from both sides: once will do.
            once = (left < right) | ((left > right) & (probed[left, 0] != probed[right, 0]))
            left, right = left[once], right[once]
            alike = cosines(rows, left, right) if alike is None else alike[once]
            low, high = np.minimum(left, right), np.maximum(left, right)
            yield low.astype(np.int32), high.astype(np.int32), alike


def _grouped(group: npt.NDArray[Any], groups: int) -> tuple[Ints, Ints]:
    """Numbers sorted by group, and where to split them."""
    order = np.argsort(group, kind="stable")
    return order, np.cumsum(np.bincount(group, minlength=groups))[:-1]


def _centres(rows: Floats32, search: Search, per_root: int) -> Floats32:
    """Directions that the inverted lists are around: spherical k-means of a sample."""
    import faiss  # only here: it brings an OpenMP of its own

    photos, dimensions = rows.shape
    lists = min(photos, int(per_root * photos**0.5))
    means = faiss.Kmeans(
        dimensions,
        lists,
        niter=_ROUNDS,
        spherical=True,
        seed=search.seed % 2**31,
        min_points_per_centroid=1,
        max_points_per_centroid=_PHOTOS_PER_LIST,
    )
    means.train(rows)
    return np.asarray(means.centroids, np.float32)


class _Screen:
    """Rules out pairs that are not near, as fast as the processor can without ever ruling out one that is."""

    def __init__(self, rows: Floats32, floor: float) -> None:
        """Prepare; bfloat16 serves while the floor less its margin is above zero: bits sort as numbers."""
        self.rows, self.floor = rows, floor
        self._halves: Any = None
        if len(rows) > 2 * TILE and floor - _ROUNDING > 0 and _multiplies_bfloat16():
            import torch  # only here: listing attackers needs no torch

            self._halves = torch.from_numpy(rows).bfloat16()
            least = torch.tensor(floor - _ROUNDING, dtype=torch.bfloat16)
            self._least = int(least.view(torch.int16)) - 1  # rounded up, perhaps: one step down

    def candidates(self, here: Any, there: Any) -> tuple[Ints, Ints, Floats32 | None]:
        """Positions in `here` and `there` of pairs that may be near; their cosines where those came along."""
        if self._halves is not None:
            import torch  # only here: listing attackers needs no torch

            some, others = self._taken(here, 256), self._taken(there, 32)
            product = torch.mm(some, others.T).view(torch.int16).numpy()
            bits = product[: _count(here, len(some)), : _count(there, len(others))]
            i, j = np.divmod(np.flatnonzero(bits >= self._least), bits.shape[1])
            if i.size * 16 <= bits.size:
                return i, j, None
        alike = self.rows[here] @ self.rows[there].T
        # The same few last bits may fall either way: near the floor, measure again.
        i, j = np.divmod(np.flatnonzero(alike >= self.floor - 1e-5), alike.shape[1])
        return i, j, (alike[i, j] if i.size * 16 > alike.size else None)

    def _taken(self, which: Any, step: int) -> Any:
        """Rows in bfloat16; those picked by number are filled up to a multiple of `step`.

        A product of a shape that did not occur before is compiled first, which takes longer than the product.
        """
        import torch  # only here: listing attackers needs no torch

        if isinstance(which, slice):
            return self._halves[which]
        filled = np.zeros(-(-which.size // step) * step, np.int64)
        filled[: which.size] = which
        # Indexing by an array would take ten times as long.
        return torch.index_select(self._halves, 0, torch.from_numpy(filled))


def _count(which: Any, taken: int) -> int:
    """How many of the rows taken were asked for."""
    return taken if isinstance(which, slice) else int(which.size)


@cache
def _multiplies_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; without, that is slower than float32."""
    import torch  # only here: listing attackers needs no torch

    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
