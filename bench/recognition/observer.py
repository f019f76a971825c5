"""Photos -> a face in each and, per encoder, an embedding of it; once for each content.

The photo that comes in is the file as it is after the channel: detection and alignment run on it, and no
clean landmark gets here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench import encoders
from bench.adaptations.ensembles import unit
from bench.encoders.faults import EncoderFault
from bench.encoders.pool import EncoderPool
from bench.faces.finder import FaceFinder, read_faces
from bench.machine.progress import Progress
from bench.parameters import plain
from bench.photos.collection import Photos
from bench.photos.decode import UnreadablePhoto
from bench.photos.read_ahead import chunks, readable
from bench.recognition.embedded import Embedded
from bench.recognition.resize_pad import ResizePad
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import combine, digest
from bench.types import Crop, EncoderCard, Face, Folders, Image

if TYPE_CHECKING:
    import torch


Shown = tuple[Image | UnreadablePhoto, Face | None, str]
"""A photo, its face, and the photo's digest."""


@dataclass(frozen=True)
class Observed:
    """What was seen.

    Attributes:
        faces: For each photo its face, or None.
        unreadable: Position of a photo -> why it could not be decoded.
        embeddings: Name of an encoder -> embeddings of the photos.
    """

    faces: tuple[Face | None, ...]
    unreadable: dict[int, str]
    embeddings: dict[str, Embedded]


class Observer:
    """Detects and embeds, once for each content."""

    def __init__(self, finder: FaceFinder, pool: EncoderPool, cache: Cache, progress: Progress) -> None:
        """Store; networks are loaded when something is not in the cache.

        Args:
            finder: Finds faces.
            pool: Has the encoders.
            cache: Has the embeddings that were computed before.
            progress: Told of every chunk.
        """
        self.finder, self.pool = finder, pool
        self._cache, self._progress = cache, progress
        self._met: set[tuple[str, ...]] = set()
        self._others = {finder.name: self}

    @classmethod
    def on(
        cls, device: str, folders: Folders, cache: Cache, progress: Progress, precision: str = "fp32"
    ) -> Observer:
        """An observer with a finder and a pool of its own.

        Args:
            device: `cpu`, `cuda`, `cuda:1`.
            folders: Where weights lie.
            cache: Faces and embeddings that were computed before.
            progress: Told of every chunk.
            precision: The precision that embeddings are computed in.
        """
        finder = FaceFinder(folders, cache, device, progress)
        return cls(finder, EncoderPool(folders, device, precision), cache, progress)

    def with_detector(self, name: str) -> Observer:
        """The observer that finds faces with a detector and has the same encoders; made once for each.

        Args:
            name: One of `bench.faces.detectors.names`.
        """
        if name not in self._others:
            other = Observer(self.finder.with_detector(name), self.pool, self._cache, self._progress)
            self._others[name] = other
            other._others = self._others
        return self._others[name]

    def crops(self, photos: Photos, card: EncoderCard) -> tuple[torch.Tensor, npt.NDArray[np.int64]]:
        """The aligned faces of photos, as an encoder gets them.

        Returns:
            Float32 [n, 3, size, size] in [0, 1] on this run's device, and the positions of the n photos that
            have a face.
        """
        import torch

        from bench.machine.workers import each

        faces = self.finder.find(photos, "photos to learn from").faces
        seen = {i: face for i, face in enumerate(faces) if face is not None}
        positions, crops = list(seen), [torch.zeros(0, 3, card.crop.size, card.crop.size)]
        for part in chunks(photos.read, positions, self.finder.chunk):
            crops += each(lambda photo: crop_face(readable(photo[1]), seen[photo[0]], card.crop), part)
            del part
        return torch.cat(crops).to(self.pool.device), np.array(positions, np.int64)

    def first_sight(self, photos: Photos) -> bool:
        """Whether these photos are seen for the first time in this run; says so once."""
        new = photos.digests not in self._met
        self._met.add(photos.digests)
        return new

    def observe(
        self, photos: Photos, cards: Sequence[EncoderCard], what: str, varied: ResizePad | None = None
    ) -> Observed:
        """See every photo through every encoder.

        Args:
            photos: As the attacker gets them.
            cards: The encoders' cards; none to detect only.
            what: For the progress line.
            varied: How each face is looked at several times; the embedding is then the mean direction. None
                for once.

        Raises:
            EncoderFault: if a network gives no embedding; the others' results are kept.
        """
        face_keys = self.finder.keys(photos)
        faces = self.finder.rows(face_keys)
        keys = {card.name: self._keys(card, photos, face_keys, varied) for card in cards}
        rows = {name: self._cache.rows("embedding", wanted) for name, wanted in keys.items()}
        missing = [
            i
            for i in range(len(photos))
            if face_keys[i] not in faces or any(keys[n][i] not in rows[n] for n in keys)
        ]
        faults: list[EncoderFault] = []
        with self._progress.stage(f"detect and embed {what}", len(missing)) as advance:
            for part in chunks(photos.read, missing, self.finder.chunk):
                self.finder.detect(dict(part), photos, face_keys, faces)
                seen = read_faces([faces[face_keys[i]] for i, _ in part]).faces
                for card in cards:
                    own = keys[card.name]
                    wanted = [j for j, (i, _) in enumerate(part) if own[i] not in rows[card.name]]
                    shown = [(part[j][1], seen[j], photos.digests[part[j][0]]) for j in wanted]
                    try:
                        vectors = self._embed(card, shown, varied)
                    except EncoderFault as fault:
                        faults.append(fault.of([photos.digests[part[j][0]] for j in wanted], what))
                        continue
                    new = {own[part[j][0]]: vector for j, vector in zip(wanted, vectors, strict=True)}
                    self._cache.put_rows("embedding", new)
                    rows[card.name] |= new
                advance(len(part))
                del part  # two chunks are in memory, not three
        if faults:
            raise faults[0]
        read = read_faces([faces[key] for key in face_keys])
        return Observed(
            read.faces,
            read.unreadable,
            {card.name: _matrix(card, keys[card.name], rows[card.name]) for card in cards},
        )

    def _keys(
        self, card: EncoderCard, photos: Photos, face_keys: Sequence[str], varied: ResizePad | None
    ) -> list[str]:
        """The key of each photo's embedding: its face's key, the network, what embeds, and how."""
        stamp = [*stage_code(__name__, *encoders.modules([card])), self.pool.precision]
        network = digest("embedding", stamp, encoders.identity(card))
        if varied is None:
            return [combine([network, key]) for key in face_keys]
        how = digest(plain(varied))
        return [
            combine([network, key, how, photo]) for key, photo in zip(face_keys, photos.digests, strict=True)
        ]

    def _embed(self, card: EncoderCard, shown: Sequence[Shown], varied: ResizePad | None) -> list[bytes]:
        """float32 embeddings as bytes; empty where there is no face."""
        rows = [b""] * len(shown)
        with_face = [
            (i, image, face, photo)
            for i, (image, face, photo) in enumerate(shown)
            if face is not None and not isinstance(image, UnreadablePhoto)
        ]
        if with_face:
            import torch

            from bench.encoders.networks import embed_at
            from bench.machine.workers import each

            def looks_at(item: tuple[int, Image, Face, str]) -> torch.Tensor:
                crop = crop_face(item[1], item[2], card.crop)
                return crop if varied is None else varied(crop, item[3])

            crops = torch.cat(each(looks_at, with_face))
            encoder, device = self.pool.encoder(card), self.pool.device
            looks = len(crops) // len(with_face)
            try:
                vectors = embed_at(self.pool.precision, encoder, crops.to(device)).cpu().numpy()
            except EncoderFault as fault:
                faulty = sorted({with_face[row // looks][0] for row in fault.rows})
                raise EncoderFault(str(fault), rows=faulty) from fault
            if looks > 1:
                vectors = unit(vectors.reshape(len(with_face), looks, -1).sum(1))
            for (i, *_), vector in zip(with_face, vectors, strict=True):
                rows[i] = np.ascontiguousarray(vector, dtype="<f4").tobytes()
        return rows


def crop_face(image: Image, face: Face, crop: Crop) -> torch.Tensor:
    """A face as an encoder wants it: float32 [1, 3, size, size] in [0, 1]."""
    from bench.faces.align import convert, cut, matrix, warp

    part, m = cut(image, matrix(face, crop), crop.size)
    return warp(convert(part, m, crop.size), m[None], crop.size)


def _matrix(card: EncoderCard, keys: Sequence[str], rows: dict[str, bytes]) -> Embedded:
    vectors = np.zeros((len(keys), card.dimensions), np.float32)
    has_face = np.array([bool(rows[key]) for key in keys], bool)
    for i, key in enumerate(keys):
        if rows[key]:
            vectors[i] = np.frombuffer(rows[key], "<f4")
    return Embedded(vectors, has_face)
