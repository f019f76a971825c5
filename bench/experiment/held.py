"""What of a run is in the store already: the run's own publisher and observer, which look and do not work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.encoders.pool import EncoderPool
from bench.faces.finder import FaceFinder
from bench.machine.progress import Progress, Silent
from bench.photos.collection import Photos
from bench.plan.chosen import FunctionDefense
from bench.plan.nouns import Cloaking
from bench.plan.split import Split
from bench.protocols import Dataset
from bench.recognition.observer import Observer
from bench.recognition.resize_pad import ResizePad
from bench.release.publisher import People, Publisher
from bench.release.release import Release, unpack
from bench.store.cache import Cache
from bench.store.digests import digest
from bench.types import EncoderCard

Looked = Callable[[Cloaking, Photos, bool, bool], None]
"""Is told of photos that have to be published: whether they are there cloaked, and whether the change in them
is measured."""


class HeldCloaks(Publisher):
    """Publishes what is in the store. What is not there gets digests that no photo has, and is told."""

    def __init__(
        self,
        data: Dataset,
        split: Split,
        finder: FaceFinder,
        pool: EncoderPool,
        cache: Cache,
        progress: Progress,
        looked: Looked,
    ) -> None:
        """Store.

        Args:
            data: See `bench.release.publisher.Publisher`, as the next arguments.
            split: Likewise.
            finder: Likewise.
            pool: Likewise.
            cache: Likewise.
            progress: Likewise.
            looked: Is told of each group of photos.
        """
        super().__init__(data, split, finder, pool, cache, progress)
        self._looked = looked

    def _group(self, cloaking: Cloaking, people: People, *, cached: bool, measured: bool) -> Release:
        photos, key = self._photos(people), self._key(cloaking, people)
        stored = self._cache.file("cloak", key) if cached else None
        self._looked(cloaking, photos, stored is not None, measured)
        if stored is not None:
            return unpack(stored)
        function = cloaking.defense.plugin if isinstance(cloaking.defense.plugin, FunctionDefense) else None
        return _to_be_made(key or str(id(function)), photos.digests)

    def _as_they_are(self, names: Sequence[str]) -> Release:
        # their digests are of pixels, which nobody decodes for a plan
        return _to_be_made("as they are", [self._data.digest(name) for name in names])


def _to_be_made(key: str, contents: Sequence[str]) -> Release:
    digests = tuple(digest("to be made", key, content) for content in contents)
    return Release((b"",) * len(digests), digests, (False,) * len(digests))


@dataclass(frozen=True)
class Unseen:
    """Photos that were not seen.

    Attributes:
        faces: How many photos no face was looked for in.
        photos: How many photos an embedding is missing of.
        embeddings: Name of an encoder -> how many embeddings are missing.
        held: How many embeddings are there.
    """

    faces: int
    photos: int
    embeddings: dict[str, int]
    held: int


class Eyes(Observer):
    """Says which photos it would have to look at; whatever was told once counts as seen.

    Attributes:
        seen: Keys of faces and embeddings that were told.
        looked_at: Keys of the faces of photos that it would have to look at.
    """

    def __init__(
        self, finder: FaceFinder, pool: EncoderPool, cache: Cache, other: Eyes | None = None
    ) -> None:
        """See `bench.recognition.observer.Observer`.

        Args:
            finder: Finds faces.
            pool: Has the encoders.
            cache: Has what was seen.
            other: What it has told, these have told; None for nobody.
        """
        super().__init__(finder, pool, cache, Silent())
        self.seen: set[str] = set() if other is None else other.seen
        self.looked_at: set[str] = set() if other is None else other.looked_at

    def unseen(
        self, photos: Photos, cards: Sequence[EncoderCard] = (), varied: ResizePad | None = None
    ) -> Unseen:
        """What is not in the store of some photos, and was not told before.

        Args:
            photos: The photos.
            cards: What they are embedded with; nothing to detect only.
            varied: See `Observer.observe`.
        """
        face_keys, held = self.finder.keys(photos), 0
        faces, _ = self._new(face_keys, self.finder.rows)
        embeddings, incomplete = {}, set(faces)
        for card in cards:
            keys = self._keys(card, photos, face_keys, varied)
            missing, there = self._new(keys, lambda wanted: self._cache.rows("embedding", wanted))
            embeddings[card.name] = len(missing)
            incomplete |= missing
            held += there
        self.looked_at |= {face_keys[i] for i in incomplete}
        return Unseen(len(faces), len(incomplete), embeddings, held)

    def _new(
        self, keys: Sequence[str], stored: Callable[[list[str]], dict[str, bytes]]
    ) -> tuple[set[int], int]:
        """Of keys that are met for the first time: positions of those not in the store, and how many are."""
        unmet = {key: i for i, key in enumerate(keys) if key not in self.seen}
        self.seen.update(unmet)
        held = stored(list(unmet)) if unmet else {}
        return {i for key, i in unmet.items() if key not in held}, len(held)
