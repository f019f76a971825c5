"""The parameters of a person: they are the same on all photos of the person.

Lengths are in face units: the head is about 1.1 wide and 1.5 high, x grows to the right of the image,
y downwards, and the origin lies between the eyes and the nose. Colours are RGB in [0, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Colour = tuple[float, float, float]

_STREAM = 101
MOLES, FRECKLES, BLOTCHES = 6, 24, 4
BALD, SHORT, MEDIUM, LONG = range(4)

_SKIN = np.array(
    [[0.96, 0.82, 0.73], [0.89, 0.69, 0.56], [0.74, 0.53, 0.39], [0.54, 0.36, 0.26], [0.37, 0.24, 0.175]]
)
_HAIR = np.array(
    [
        [0.075, 0.065, 0.065],
        [0.17, 0.11, 0.08],
        [0.31, 0.19, 0.11],
        [0.50, 0.34, 0.18],
        [0.76, 0.61, 0.37],
        [0.52, 0.23, 0.11],
        [0.54, 0.53, 0.52],
        [0.83, 0.82, 0.80],
    ]
)
_HAIR_ODDS = [0.20, 0.20, 0.17, 0.12, 0.11, 0.08, 0.07, 0.05]
_IRIS = np.array(
    [
        [0.20, 0.11, 0.05],
        [0.34, 0.20, 0.09],
        [0.27, 0.40, 0.54],
        [0.38, 0.54, 0.66],
        [0.28, 0.40, 0.24],
        [0.40, 0.40, 0.35],
    ]
)
_IRIS_ODDS = [0.27, 0.22, 0.15, 0.12, 0.14, 0.10]


@dataclass(frozen=True, slots=True)
class Identity:
    """One person. A float is a scalar, a tuple is a colour, an array holds one value of several marks."""

    # head
    half_width: float
    half_height: float
    skull: float
    jaw: float
    taper: float
    chin: float
    cleft: float
    cheek: float
    cheek_y: float
    asymmetry: Array
    # skin
    skin: Colour
    ruddy: float
    fold: float
    wrinkle: float
    mole_x: Array
    mole_y: Array
    mole_size: Array
    mole_dark: Array
    freckle_x: Array
    freckle_y: Array
    freckle_size: Array
    freckle_dark: Array
    blotch_kx: Array
    blotch_ky: Array
    blotch_phase: Array
    blotch_dark: Array
    # eyes and brows
    eye_x: float
    eye_y: float
    eye_width: float
    eye_height: float
    eye_tilt: float
    socket: float
    ridge: float
    iris: Colour
    iris_size: float
    crease: float
    lash: float
    bag: float
    brow_height: float
    brow_length: float
    brow_thick: float
    brow_arch: float
    brow_tilt: float
    brow_shift: float
    brow_dense: float
    # nose, mouth, ears
    nose_length: float
    nose_width: float
    nose_bridge: float
    nose_height: float
    nose_tip: float
    nose_hump: float
    nostril: float
    mouth_y: float
    mouth_width: float
    lip_upper: float
    lip_lower: float
    cupid: float
    mouth_curve: float
    lip: Colour
    ear: float
    ear_y: float
    ear_out: float
    # hair, beard, glasses
    hair_type: float
    hair: Colour
    hair_line: float
    hair_peak: float
    hair_recede: float
    hair_side: float
    hair_volume: float
    hair_length: float
    hair_part: float
    hair_fringe: float
    hair_wave: float
    hair_waves: float
    hair_strands: float
    beard_stubble: float
    beard_full: float
    beard_moustache: float
    beard_goatee: float
    beard_line: float
    glasses_odds: float
    glasses_radius: float
    glasses_square: float
    glasses_thick: float
    glasses: Colour


def _colour(values: Array) -> Colour:
    r, g, b = np.clip(values, 0.02, 1.0).tolist()
    return r, g, b


@lru_cache(maxsize=4096)
def identity(number: int) -> Identity:
    """The person of a number. The same number is the same person on every machine.

    Args:
        number: 0 or above. `populations` says which numbers serve which purpose.

    Raises:
        ValueError: for a negative number.
    """
    if number < 0:
        raise ValueError(f"identity {number} is negative")
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([_STREAM, number])))
    uniform, normal = rng.uniform, rng.normal

    def about(mean: float, spread: float) -> float:
        return mean + float(np.clip(normal(0, spread), -2.4 * spread, 2.4 * spread))

    tone = uniform(0, 3.999)
    below = int(tone)
    skin = _SKIN[below] + (tone - below) * (_SKIN[below + 1] - _SKIN[below]) + normal(0, 0.018, 3)
    iris = _IRIS[rng.choice(6, p=_IRIS_ODDS)] + normal(0, 0.03, 3)
    painted = uniform() < 0.22
    lip = np.array([0.68, 0.20, 0.25]) if painted else skin * np.array([0.87, 0.62, 0.61])
    lip = lip + normal(0, 0.03, 3)
    hair_type = int(rng.choice(4, p=[0.08, 0.40, 0.26, 0.26]))
    hair = _HAIR[rng.choice(8, p=_HAIR_ODDS)] * uniform(0.8, 1.2) + normal(0, 0.012, 3)
    volume = uniform(0.03, 0.09) if hair_type <= SHORT else uniform(0.05, 0.15)
    length = (0.0, uniform(-0.25, 0.0), uniform(0.15, 0.55), uniform(0.65, 1.4))[hair_type]
    beard = int(rng.choice(5, p=[0.60, 0.12, 0.10, 0.09, 0.09]))
    freckled = 0.34 * uniform() if uniform() < 0.35 else 0.0
    return Identity(
        half_width=about(0.535, 0.034),
        half_height=about(0.745, 0.030),
        skull=uniform(2.05, 2.6),
        jaw=uniform(1.85, 2.9),
        taper=uniform(0.06, 0.36),
        chin=uniform(0, 1),
        cleft=uniform(0.4, 1) * float(uniform() < 0.2),
        cheek=uniform(0, 1),
        cheek_y=about(0.16, 0.03),
        asymmetry=np.clip(normal(0, 0.010, 6), -0.024, 0.024),
        skin=_colour(skin),
        ruddy=uniform(0, 0.5),
        fold=uniform(0, 1) ** 2,
        wrinkle=uniform(0, 1) ** 3,
        mole_x=uniform(-0.42, 0.42, MOLES),
        mole_y=uniform(-0.40, 0.58, MOLES),
        mole_size=uniform(0.010, 0.020, MOLES),
        mole_dark=uniform(0.25, 0.75, MOLES) * (uniform(size=MOLES) < 0.42),
        freckle_x=normal(0, 0.20, FRECKLES),
        freckle_y=normal(0.10, 0.12, FRECKLES),
        freckle_size=uniform(0.008, 0.014, FRECKLES),
        freckle_dark=uniform(0.3, 1, FRECKLES) * freckled,
        blotch_kx=normal(0, 9, BLOTCHES),
        blotch_ky=normal(0, 9, BLOTCHES),
        blotch_phase=uniform(0, 2 * np.pi, BLOTCHES),
        blotch_dark=uniform(0, 0.022, BLOTCHES),
        eye_x=about(0.213, 0.020),
        eye_y=about(-0.07, 0.028),
        eye_width=about(0.098, 0.011),
        eye_height=about(0.046, 0.008),
        eye_tilt=about(0.02, 0.12),
        socket=uniform(0.2, 1),
        ridge=uniform(0, 1),
        iris=_colour(iris),
        iris_size=about(0.041, 0.003),
        crease=uniform(0.2, 1),
        lash=uniform(0.2, 1),
        bag=uniform(0, 1),
        brow_height=about(0.118, 0.016),
        brow_length=about(0.122, 0.015),
        brow_thick=about(0.028, 0.008),
        brow_arch=about(0.9, 0.7),
        brow_tilt=about(0.02, 0.13),
        brow_shift=about(0.0, 0.012),
        brow_dense=uniform(0.45, 0.95),
        nose_length=about(0.262, 0.028),
        nose_width=about(0.085, 0.015),
        nose_bridge=about(0.047, 0.009),
        nose_height=about(0.15, 0.030),
        nose_tip=about(0, 0.018),
        nose_hump=about(0, 0.03),
        nostril=about(0.020, 0.004),
        mouth_y=about(0.365, 0.026),
        mouth_width=about(0.165, 0.020),
        lip_upper=about(0.031, 0.008),
        lip_lower=about(0.043, 0.009),
        cupid=uniform(0, 1),
        mouth_curve=about(0, 0.12),
        lip=_colour(lip),
        ear=about(0.13, 0.018),
        ear_y=about(0.0, 0.028),
        ear_out=uniform(0.3, 1),
        hair_type=float(hair_type),
        hair=_colour(hair),
        hair_line=about(-0.43, 0.050),
        hair_peak=about(0, 0.04),
        hair_recede=uniform(0, 0.11),
        hair_side=about(0.455, 0.025),
        hair_volume=volume,
        hair_length=length,
        hair_part=uniform(-0.35, 0.35),
        hair_fringe=uniform(0.10, 0.28) * float(uniform() < 0.4),
        hair_wave=uniform(0, 0.03),
        hair_waves=uniform(4, 16),
        hair_strands=uniform(24, 46),
        beard_stubble=uniform(0.2, 0.5) * float(beard == 1),
        beard_full=uniform(0.6, 0.95) * float(beard == 2),
        beard_moustache=uniform(0.6, 0.95) * float(beard in (2, 3)),
        beard_goatee=uniform(0.6, 0.95) * float(beard == 4),
        beard_line=uniform(0.12, 0.30),
        glasses_odds=0.85 if uniform() < 0.15 else 0.06,
        glasses_radius=uniform(0.105, 0.14),
        glasses_square=uniform(2, 5),
        glasses_thick=uniform(0.008, 0.018),
        glasses=_colour(uniform(0, 0.5) * uniform(0.3, 1, 3)),
    )
