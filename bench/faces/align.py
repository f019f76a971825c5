"""From a photo to the aligned face that an encoder takes. Defenders and attackers share this code.

The warp is differentiable, so that a perturbation can be optimised on the pixels of the photo itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the name every torch program uses

from bench.types import Crop, Face, Image

Matrix = npt.NDArray[np.float64]

_WHOLE = 1_000_000  # pixels; of smaller photos the whole is converted as fast as a part


def similarity(landmarks: npt.ArrayLike, template: npt.ArrayLike) -> Matrix:
    """The least-squares similarity from points to points: a rotation, one scale and a shift, no reflection.

    Source: Umeyama 1991, in the closed form that the plane allows.

    Args:
        landmarks: float [k, 2], points in the photo.
        template: float [k, 2], where the points should land.

    Returns:
        float64 [2, 3], the matrix from photo pixels to crop pixels.

    Raises:
        ValueError: All landmarks coincide.
    """
    p, q = np.asarray(landmarks, np.float64), np.asarray(template, np.float64)
    p0, q0 = p.mean(0), q.mean(0)
    dp, dq = p - p0, q - q0
    spread = float((dp * dp).sum())
    if spread <= 1e-9:
        raise ValueError("the landmarks are all one point")
    a = float((dp * dq).sum()) / spread
    b = float((dp[:, 0] * dq[:, 1] - dp[:, 1] * dq[:, 0]).sum()) / spread
    linear = np.array([[a, -b], [b, a]])
    return np.column_stack([linear, q0 - linear @ p0])


def matrix(face: Face, crop: Crop) -> Matrix:
    """The map from photo pixels to crop pixels for one face and one encoder's crop, float64 [2, 3].

    Pixel coordinates count from the centre of the top-left pixel.
    """
    if crop.kind == "similarity":
        return similarity(face.landmarks, crop.template)
    x0, y0, x1, y1 = face.box
    grow = crop.size / (crop.size - crop.margin)
    cx, cy, w, h = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) * grow, (y1 - y0) * grow
    sx, sy = crop.size / w, crop.size / h
    half = (crop.size - 1) / 2
    return np.array([[sx, 0.0, half - sx * cx], [0.0, sy, half - sy * cy]])


def warp(photos: torch.Tensor, matrices: Sequence[Matrix] | Matrix, size: int) -> torch.Tensor:
    """Cut the aligned squares out of photos of one size: bilinear, black outside, differentiable.

    Where a face is more than twice as large as its crop, the photo is first averaged down by whole factors,
    so that large photos do not alias.

    Args:
        photos: float [n, 3, height, width].
        matrices: float [n, 2, 3], maps from photo pixels to crop pixels.
        size: The side of the crop in pixels.

    Returns:
        float [n, 3, size, size], on the same device and of the same dtype.
    """
    stack = np.asarray(matrices, np.float64)
    factors = _factors(stack)
    if factors.max() == 1:
        return _sample(photos, stack, size)
    out: list[torch.Tensor] = []
    for photo, m, factor in zip(photos, stack, factors, strict=True):
        k = int(factor)
        small = F.avg_pool2d(photo[None], k, ceil_mode=True, count_include_pad=False)
        # pixel x of the small photo covers pixels kx .. kx+k-1, whose centre is kx + (k-1)/2
        lift = np.array([[k, 0, (k - 1) / 2], [0, k, (k - 1) / 2], [0, 0, 1.0]])
        out.append(_sample(small, (m @ lift)[None], size))
    return torch.cat(out)


def cut(image: Image, m: Matrix, size: int) -> tuple[Image, Matrix]:
    """The part of a photo that a crop needs, and the map from the pixels of that part.

    `warp` gives the same crop from the part as from the photo. A photo of 12 megapixels as floats would take
    144 MB for one face.

    Args:
        image: uint8 [height, width, 3].
        m: float [2, 3], the map from photo pixels to crop pixels.
        size: The side of the crop in pixels.

    Returns:
        A view of the photo with at least one pixel, and its map, float64 [2, 3]. Photos of up to a megapixel
            stay whole.
    """
    height, width = image.shape[:2]
    if height * width <= _WHOLE:
        return image, m
    k = int(_factors(m[None])[0])
    first, last = _seen(m, size)
    # k more on every side for what is averaged and interpolated, and whole groups of k from the photo's edge
    low = np.clip((np.floor(first) - k) // k * k, 0, [(width - 1) // k * k, (height - 1) // k * k])
    high = np.maximum((np.ceil(last) + 2 * k) // k * k, low + k)
    (x0, y0), (x1, y1) = low.astype(int), high.astype(int)
    return image[y0:y1, x0:x1], np.column_stack([m[:, :2], m[:, 2] + m[:, :2] @ low])


def convert(image: Image, m: Matrix, size: int) -> torch.Tensor:
    """A photo as `warp` takes it. Only what the crop looks at is converted.

    Args:
        image: uint8 [height, width, 3].
        m: float [2, 3], the map from photo pixels to crop pixels.
        size: The side of the crop in pixels.

    Returns:
        float32 [1, 3, height, width] in [0, 1]; black where the crop does not look.
    """
    height, width = image.shape[:2]
    first, last = _seen(m, size)
    # a pixel for rounding, and one for the neighbours that are interpolated; all where groups are averaged
    edge = 2 if _factors(m[None])[0] == 1 else max(height, width)
    x0, y0 = np.clip(np.floor(first) - edge, 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(last) + edge + 1, 1, [width, height]).astype(int)
    out = torch.zeros(1, 3, height, width)
    part = out[0, :, y0:y1, x0:x1]
    part.copy_(torch.from_numpy(np.ascontiguousarray(image[y0:y1, x0:x1])).permute(2, 0, 1)).div_(255)
    return out


def sampling_grid(matrices: Matrix, size: int, height: int, width: int) -> torch.Tensor:
    """The place in its photo of every crop pixel, in grid_sample's units: float32 [n, size, size, 2]."""
    full = np.concatenate([matrices, np.tile([[[0.0, 0.0, 1.0]]], (len(matrices), 1, 1))], 1)
    along = np.arange(size, dtype=np.float64)
    grid = np.empty((len(matrices), size, size, 2), np.float32)
    for places, back in zip(grid, np.linalg.inv(full), strict=True):
        for axis, length in ((0, width), (1, height)):
            source = (back[axis, 0] * along)[None, :] + (back[axis, 1] * along)[:, None]
            source += back[axis, 2]
            # align_corners=False: -1 and 1 are the outer edges of the first and last pixel
            source += 0.5
            source *= 2
            source /= length
            source -= 1
            places[:, :, axis] = source
    return torch.from_numpy(grid)


def _seen(m: Matrix, size: int) -> tuple[Matrix, Matrix]:
    """The lowest and the highest corner of what a crop looks at, float64 [2] each, in photo pixels."""
    corners = np.array([[x, y] for x in (0, size - 1) for y in (0, size - 1)], np.float64)
    places = (corners - m[:, 2]) @ np.linalg.inv(m[:, :2]).T
    return places.min(0), places.max(0)


def _factors(matrices: Matrix) -> npt.NDArray[np.int64]:
    """int64 [n]: the factor by which each photo is averaged down first."""
    scales = np.sqrt(np.abs(np.linalg.det(matrices[:, :, :2])))
    factors: npt.NDArray[np.int64] = np.maximum(1, np.floor(0.5 / scales)).astype(np.int64)
    return factors


def _sample(photos: torch.Tensor, matrices: Matrix, size: int) -> torch.Tensor:
    height, width = photos.shape[-2:]
    grid = sampling_grid(matrices, size, height, width).to(photos.device, photos.dtype)
    return F.grid_sample(photos, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
