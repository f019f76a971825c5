"""The parameters of a photo: pose, light, expression, surroundings and camera.

Angles are in radians; a positive yaw turns the face towards the right of the image, a positive pitch down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .identity import Array, Colour, identity

_STREAM = 202
_NOISE_STREAM = 303
SPOTS = 5


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo of a person. A float is a scalar, a tuple a colour, an array one value of several spots."""

    # pose
    yaw: float
    pitch: float
    roll: float
    scale: float
    shift_x: float
    shift_y: float
    # light
    light_side: float
    light_above: float
    ambient: float
    direct: float
    gloss: float
    light: Colour
    # expression
    smile: float
    open: float
    blink: float
    brow: float
    gaze_x: float
    gaze_y: float
    # surroundings and things worn
    back_near: Colour
    back_far: Colour
    back_angle: float
    spot_x: Array
    spot_y: Array
    spot_size: Array
    spot_red: Array
    spot_green: Array
    spot_blue: Array
    stripe_kx: float
    stripe_ky: float
    stripe: float
    cloth: Colour
    neckline: float
    glasses_on: float
    hair_shade: float
    hair_shift: float
    volume_shift: float
    stubble: float
    # camera
    exposure: float
    gamma: float
    saturation: float
    blur: float
    noise: float
    quality: int


def photo(person: int, number: int, hardness: float) -> Photo:
    """The parameters of one photo.

    Args:
        person: The identity number.
        number: The number of the photo among the person's photos.
        hardness: The factor of the spread of pose, light, exposure, blur and noise. 0 leaves them at their
            means, 1 is hard to recognise. The random draws are the same for every hardness.

    Raises:
        ValueError: for a negative number or hardness.
    """
    if number < 0 or not 0 <= hardness < math.inf:
        raise ValueError(f"photo {number} at hardness {hardness}: both must be 0 or above")
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([_STREAM, person, number])))
    uniform, normal = rng.uniform, rng.normal

    def about(spread: float, limit: float) -> float:
        return float(np.clip(normal(0, spread * hardness), -limit, limit))

    def between(mean: float, spread: float, low: float, high: float) -> float:
        return float(np.clip(normal(mean, spread), low, high))

    def colour(values: Array) -> Colour:
        r, g, b = values.tolist()
        return r, g, b

    warmth = normal(0, 0.06 * hardness) * np.array([1, 0.1, -1.0])
    near = 0.6 * uniform(0.05, 0.95, 3) + 0.4 * uniform(0.1, 0.9)
    far = 0.5 * near + 0.5 * uniform(0.05, 0.95, 3)
    return Photo(
        yaw=about(0.26, 0.6),
        pitch=about(0.12, 0.3),
        roll=about(0.07, 0.22),
        scale=1 + about(0.05, 0.13),
        shift_x=about(0.03, 0.09),
        shift_y=about(0.03, 0.09),
        light_side=about(0.7, 1.4),
        light_above=uniform(-0.1, 0.9),
        ambient=uniform(0.40, 0.75),
        direct=uniform(0.40, 0.85),
        gloss=uniform(0.0, 0.16),
        light=colour(np.clip(1 + warmth + normal(0, 0.015, 3), 0.75, 1.25)),
        smile=between(0.25, 0.45, -0.6, 1.2),
        open=max(0.0, between(-0.15, 0.45, -1.0, 1.2)),
        blink=0.12 if uniform() < 0.05 else between(1, 0.15, 0.25, 1.25),
        brow=between(0, 0.012, -0.025, 0.03),
        gaze_x=between(0, 0.014, -0.03, 0.03),
        gaze_y=between(0, 0.007, -0.015, 0.015),
        back_near=colour(near),
        back_far=colour(far),
        back_angle=uniform(0, 2 * math.pi),
        spot_x=uniform(-1.2, 1.2, SPOTS),
        spot_y=uniform(-1.2, 1.2, SPOTS),
        spot_size=uniform(0.1, 0.6, SPOTS),
        spot_red=normal(0, 0.22, SPOTS),
        spot_green=normal(0, 0.22, SPOTS),
        spot_blue=normal(0, 0.22, SPOTS),
        stripe_kx=normal(0, 8),
        stripe_ky=normal(0, 8),
        stripe=uniform(0, 0.08),
        cloth=colour(uniform(0.05, 0.9, 3)),
        neckline=uniform(0, 1),
        glasses_on=float(uniform() < identity(person).glasses_odds),
        hair_shade=math.exp(normal(0, 0.08)),
        hair_shift=between(0, 0.012, -0.03, 0.03),
        volume_shift=between(0, 0.012, -0.02, 0.02),
        stubble=max(0.0, normal(0, 0.08)),
        exposure=math.exp(normal(0, 0.12 * hardness)),
        gamma=math.exp(normal(0, 0.12 * hardness)),
        saturation=1 + about(0.12, 0.4),
        blur=abs(normal(0, 0.64 * hardness)),
        noise=uniform(0.002, 0.022) * hardness,
        quality=int(uniform(45, 96)),
    )


def noise(person: int, number: int, side: int) -> npt.NDArray[np.float32]:
    """The sensor noise of one photo: standard normal, float32 [side, side, 3]."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([_NOISE_STREAM, person, number])))
    return rng.standard_normal((side, side, 3), dtype=np.float32)
