"""The search for neighbours: pairs within a distance and nearest photos, exact or through inverted lists.

Exact search compares all pairs, a tile at a time. On a processor that multiplies bfloat16, a first comparison
in bfloat16 rules pairs out, by a margin that no rounding can exceed. The remaining pairs are measured in
float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.types import Ints

from .._embeddings.rows import Floats32
from .searching import Searching

Numbers = npt.NDArray[np.int32]

TILE = 1024
"""The photos on a side of a tile: cosines and both sides of a tile fit into a second-level cache or two."""
PAIRS_AT_MOST = 100_000_000
"""The number of pairs that are kept, 1.2 GB. More pairs mean that nearly all photos are near each other."""
_LISTS_PER_ROOT = 2  # inverted lists for n photos: 2 sqrt(n); more are read faster, but take longer to choose
_FAISS_PER_ROOT = 4  # where faiss reads the lists, photo by photo and slower: as many as faiss advises
_PHOTOS_PER_LIST = 16  # the size of the sample of photos that a list's centre is learned from
_ROUNDS = 4  # rounds of k-means; more rounds moved no pair that mattered
_ROUNDING = 2.0**-6 * 0.4
"""The bound on the error of a product of two unit vectors in bfloat16. Each number is off by at most 2^-9 of
itself, on either side, and so is the result; Cauchy and Schwarz bound the sum by 3 * 2^-9 = .0059."""


def near_pairs(rows: Floats32, floor: float, search: Searching) -> tuple[Numbers, Numbers, Floats32]:
    """The pairs of unit rows whose cosine is `floor` or more; each pair once, sorted.

    Returns:
        The lower number [pair], the higher number [pair], the cosine [pair].

    Raises:
        ValueError: for more than `PAIRS_AT_MOST` pairs.
    """
    photos = rows.shape[0]
    exact = photos <= search.exact_up_to
    tiles = list(_kept(_all_tiles(rows, floor) if exact else _list_tiles(rows, floor, search), floor))
    if not tiles:
        none = np.empty(0, np.int32)
        return none, none, np.empty(0, np.float32)
    left, right, alike = (np.concatenate(part) for part in zip(*tiles, strict=True))
    # The exact search finds a pair once. Lists find it from either side, and perhaps twice.
    key = left.astype(np.int64) * photos + right
    order = np.argsort(key, kind="stable") if exact else np.unique(key, return_index=True)[1]
    return left[order], right[order], alike[order]


def nearest(rows: Floats32, count: int, search: Searching) -> tuple[Numbers, Floats32]:
    """The nearest other rows of each unit row, nearest first; of equally near rows the lower number first.

    Args:
        rows: [photo, dimension], unit vectors.
        count: The number of neighbours of each photo.
        search: How neighbours are looked for.

    Returns:
        Numbers [photo, k] and cosines [photo, k], k = min(count, photos - 1). Lists may find fewer than k
        neighbours: the rest is -1 with cosine -1.
    """
    photos = rows.shape[0]
    k = min(count, photos - 1)
    if k < 1:
        return np.empty((photos, 0), np.int32), np.empty((photos, 0), np.float32)
    index = row_index(rows, search, lists=photos > search.exact_up_to)
    neighbours = index.search(rows, k + 1)[1]
    owner = np.repeat(np.arange(photos), k + 1)
    # The cosines are measured again, as everywhere else, so that equally near photos have equal cosines.
    measured = cosines(rows, owner, np.maximum(neighbours, 0).ravel()).reshape(neighbours.shape)
    alike = np.where(neighbours >= 0, measured, -1)
    # Twins may come before a photo itself, or push it off the list: the photo goes last and is cut off.
    alike[neighbours == owner.reshape(neighbours.shape)] = -2
    order = np.lexsort((neighbours, -alike), axis=1)[:, :k]
    neighbours, alike = np.take_along_axis(neighbours, order, 1), np.take_along_axis(alike, order, 1)
    return np.where(alike > -2, neighbours, -1).astype(np.int32), np.maximum(alike, -1).astype(np.float32)


def row_index(rows: Floats32, search: Searching, *, lists: bool) -> Any:
    """A faiss index that gives the nearest of some unit rows, by cosine.

    Args:
        rows: [row, dimension], unit vectors; at least one.
        search: How many inverted lists are read for a query, and the seed of their centres.
        lists: Whether rows are kept in inverted lists, so that a query reads a part of them only.
    """
    import faiss  # imported late: it brings an OpenMP of its own

    dimensions = rows.shape[1]
    index: Any = faiss.IndexFlatIP(dimensions)
    if lists:
        centres = _centres(rows, search, _FAISS_PER_ROOT)
        quantizer = faiss.IndexFlatIP(dimensions)
        index = faiss.IndexIVFFlat(quantizer, dimensions, len(centres), faiss.METRIC_INNER_PRODUCT)
        quantizer.add(centres)
        index.is_trained = True
        index.nprobe = min(search.probes, len(centres))
    index.add(rows)
    return index


def cosines(rows: Floats32, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Floats32:
    """The cosine of each pair of unit rows; its bits do not depend on the other pairs of the call."""
    out = np.empty(left.size, np.float32)
    step = max(1, 2**22 // rows.shape[1])
    for start in range(0, left.size, step):
        part = slice(start, start + step)
        np.einsum("ij,ij->i", rows[left[part]], rows[right[part]], out=out[part])
    return out


Tile = tuple[Numbers, Numbers, Floats32]


def _kept(tiles: Iterator[Tile], floor: float) -> Iterator[Tile]:
    """Drop the candidates below the floor; stop before memory is full."""
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
    """The candidates among all pairs, over the upper triangle."""
    screen = _Screen(rows, floor)
    for top in range(0, rows.shape[0], TILE):
        for side in range(top, rows.shape[0], TILE):
            i, j, alike = screen.candidates(slice(top, top + TILE), slice(side, side + TILE))
            later = j + side > i + top
            left, right = (i[later] + top).astype(np.int32), (j[later] + side).astype(np.int32)
            yield left, right, cosines(rows, left, right) if alike is None else alike[later]


def _list_tiles(rows: Floats32, floor: float, search: Searching) -> Iterator[Tile]:
    """The candidates between a list's photos and the photos that have it among their nearest lists."""
    import faiss  # imported late: it brings an OpenMP of its own

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
            part = guests[start : start + 4 * TILE]
            i, j, alike = screen.candidates(part, inside)
            left, right = part[i].astype(np.int32), inside[j].astype(np.int32)
            # A photo of this list meets the other photos of the list from both sides: one side is enough.
            once = (left < right) | ((left > right) & (probed[left, 0] != probed[right, 0]))
            left, right = left[once], right[once]
            alike = cosines(rows, left, right) if alike is None else alike[once]
            low, high = np.minimum(left, right), np.maximum(left, right)
            yield low.astype(np.int32), high.astype(np.int32), alike


def _grouped(group: npt.NDArray[Any], groups: int) -> tuple[Ints, Ints]:
    """The numbers sorted by group, and the positions to split them at."""
    order = np.argsort(group, kind="stable")
    return order, np.cumsum(np.bincount(group, minlength=groups))[:-1]


def _centres(rows: Floats32, search: Searching, per_root: int) -> Floats32:
    """The directions that the inverted lists are around: spherical k-means of a sample."""
    import faiss  # imported late: it brings an OpenMP of its own

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
    """Rules out pairs that are not near, fast, and never a pair that is near."""

    def __init__(self, rows: Floats32, floor: float) -> None:
        """Prepare bfloat16 rows if the floor less its margin is above zero: then bits sort as numbers do."""
        self.rows, self.floor = rows, floor
        self._halves: Any = None
        if len(rows) > 2 * TILE and floor - _ROUNDING > 0 and _multiplies_bfloat16():
            import torch  # imported late: listing attackers needs no torch

            self._halves = torch.from_numpy(rows).bfloat16()
            least = torch.tensor(floor - _ROUNDING, dtype=torch.bfloat16)
            self._least = int(least.view(torch.int16)) - 1  # one step down, in case it was rounded up

    def candidates(self, left: Any, right: Any) -> tuple[Ints, Ints, Floats32 | None]:
        """The pairs of two groups of rows that may be near.

        Args:
            left: The numbers of some rows, or a slice.
            right: The numbers of some rows, or a slice.

        Returns:
            The positions of the pairs in `left` and in `right`, and their cosines if they were computed.
        """
        if self._halves is not None:
            import torch  # imported late: listing attackers needs no torch

            rows, others = self._taken(left, 256), self._taken(right, 32)
            product = torch.mm(rows, others.T).view(torch.int16).numpy()
            bits = product[: _count(left, len(rows)), : _count(right, len(others))]
            i, j = np.divmod(np.flatnonzero(bits >= self._least), bits.shape[1])
            if i.size * 16 <= bits.size:
                return i, j, None
        alike = self.rows[left] @ self.rows[right].T
        # Last bits differ from one shape of product to another: pairs near the floor are measured again.
        i, j = np.divmod(np.flatnonzero(alike >= self.floor - 1e-5), alike.shape[1])
        return i, j, (alike[i, j] if i.size * 16 > alike.size else None)

    def _taken(self, numbers: Any, step: int) -> Any:
        """Rows in bfloat16; rows that are picked by number are filled up to a multiple of `step`.

        A product of a new shape is compiled first, which takes longer than the product.
        """
        import torch  # imported late: listing attackers needs no torch

        if isinstance(numbers, slice):
            return self._halves[numbers]
        filled = np.zeros(-(-numbers.size // step) * step, np.int64)
        filled[: numbers.size] = numbers
        # Indexing by an array would take ten times as long.
        return torch.index_select(self._halves, 0, torch.from_numpy(filled))


def _count(numbers: Any, taken: int) -> int:
    """How many of the taken rows are not filling."""
    return taken if isinstance(numbers, slice) else int(numbers.size)


@cache
def _multiplies_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 in hardware; otherwise bfloat16 is slower than float32."""
    import torch  # imported late: listing attackers needs no torch

    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
