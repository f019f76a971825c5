"""Cloaking one group of people: pixels in, the files that these people publish out.

Whatever a defense returns is checked and encoded to 8 bits here, never by the defense itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.photos.collection import Photos
from bench.photos.decode import encode_png
from bench.plan.chosen import Chosen
from bench.plan.nouns import Cloaking
from bench.protocols import Kit
from bench.release.release import Release
from bench.store.digests import array_digest, digest
from bench.types import Album, Face, Image


@dataclass(frozen=True)
class Originals:
    """The photos of a group, decoded once: for detection, for cloaking and for the perceptual cost.

    Attributes:
        photos: The photos, person by person.
        sizes: How many photos each person has.
        images: The pixels of each photo; None where it cannot be read.
        faces: The face in each photo, or None.
    """

    photos: Photos
    sizes: tuple[int, ...]
    images: tuple[Image | None, ...]
    faces: tuple[Face | None, ...]

    def albums(self) -> tuple[list[Album], list[list[int]]]:
        """One album a person of the photos that can be read, and where in the group they lie."""
        albums, places, start = [], [], 0
        for size in self.sizes:
            here = [i for i in range(start, start + size) if self.images[i] is not None]
            start += size
            places.append(here)
            albums.append(album([(self.images[i], self.faces[i], self.photos.digests[i]) for i in here]))
        return albums, places


@dataclass(frozen=True)
class Cloaked:
    """What came of a group.

    Attributes:
        release: What is published.
        images: The same as pixels; None where the original cannot be read.
    """

    release: Release
    images: tuple[Image | None, ...]


def cloak(cloaking: Cloaking, originals: Originals, kit: Kit) -> Cloaked:
    """Let a defense cloak a group, and encode what it returns.

    Raises:
        ValueError: if the defense returned anything but as many 8-bit photos of the same shapes.
    """
    albums, places = originals.albums()
    answer = cloaking.defense.plugin.cloak(albums, kit)
    images: list[Image | None] = list(originals.images)
    failed = [False] * len(images)
    for own, here, photos in zip(albums, places, checked(cloaking.defense, answer, albums), strict=True):
        for original, i, photo in zip(own.photos, here, photos, strict=True):
            failed[i] = photo is None
            images[i] = original if photo is None else photo
    return Cloaked(publish(images, originals.photos.digests, failed), tuple(images))


def publish(images: Sequence[Image | None], originals: Sequence[str], failed: Sequence[bool]) -> Release:
    """Pixels as 8-bit files.

    Args:
        images: The pixels; None where the original cannot be read.
        originals: The digest of each original's content.
        failed: Whether the defense gave nothing for a photo.
    """
    from bench.machine.workers import each

    files = each(lambda image: b"" if image is None else encode_png(image), images)
    digests = tuple(
        digest("unreadable", content) if image is None else array_digest(image)
        for image, content in zip(images, originals, strict=True)
    )
    return Release(tuple(files), digests, tuple(failed))


def album(rows: Sequence[tuple[Image | None, Face | None, str]]) -> Album:
    """One person's photos, as that person holds them."""
    images = tuple(image for image, _, _ in rows if image is not None)
    return Album(images, tuple(face for _, face, _ in rows), tuple(content for _, _, content in rows))


def checked(
    defense: Chosen, answer: Sequence[Sequence[Image | None]], albums: Sequence[Album]
) -> list[list[Image | None]]:
    """See that a defense returned as many photos, of the same shapes and of 8 bits.

    Raises:
        ValueError: naming what is wrong.
    """
    out: list[list[Image | None]] = []
    if len(answer) != len(albums):
        raise ValueError(f"defense {defense.name!r} returned {len(answer)} users for {len(albums)}")
    for own, photos in zip(albums, answer, strict=True):
        if len(photos) != len(own.photos):
            raise ValueError(f"defense {defense.name!r} returned {len(photos)} photos for {len(own.photos)}")
        out.append([])
        for original, photo in zip(own.photos, photos, strict=True):
            if photo is None:
                out[-1].append(None)
                continue
            array = np.asarray(photo)
            if array.shape != original.shape or array.dtype != np.uint8:
                raise ValueError(
                    f"defense {defense.name!r} returned a photo of {array.dtype} {array.shape}; "
                    f"it must be uint8 {original.shape}"
                )
            out[-1].append(array)
    return out
