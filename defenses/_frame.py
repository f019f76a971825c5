"""Faces in the frame of ArcFace-type encoders, and masks laid from it onto photos. Private to this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bench.types import ARCFACE_CROP, Face, Image, Mask

if TYPE_CHECKING:
    import torch

SIZE = ARCFACE_CROP.size
"""The side of the frame, in pixels."""

Map = npt.NDArray[np.float64]
Places = npt.NDArray[Any]


def in_frame(photo: Image, face: Face) -> torch.Tensor:
    """The aligned face: float [3, SIZE, SIZE] in 0 to 255, black outside the photo.

    A pixel of the frame is the mean over as many pixels of a large photo as fit into it.
    """
    import torch

    onto = _onto_frame(face)
    fine = max(1, round(1 / float(np.hypot(*onto[:, 0]))))
    steps = (np.arange(SIZE * fine) - (fine - 1) / 2) / fine
    columns, rows = np.meshgrid(steps, steps)
    from_frame = np.linalg.inv(np.vstack([onto, [0, 0, 1]]))[:2]
    planes = torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1)))
    sampled = _sampled(planes, from_frame, columns, rows)
    return torch.nn.functional.avg_pool2d(sampled, fine)


def laid(mask: torch.Tensor, photo: Image, face: Face, region: Mask) -> Image:
    """The photo with a mask on its face, rounded, inside the region.

    Args:
        mask: float [3, SIZE, SIZE], in 1/255, in the frame.
        photo: The clean photo.
        face: Its face.
        region: bool [height, width]: where the photo may be changed.
    """
    rows, columns = np.nonzero(region)
    change = _sampled(mask, _onto_frame(face), columns[None], rows[None])[:, 0].T.numpy()
    released = photo.copy()
    released[rows, columns] = np.clip(photo[rows, columns] + np.rint(change), 0, 255).astype(np.uint8)
    return released


def _onto_frame(face: Face) -> Map:
    """The rotation, scale and shift that takes the landmarks onto the frame's, by least squares: [2, 3]."""
    x, y = np.array(face.landmarks, float).T
    one, zero = np.ones_like(x), np.zeros_like(x)
    system = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, right, down = np.linalg.lstsq(system, np.array(ARCFACE_CROP.template).T.ravel(), rcond=None)[0]
    return np.array([[a, -b, right], [b, a, down]])


def _sampled(planes: torch.Tensor, onto: Map, columns: Places, rows: Places) -> torch.Tensor:
    """Planes [3, height, width] where a map takes columns and rows, bilinear, 0 outside: [3, *rows.shape]."""
    import torch

    height, width = planes.shape[1:]
    x = onto[0, 0] * columns + onto[0, 1] * rows + onto[0, 2]
    y = onto[1, 0] * columns + onto[1, 1] * rows + onto[1, 2]
    left, top = (int(np.clip(np.floor(v.min()), 0, side - 1)) for v, side in ((x, width), (y, height)))
    right, bottom = (int(np.clip(np.ceil(v.max()), 0, side - 1)) for v, side in ((x, width), (y, height)))
    part = planes[:, top : bottom + 1, left : right + 1].float()
    places = np.stack([(x - left + 0.5) / part.shape[2], (y - top + 0.5) / part.shape[1]], -1) * 2 - 1
    grid = torch.from_numpy(places.astype(np.float32))[None]
    return torch.nn.functional.grid_sample(part[None], grid, padding_mode="zeros", align_corners=False)[0]
