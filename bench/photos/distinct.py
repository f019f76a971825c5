"""A data set in which a photo and its copies count once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.machine.progress import Progress
from bench.photos import copies
from bench.photos.looks import Look, kept, looks
from bench.photos.raw import REASON
from bench.photos.steady import Steady
from bench.protocols import Dataset
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.types import Catalogue, DatasetCard, Folders, Image


def opened(plugin: Any, folders: Folders, progress: Progress) -> Dataset:
    """Open a data set for a run: each photo has one content, and copies count once where nobody sorted it.

    Args:
        plugin: The data set's plug-in.
        folders: Where data sets and the cache lie.
        progress: Told of photos that are looked at.

    Raises:
        UserError: The data set is not here, or a photo cannot be read.
    """
    data = Steady(plugin.open(folders))
    if not data.card.unsorted:
        return data
    cache = Cache(Path(folders.home))
    try:
        distinct = Distinct(data, cache, progress)
        distinct.catalogue()
        return distinct
    finally:
        cache.close()


def unused(plugin: Any, folders: Folders, progress: Progress) -> dict[str, str]:
    """Name of a file or folder of a data set -> why it is not used. All photos are read once.

    Args:
        plugin: The data set's plug-in.
        folders: Where data sets and the cache lie.
        progress: Told of photos that are looked at.
    """
    data = opened(plugin, folders, progress)
    catalogue = data.catalogue()
    out = dict(catalogue.left_out)
    if isinstance(data.read(catalogue.photos[:1])[0], bytes):  # pixels that are drawn can always be read
        cache = Cache(Path(folders.home))
        try:
            seen = looks(data, catalogue.photos, cache, progress)
        finally:
            cache.close()
        out |= {photo: f"unreadable: {of.unreadable}" for photo, of in seen.items() if of.unreadable}
    return out


class Distinct:
    """A data set whose photos nobody has looked through, without copies and without RAW files. See `Dataset`.

    Of a photo and its copies with one person, the one with the most pixels is used. Copies of one photo would
    form a cluster of their own, however badly an attacker tells people apart. Photos that cannot be read
    stay: they have an outcome.
    """

    def __init__(self, data: Dataset, cache: Cache, progress: Progress) -> None:
        """Store; nothing is looked at yet.

        Args:
            data: The data set with everything that is in it.
            cache: Has the looks of photos that were looked at before.
            progress: Told of every few photos.
        """
        self._data, self._cache, self._progress = data, cache, progress

    @property
    def card(self) -> DatasetCard:
        """What is stated about the data set; its revision is that of everything that is in it."""
        used = self.catalogue()
        return replace(self._data.card, identities=len(set(used.identities)), photos=len(used.photos))

    def catalogue(self) -> Catalogue:
        """Every photo and the person on it, without copies."""
        return self._catalogue

    def digest(self, photo: str) -> str:
        """See `Dataset.digest`."""
        return self._data.digest(photo)

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        """See `Dataset.read`."""
        return self._data.read(photos)

    @cached_property
    def _catalogue(self) -> Catalogue:
        whole = self._data.catalogue()
        seen = looks(self._data, whole.photos, self._cache, self._progress)
        by_person: dict[str, list[str]] = defaultdict(list)
        for photo, person in zip(whole.photos, whole.identities, strict=True):
            by_person[person].append(photo)
        out = {photo: REASON for photo in whole.photos if seen[photo].raw}
        with self._progress.stage("compare photos of each person", len(by_person)) as advance:
            for photos in by_person.values():
                out |= self._copies(photos, seen)
                advance()
        rows = zip(whole.photos, whole.identities, strict=True)
        used = [(photo, person) for photo, person in rows if photo not in out]
        return replace(
            whole,
            photos=tuple(photo for photo, _ in used),
            identities=tuple(person for _, person in used),
            left_out={**whole.left_out, **out},
        )

    def _copies(self, photos: Sequence[str], seen: Mapping[str, Look]) -> dict[str, str]:
        """Which photos of a person are copies, and of which."""
        order = sorted(photos, key=lambda photo: (-seen[photo].pixels, len(photo), photo))
        key = digest("copies", stage_code(copies.__name__), [self.digest(photo) for photo in order])
        stored = self._cache.rows("copies", [key]).get(key)
        if stored is None:
            pairs = list(copies.copies([seen[photo] for photo in order]).items())
            stored = json.dumps(pairs).encode()
            kept(self._cache, "copies", {key: stored})
        return {
            order[copy]: f"a copy of {order[original]}: the same picture, stored or edited anew"
            for copy, original in json.loads(stored)
        }
