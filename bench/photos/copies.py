"""Copies of a photo: the same picture in another file, encoded, scaled, cut, turned or toned anew.

Two small pictures are laid over each other, and what is left of their difference decides. A copy that was
scaled, turned or cut a little fits after an affine transformation; a copy that was brightened fits after a
curve of tones. Another photo of the same scene does not fit: somebody moved. The border was drawn with copies
and bursts of drawn faces and with LFW (design/015-copies.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bench.photos.looks import SIDE, Look

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.float32]

_COARSE = 8  # cells a side of what photos are roughly compared by
_ALIKE: Final = 0.7
"""The cosine of two coarse pictures, without their mean, from which on they are laid over each other."""
_ALIKE_TURNED: Final = 0.85
"""The same for a picture that lies on its side or is mirrored."""
_PLAIN = 3.0  # brightness levels: a picture that varies less has nothing to be told by
_STEPS = ((15, 50, 0.85), (3, 100, 0.9))
"""Blur in pixels, steps and least correlation of the two rounds of laying over."""
_FINE = 128
"""Pixels a side: of a smaller photo shrinking leaves the noise, and the edges of its JPEG blocks."""
_LEAST_SPREAD = 20.0
"""Brightness levels: a picture of less contrast has as much noise as others."""
_EDGE = 3  # pixels at the border of what lies over each other, which interpolation has made up
_BLOCKS = 8
_BLOCK_NOISE = 10.0  # brightness levels that are added to the contrast of a block
_LEAST_SHARED = 0.5

MEAN_LEFT: Final = 0.055
"""The most that may be left of a copy: root mean square, in standard deviations of the picture."""
WORST_LEFT: Final = 0.16
"""The same in the worst of 8 x 8 blocks: somebody who moved is a part of the picture."""
LOCAL_LEFT: Final = 0.14
"""The most that may be left of a block, in units of its own contrast: root mean square over the blocks. A
dark face before a bright wall has little of the picture's contrast, and must not pass for one that kept
still."""
MEAN_TONED, WORST_TONED, LOCAL_TONED = 0.4, 1.0, 1.0
"""How much more may be left for each unit by which the curve of tones is bent. Bending tones and making a
picture small do not commute; photos of one camera have no bent curve between them."""


def copies(looks: Sequence[Look]) -> dict[int, int]:
    """Which photos are copies of others.

    Args:
        looks: Photos that may be copies of each other, those to be kept first.

    Returns:
        The position of a copy -> the position of the photo that it is a copy of. That one is no copy.
    """
    pictures = [look.small.astype(np.float32) for look in looks]
    blurs = [min(2.0, max(1.0, _FINE / max(1.0, look.pixels**0.5))) for look in looks]
    usable = [i for i, picture in enumerate(pictures) if picture.size and picture.std() >= _PLAIN]
    coarse = np.empty((len(usable), _COARSE**2))
    kept: list[int] = []
    found: dict[int, int] = {}
    for i in usable:
        turned = _turned(pictures[i])
        alike = coarse[: len(kept)] @ np.stack([_coarse(picture) for picture in turned], axis=1)
        alike[:, 1:] -= _ALIKE_TURNED - _ALIKE
        near = np.argwhere(alike >= _ALIKE)
        order = np.argsort(-alike[near[:, 0], near[:, 1]], kind="stable")
        same = (
            kept[j]
            for j, k in near[order]
            if same_picture(pictures[kept[j]], turned[k], max(blurs[i], blurs[kept[j]]))
        )
        original = next(same, None)
        if original is not None:
            found[i] = original
            continue
        coarse[len(kept)] = _coarse(turned[0])
        kept.append(i)
    return found


def same_picture(a: Picture, b: Picture, blur: float = 1.0) -> bool:
    """Whether two small pictures are of the same photo.

    Args:
        a: [SIDE, SIDE], brightness from 0 to 255.
        b: The same.
        blur: How far both are blurred before they are compared, as a standard deviation in pixels.
    """
    return _fits(a, b, blur) or _fits(b, a, blur)


def _fits(a: Picture, b: Picture, blur: float) -> bool:
    """Whether the first picture fits over the second one; the search may fail in one direction."""
    laid = _laid_over(a, b, blur)
    if laid is None:
        return False
    over, under, shared = laid
    tones = (over[shared] - over[shared].mean()) / max(float(over[shared].std()), 1e-6)
    wanted = under[shared]
    powers = np.stack([np.ones_like(tones), tones, tones**2, tones**3], axis=1)
    curve, line = _fitted(powers, wanted), _fitted(powers[:, :2], wanted)
    left = np.zeros((SIDE, SIDE))
    left[shared] = wanted - curve
    spread = max(float(wanted.std()), _LEAST_SPREAD)
    bent = _root_mean_square(curve - line) / spread
    blocks, contrasts = _by_block(left, under, shared)
    return (
        _root_mean_square(left[shared]) <= (MEAN_LEFT + MEAN_TONED * bent) * spread
        and float(blocks.max()) <= (WORST_LEFT + WORST_TONED * bent) * spread
        and _root_mean_square(blocks / contrasts) <= LOCAL_LEFT + LOCAL_TONED * bent
    )


def _laid_over(a: Picture, b: Picture, sigma: float) -> tuple[Floats, Floats, npt.NDArray[np.bool_]] | None:
    """One picture as it fits over the other one best, the other one, and where both are; None if none fits.

    The transformation maximises the correlation of the two (Evangelidis and Psarakis 2008).
    """
    import cv2

    warp, whole = np.eye(2, 3, dtype=np.float32), np.ones((SIDE, SIDE), np.uint8)
    for blur, steps, least in _STEPS:
        until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, 1e-6)
        try:
            correlation, moved = cv2.findTransformECC(b, a, warp, cv2.MOTION_AFFINE, until, whole, blur)
        except cv2.error:
            return None  # nothing fits: the pictures have nothing in common
        if correlation < least:
            return None
        warp = np.asarray(moved, np.float32)
    shape, inverse = (SIDE, SIDE), cv2.WARP_INVERSE_MAP
    over = cv2.warpAffine(
        cv2.GaussianBlur(a, (0, 0), sigma),
        warp,
        shape,
        flags=cv2.INTER_CUBIC | inverse,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inside = np.ones(shape, np.float32)
    shared = cv2.warpAffine(inside, warp, shape, flags=cv2.INTER_LINEAR | inverse) > 0.999
    shared[:_EDGE] = shared[-_EDGE:] = shared[:, :_EDGE] = shared[:, -_EDGE:] = False
    if shared.mean() < _LEAST_SHARED:
        return None
    under = cv2.GaussianBlur(b, (0, 0), sigma)
    return over.astype(np.float64), under.astype(np.float64), shared


def _fitted(powers: Floats, wanted: Floats) -> Floats:
    """What powers of the tones say of the wanted ones, by least squares."""
    fitted: Floats = powers @ np.linalg.lstsq(powers, wanted, rcond=None)[0]
    return fitted


def _by_block(left: Floats, under: Floats, shared: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """What is left in each block that lies at least half in the shared part, and the block's contrast.

    Returns:
        Root mean square of what is left, and of the block around its mean and with some noise, in levels.
    """
    size = SIDE // _BLOCKS
    shape = (_BLOCKS, size, _BLOCKS, size)

    def mean(values: npt.NDArray[Any]) -> Floats:
        means: Floats = np.asarray(values, np.float64).reshape(shape).mean((1, 3))
        return means

    share = mean(shared)
    within = share > 0.5
    variance = mean(under**2) - mean(under) ** 2
    noise = _BLOCK_NOISE**2
    blocks: Floats = np.sqrt(mean(left**2)[within] / share[within])
    contrasts: Floats = np.sqrt(np.maximum(variance[within], 0) + noise)
    return blocks, contrasts


def _root_mean_square(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _turned(picture: Picture) -> list[Picture]:
    """A picture in its eight positions, as it is first: turned by right angles, and mirrored."""
    both = (picture, picture[:, ::-1])
    return [np.ascontiguousarray(np.rot90(one, quarter)) for one in both for quarter in range(4)]


def _coarse(picture: Picture) -> Floats:
    """A picture of few cells without its mean, as a vector of length 1."""
    size = SIDE // _COARSE
    cells = picture.reshape(_COARSE, size, _COARSE, size).mean((1, 3)).ravel().astype(np.float64)
    cells -= cells.mean()
    length = max(float(np.linalg.norm(cells)), 1e-9)
    unit: Floats = cells / length
    return unit
