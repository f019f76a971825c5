"""The camera: exposure and blur where the photo is drawn, then noise and JPEG on the CPU, photo by photo."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from ._faces_photo import Photo, noise
from ._faces_planes import Stack, power

_REACH = 4
_SHOULDER = 0.68


def expose(picture: Tensor, shot: Stack) -> Tensor:
    """Saturation, exposure, gamma and lens blur: a picture in [0, 1]."""
    mean = (picture[:, 0:1] + picture[:, 1:2] + picture[:, 2:3]) / 3
    picture = mean + (picture - mean) * shot.saturation[:, None]
    picture = (picture * shot.exposure[:, None]).clamp_min(1e-3)
    # highlights roll off as on a sensor's tone curve, so that a bright forehead keeps its shape
    over = (picture - _SHOULDER).clamp_min(0)
    picture = picture - over + (1 - _SHOULDER) * (1 - torch.exp(-over / (1 - _SHOULDER)))
    return _blur(_blur(power(picture, shot.gamma[:, None]), shot, 2), shot, 3)


def _blur(picture: Tensor, shot: Stack, dim: int) -> Tensor:
    """Gaussian blur along one axis, by shifted sums: a convolution may round differently per batch size."""
    spread = shot.blur[:, None].clamp_min(0.05)
    reach = min(_REACH, 1 + int(3 * float(spread.max())))
    side = picture.shape[dim]
    first, last = picture.narrow(dim, 0, 1), picture.narrow(dim, side - 1, 1)
    wide = torch.cat([*[first] * reach, picture, *[last] * reach], dim)
    total, weights = picture, torch.ones_like(spread)
    for step in range(1, reach + 1):
        pair = wide.narrow(dim, reach - step, side) + wide.narrow(dim, reach + step, side)
        weight = torch.exp(-(step**2) / (2 * spread**2))
        total, weights = total + weight * pair, weights + 2 * weight
    return total / weights


def develop(drawn: npt.NDArray[np.float32], person: int, number: int, shot: Photo) -> npt.NDArray[np.uint8]:
    """Sensor noise and JPEG compression of one photo.

    Args:
        drawn: [side, side, 3] in [0, 1].
        person: identity number, for the noise.
        number: photo number, for the noise.
        shot: the photo's parameters.

    Returns:
        The decoded pixels, uint8 [side, side, 3].
    """
    noisy = drawn + noise(person, number, len(drawn)) * np.float32(shot.noise)
    pixels = np.clip(noisy * 255 + 0.5, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=shot.quality)
    with Image.open(file) as decoded:
        return np.asarray(decoded).copy()
