"""What an attacker sees of photos: a face found in each and, per encoder, an embedding of it.

The photo that comes in is the file as it is after the channel: detection and alignment run on it, and no
clean landmark gets here. Faces and embeddings are cached by the photo's content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bench import channels, encoders
from bench.channels import Channel
from bench.encoders.faults import EncoderFault
from bench.faces.mtcnn_card import parameters
from bench.machine.progress import Progress
from bench.parameters import Plain, plain
from bench.photos.decode import UnreadablePhoto, decode
from bench.photos.read_ahead import Read, chunks
from bench.protocols import Dataset, Encoder
from bench.store.cache import Cache
from bench.store.digests import code_digest, combine, digest, versions
from bench.types import Box, Crop, EncoderCard, Face, Folders, Image

if TYPE_CHECKING:
    import torch

    from bench.faces.detect import Detector

CHUNK = {"cpu": 64, "cuda": 256}
"""Photos worked on at a time, by device; of large ones fewer (`bench.photos.read_ahead`). A kill loses no
more."""

DETECT = (
    "bench.faces.detect",
    "bench.photos.heif",
    "bench.faces.mtcnn",
    "bench.faces.mtcnn_card",
    "bench.faces.mtcnn_nets",
    "bench.photos.decode",
    "bench.machine.workers",
    "bench.store.weights",
)
_EMBED = ("bench.recognition.observer", "bench.encoders", "bench.faces.align", "bench.machine.workers")
_PHOTOS = ("pillow", "pillow-heif")
_LIBRARIES = ("torch", "numpy", *_PHOTOS, "onnxruntime", "onnxruntime-gpu", "facenet-pytorch")


@dataclass(frozen=True)
class Photos:
    """Photos by content digest, read when they are needed. There is no identity here.

    Attributes:
        digests: of each photo's content.
        read: the files or pixels of some of them, by position. May be called from another thread.
        boxes: where the photo's face is said to be, see `bench.types.Catalogue.boxes`, or None; empty where
            nothing is said of any.
    """

    digests: tuple[str, ...]
    read: Read
    boxes: tuple[Box | None, ...] = ()

    def __len__(self) -> int:
        return len(self.digests)


@dataclass(frozen=True)
class Observed:
    """What was seen.

    Attributes:
        faces: for each photo, or None.
        unreadable: photo -> why it could not be decoded.
        embeddings: encoder -> float32 [photo, dimensions]; NaN where there is no face.
    """

    faces: tuple[Face | None, ...]
    unreadable: dict[int, str]
    embeddings: dict[str, npt.NDArray[np.float32]]


def clean(data: Dataset, names: Sequence[str], boxes: Mapping[str, Box] | None = None) -> Photos:
    """Photos of a data set.

    Args:
        data: whose.
        names: which.
        boxes: where faces are said to be, see `bench.types.Catalogue.boxes`.
    """
    return Photos(
        tuple(map(data.digest, names)),
        lambda wanted: data.read([names[i] for i in wanted]),
        tuple(map(boxes.get, names)) if boxes else (),
    )


def through(photos: Photos, channel: Channel) -> Photos:
    """Photos after a channel. A photo that cannot be decoded stays what it is."""
    if str(channel) == "none":
        return photos

    def read(wanted: Sequence[int]) -> list[bytes | Image]:
        from bench.machine.workers import each

        return each(lambda content: _passed(content, channel), photos.read(wanted))

    stamp = [channels.stamp(channel), versions(_PHOTOS)]
    # no channel moves a face: a box stays where it is
    return Photos(tuple(digest("channel", stamp, content) for content in photos.digests), read, photos.boxes)


def _passed(content: bytes | Image, channel: Channel) -> bytes | Image:
    try:
        return channel(decode(content))
    except UnreadablePhoto:
        return content


def decoded(content: bytes | Image) -> Image | None:
    """The pixels of a photo; None where it cannot be read."""
    try:
        return decode(content)
    except UnreadablePhoto:
        return None


class Observer:
    """Detects and embeds, once for each content."""

    def __init__(
        self, folders: Folders, cache: Cache, device: str, progress: Progress, precision: str = "fp32"
    ) -> None:
        """Store; networks are loaded when something is not in the cache.

        Args:
            folders: where encoders lie.
            cache: of faces and embeddings.
            device: `cpu`, `cuda`, `cuda:1`.
            progress: told of every chunk.
            precision: that embeddings are computed in, see `bench.encoders.networks.embed_at`.
        """
        self._folders, self._cache, self._device, self._progress = folders, cache, device, progress
        self._precision = precision
        self._loaded: dict[str, Encoder] = {}
        self._met: set[tuple[str, ...]] = set()

    @cached_property
    def detector(self) -> Detector:
        """The face detector, on this run's device."""
        from bench.faces.detect import Detector

        return Detector(self._device)

    def encoder(self, card: EncoderCard) -> Encoder:
        """One encoder, loaded once."""
        if card.name not in self._loaded:
            self._loaded[card.name] = encoders.load(card, self._folders, self._device)
        return self._loaded[card.name]

    @property
    def device(self) -> str:
        """Where it computes."""
        return self._device

    def knows(self, card: EncoderCard) -> bool:
        """Whether an encoder is loaded, or was added."""
        return card.name in self._loaded

    def add(self, encoder: Encoder) -> None:
        """Have an encoder that no name leads to: one that an attacker trained."""
        self._loaded[encoder.card.name] = encoder

    def crops(self, photos: Photos, card: EncoderCard) -> tuple[torch.Tensor, npt.NDArray[np.int64]]:
        """The aligned faces of photos, as an encoder gets them.

        Returns:
            Float32 [n, 3, size, size] in [0, 1] on this run's device, and the positions of the n photos that
            have a face.
        """
        import torch

        from bench.machine.workers import each

        seen = self.observe(photos, [], "photos to learn from")
        where = [i for i, face in enumerate(seen.faces) if face is not None]
        images = [decode(content) for content in photos.read(where)]
        faces = [face for face in seen.faces if face is not None]
        found = each(lambda pair: _crop(pair[0], pair[1], card.crop), list(zip(images, faces, strict=True)))
        return torch.cat(found).to(self._device), np.array(where, np.int64)

    def unmet(self, photos: Photos) -> bool:
        """Whether these photos are seen for the first time in this run; says so once."""
        new = photos.digests not in self._met
        self._met.add(photos.digests)
        return new

    def runtimes(self) -> dict[str, str]:
        """Encoder -> runtime that it really uses, for those that were loaded."""
        if not self._loaded:
            return {}
        from bench.encoders.networks import runtime_at

        return {name: runtime_at(self._precision, e, self._device) for name, e in self._loaded.items()}

    def observe(self, photos: Photos, cards: Sequence[EncoderCard], what: str) -> Observed:
        """See every photo through every encoder.

        Args:
            photos: as the attacker gets them.
            cards: of the encoders; none to detect only.
            what: for the progress line.

        Raises:
            EncoderFault: if a network gives no embedding; the others' results are kept.
        """
        stamp = digest(self._stamp())
        boxes = photos.boxes or (None,) * len(photos)
        face_keys = [
            digest("face", stamp, content, *([box] if box else []))
            for content, box in zip(photos.digests, boxes, strict=True)
        ]
        codes = [code_digest(*_EMBED), versions(_LIBRARIES), self._precision]
        keys = {}
        for card in cards:
            network = digest("embedding", codes, encoders.identity(card))
            keys[card.name] = [combine([network, key]) for key in face_keys]
        faces = self._cache.rows("face", face_keys)
        found = {name: self._cache.rows("embedding", wanted) for name, wanted in keys.items()}
        missing = [
            i
            for i in range(len(photos))
            if face_keys[i] not in faces or any(keys[n][i] not in found[n] for n in keys)
        ]
        faults: list[EncoderFault] = []
        with self._progress.stage(f"detect and embed {what}", len(missing)) as advance:
            for part in chunks(photos.read, missing, CHUNK[self._device.partition(":")[0]]):
                chunk, images = [i for i, _ in part], [image for _, image in part]
                self._detect(images, [boxes[i] for i in chunk], [face_keys[i] for i in chunk], faces)
                seen = [_face(faces[face_keys[i]])[0] for i in chunk]
                for card in cards:
                    wanted = [j for j, i in enumerate(chunk) if keys[card.name][i] not in found[card.name]]
                    try:
                        rows = self._embed(card, [images[j] for j in wanted], [seen[j] for j in wanted])
                    except EncoderFault as fault:
                        faults.append(fault)
                        continue
                    new = {keys[card.name][chunk[j]]: row for j, row in zip(wanted, rows, strict=True)}
                    self._cache.put_rows("embedding", new)
                    found[card.name] |= new
                advance(len(chunk))
                del part, images  # two chunks are in memory, not three
        if faults:
            raise faults[0]
        read = [_face(faces[key]) for key in face_keys]
        return Observed(
            tuple(face for face, _ in read),
            {i: reason for i, (_, reason) in enumerate(read) if reason is not None},
            {card.name: _matrix(card, keys[card.name], found[card.name]) for card in cards},
        )

    def _stamp(self) -> list[Any]:
        device = self._device.partition(":")[0]
        return [detector_parameters(), device, code_digest(*DETECT), versions(_LIBRARIES)]

    def _detect(
        self,
        images: Sequence[Image | UnreadablePhoto],
        boxes: Sequence[Box | None],
        keys: Sequence[str],
        faces: dict[str, bytes],
    ) -> None:
        wanted = [i for i, key in enumerate(keys) if key not in faces]
        readable = [(i, image) for i in wanted if not isinstance(image := images[i], UnreadablePhoto)]
        rows = {
            keys[i]: json.dumps({"unreadable": image.reason}).encode()
            for i in wanted
            if isinstance(image := images[i], UnreadablePhoto)
        }
        if readable:
            seen = self.detector.detect([image for _, image in readable], [boxes[i] for i, _ in readable])
            for (i, _), face in zip(readable, seen, strict=True):
                rows[keys[i]] = json.dumps({"face": asdict(face) if face else None}).encode()
        self._cache.put_rows("face", rows)
        faces |= rows

    def _embed(
        self, card: EncoderCard, images: Sequence[Image | UnreadablePhoto], faces: Sequence[Face | None]
    ) -> list[bytes]:
        rows = [b""] * len(images)
        with_face = [
            (i, image, face)
            for i, (image, face) in enumerate(zip(images, faces, strict=True))
            if face is not None and not isinstance(image, UnreadablePhoto)
        ]
        if with_face:
            import torch

            from bench.encoders.networks import embed_at
            from bench.machine.workers import each

            encoder = self.encoder(card)
            crops = torch.cat(each(lambda item: _crop(item[1], item[2], card.crop), with_face))
            vectors = embed_at(self._precision, encoder, crops.to(self._device)).cpu().numpy()
            for (i, _, _), vector in zip(with_face, vectors, strict=True):
                rows[i] = np.ascontiguousarray(vector, dtype="<f4").tobytes()
        return rows


def detector_parameters() -> dict[str, Plain]:
    """Everything that decides what is detected, but for the device; without loading the detector."""
    return {name: plain(value) for name, value in parameters().items()}


def _crop(image: Image, face: Face, crop: Crop) -> torch.Tensor:
    import torch

    from bench.faces.align import cut, matrix, warp

    part, m = cut(image, matrix(face, crop), crop.size)
    pixels = torch.from_numpy(np.ascontiguousarray(part)).permute(2, 0, 1)[None].float().div_(255)
    return warp(pixels, [m], crop.size)


def _face(row: bytes) -> tuple[Face | None, str | None]:
    value = json.loads(row)
    if "unreadable" in value:
        return None, str(value["unreadable"])
    face = value["face"]
    if face is None:
        return None, None
    landmarks = tuple((x, y) for x, y in face["landmarks"])
    return Face(tuple(face["box"]), landmarks, face["score"], face["found"]), None


def _matrix(card: EncoderCard, keys: Sequence[str], rows: dict[str, bytes]) -> npt.NDArray[np.float32]:
    out = np.full((len(keys), card.dimensions), np.nan, np.float32)
    for i, key in enumerate(keys):
        if rows[key]:
            out[i] = np.frombuffer(rows[key], "<f4")
    return out
