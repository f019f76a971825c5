"""The camera: exposure and blur on the device that draws, then noise and JPEG on the CPU, photo by photo."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from .photo import Photo, noise
from .picture import Picture
from .planes import Stack, power

_REACH = 4
_SHOULDER = 0.68


def expose(picture: Picture, shot: Stack) -> Picture:
    """Saturation, exposure, tone curve, gamma and lens blur: a picture in [0, 1]."""
    mean = picture.mean
    return picture.each(lambda plane: _blur(_tone(mean + (plane - mean) * shot.saturation, shot), shot))


def _tone(plane: Tensor, shot: Stack) -> Tensor:
    """A plane whose highlights roll off as on a sensor's tone curve: a bright forehead keeps its shape."""
    plane = (plane * shot.exposure).clamp_min(1e-3)
    over = (plane - _SHOULDER).clamp_min(0)
    rolled = plane - over + (1 - _SHOULDER) * (1 - torch.exp(-over / (1 - _SHOULDER)))
    return power(rolled, shot.gamma)


def _blur(plane: Tensor, shot: Stack) -> Tensor:
    """Gaussian blur by shifted sums: a library's convolution may round by the size of the batch."""
    spread = shot.blur.clamp_min(0.05)
    reach = min(_REACH, 1 + int(3 * float(spread.max())))
    weights = [torch.exp(-(step**2) / (2 * spread**2)) for step in range(1, reach + 1)]
    total = 1 + 2 * sum(weights, torch.zeros_like(spread))
    for dim in (1, 2):
        side = plane.shape[dim]
        first, last = plane.narrow(dim, 0, 1), plane.narrow(dim, side - 1, 1)
        wide = torch.cat([*[first] * reach, plane, *[last] * reach], dim)
        for step, weight in enumerate(weights, 1):
            pair = wide.narrow(dim, reach - step, side) + wide.narrow(dim, reach + step, side)
            plane = plane + weight * pair
        plane = plane / total
    return plane


def develop(
    drawn: Sequence[npt.NDArray[np.float32]], person: int, number: int, shot: Photo
) -> npt.NDArray[np.uint8]:
    """Sensor noise and JPEG compression of one photo.

    Args:
        drawn: Red, green and blue, [side, side] each, in [0, 1].
        person: The identity number, for the noise.
        number: The photo number, for the noise.
        shot: The photo's parameters.

    Returns:
        The decoded pixels, uint8 [side, side, 3].
    """
    lens = np.stack(drawn, axis=-1)
    noisy = lens + noise(person, number, len(lens)) * np.float32(shot.noise)
    pixels = np.clip(noisy * 255 + 0.5, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=shot.quality)
    with Image.open(file) as decoded:
        return np.asarray(decoded).copy()
