"""The figures of a card: what an encoder achieves on people it never saw. All are functions of arrays."""

from __future__ import annotations

import importlib
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image as Pillow

from bench.faces import align
from bench.metrics.clustering import bcubed_objective, cluster_formation_rate
from bench.metrics.verification import auc, eer, tar_at_far
from bench.training.crops import mistaken
from bench.training.photos import Photos
from bench.types import ARCFACE_CROP, Image

Floats = npt.NDArray[np.float32]
Embed = Callable[[torch.Tensor], torch.Tensor]
"""float32 [n, 3, 112, 112] in [0, 1] -> unit rows."""

PHOTOS_EACH = 10
"""The photos of each person that figures are measured on."""

_PART = 256


@dataclass(frozen=True, slots=True)
class Seen:
    """Photos with detected landmarks.

    Attributes:
        photos: The photos of one population.
        landmarks: float32 [photo, 5, 2]; any values where `detected` is false.
        detected: bool [photo], whether a face was detected.
    """

    photos: Photos
    landmarks: Floats
    detected: npt.NDArray[np.bool_]


def perturbed(photos: Photos, seed: int) -> Seen:
    """The true landmarks with a detector's errors, where no detector is available."""
    generator = torch.Generator().manual_seed(seed)
    landmarks = mistaken(torch.from_numpy(photos.landmarks), generator)
    return Seen(photos, landmarks.numpy(), np.ones(len(photos.landmarks), bool))


def embedded(embed: Embed, pixels: Sequence[Image] | npt.NDArray[np.uint8], landmarks: Floats) -> Floats:
    """Unit embeddings [photo, dimension] of photos that were aligned by landmarks."""
    stack = np.asarray(pixels)
    out = []
    for start in range(0, len(stack), _PART):
        part = torch.from_numpy(stack[start : start + _PART]).permute(0, 3, 1, 2).float().div(255)
        maps = [
            align.similarity(points, ARCFACE_CROP.template) for points in landmarks[start : start + _PART]
        ]
        out.append(embed(align.warp(part, maps, ARCFACE_CROP.size)).cpu())
    return torch.cat(out).numpy()


def verification(
    validation: Floats,
    validation_people: npt.NDArray[np.int64],
    test: Floats,
    test_people: npt.NDArray[np.int64],
) -> dict[str, float]:
    """AUC and EER over all pairs of test photos; TAR@FAR at thresholds from the validation people's pairs."""
    _, calibration, _ = _pairs(validation, validation_people)
    genuine, impostor, owners = _pairs(test, test_people)
    return {
        "auc": auc(genuine, impostor).value,
        "eer": eer(genuine, impostor).value,
        "tar_far_1e2": tar_at_far(genuine, calibration, 1e-2, people=owners).value,
        "tar_far_1e3": tar_at_far(genuine, calibration, 1e-3, people=owners).value,
    }


def clustering(
    validation: Floats, validation_people: npt.NDArray[np.int64], test: Floats, seen: Seen
) -> dict[str, float]:
    """Clean CFR of calibrated DBSCAN over all test people. A photo without a face is noise, and counts."""
    dbscan = importlib.import_module("bench.attackers.dbscan").PLUGIN()
    tuned = dbscan.calibrated(validation, validation_people, bcubed_objective)
    labels = np.full(len(seen.detected), -1, np.int64)
    labels[seen.detected] = tuned.cluster(test)
    people = seen.photos.people
    return {
        "clean_cfr_dbscan": cluster_formation_rate(labels, people, np.unique(people)).value,
        "dbscan_eps": float(tuned.eps),
    }


def robustness(embed: Embed, seen: Seen, clean: Floats, photos: int = 300) -> dict[str, float]:
    """The mean cosine between a photo's embedding and that of the same photo after damage, aligned alike."""
    where = np.flatnonzero(seen.detected)[:photos]
    pixels, landmarks, before = seen.photos.pixels[where], seen.landmarks[where], clean[: len(where)]
    rng = np.random.Generator(np.random.Philox(len(where)))
    noise = rng.standard_normal(pixels.shape, dtype=np.float32)
    spoiled: dict[str, Sequence[Image]] = {
        "cosine_jpeg_q75": [_jpeg(photo, 75) for photo in pixels],
        "cosine_jpeg_q30": [_jpeg(photo, 30) for photo in pixels],
        "cosine_sign_noise_8": list(_released(pixels + 8 * np.sign(noise))),
        "cosine_gaussian_noise_16": list(_released(pixels + 16 * noise)),
    }
    return {
        name: float(np.multiply(before, embedded(embed, worse, landmarks)).sum(1).mean())
        for name, worse in spoiled.items()
    }


def figures(embed: Embed, validation: Seen, test: Seen) -> dict[str, float | None]:
    """All figures of one encoder; None where there are too few people for one.

    Args:
        embed: The encoder.
        validation: The people that thresholds are tuned on.
        test: The people that are used for nothing else.
    """
    tuning = embedded(
        embed, validation.photos.pixels[validation.detected], validation.landmarks[validation.detected]
    )
    clean = embedded(embed, test.photos.pixels[test.detected], test.landmarks[test.detected])
    tuning_people, people = validation.photos.people[validation.detected], test.photos.people[test.detected]
    measured = {
        **verification(tuning, tuning_people, clean, people),
        **clustering(tuning, tuning_people, clean, test),
        **robustness(embed, test, clean),
        "detected": float(test.detected.mean()),
    }
    return {name: None if math.isnan(value) else value for name, value in measured.items()}


def _pairs(embeddings: Floats, people: npt.NDArray[np.int64]) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Cosines of all genuine pairs, of all impostor pairs, and the person of each genuine pair."""
    i, j = np.triu_indices(len(people), 1)
    cosines = (embeddings @ embeddings.T)[i, j]
    same = people[i] == people[j]
    return cosines[same], cosines[~same], people[i][same]


def _jpeg(photo: Image, quality: int) -> Image:
    file = io.BytesIO()
    Pillow.fromarray(photo).save(file, "JPEG", quality=quality)
    with Pillow.open(file) as decoded:
        return np.asarray(decoded).copy()


def _released(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    rounded: npt.NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded
