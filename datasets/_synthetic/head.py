"""The head as a surface: the points that rays meet, its relief, its light, its landmarks.

There is no mesh. An orthographic ray meets a rounded profile that depends on the person, and turning the head
moves the features over that profile. A height field on top of the profile (nose, brow ridge, sockets, cheeks,
lips, chin) gives normals by finite differences.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .picture import Window
from .planes import Stack, bell, blob, edge, power

SIDE = 160
VIEW = 0.935
"""Half the width of the view at scale 1, in face units."""

_DEPTH = 0.775
_NEWTON_STEPS = 6


@dataclass(frozen=True, slots=True)
class Surface:
    """The point of the head that each pixel sees, as if the head filled the photo; planes in face units.

    Attributes:
        x: The position across the upright head in the image plane.
        y: The position down the upright head in the image plane.
        radius: 0 at the middle of the head's outline, 1 on the outline.
        depth: The height of the profile towards the camera.
        face_x: The position across the face, turned with the face; 0 on its axis.
        face_y: The position down the face, turned with the face.
        nose_x: As `face_x`, for points that stand out as far as the nose does.
        nose_y: As `face_y`, for points that stand out as far as the nose does.
    """

    x: Tensor
    y: Tensor
    radius: Tensor
    depth: Tensor
    face_x: Tensor
    face_y: Tensor
    nose_x: Tensor
    nose_y: Tensor

    def cut(self, window: Window) -> Surface:
        """The same surface, cut to one small rectangle a photo."""
        return Surface(
            window.cut(self.x),
            window.cut(self.y),
            window.cut(self.radius),
            window.cut(self.depth),
            window.cut(self.face_x),
            window.cut(self.face_y),
            window.cut(self.nose_x),
            window.cut(self.nose_y),
        )


def screen(count: int, device: str) -> tuple[Tensor, Tensor]:
    """The centres of the pixels, -1 to 1 over the photo: x and y [count, SIDE, SIDE]."""
    line = (torch.arange(SIDE, device=device, dtype=torch.float32) + 0.5) * (2 / SIDE) - 1
    return line.expand(count, SIDE, SIDE).contiguous(), line[:, None].expand(count, SIDE, SIDE).contiguous()


def surface(person: Stack, shot: Stack, screen_x: Tensor, screen_y: Tensor) -> Surface:
    """Follow the rays through screen points to the head."""
    sin_roll, cos_roll = torch.sin(shot.roll), torch.cos(shot.roll)
    sin_yaw, cos_yaw = torch.sin(shot.yaw), torch.cos(shot.yaw)
    sin_pitch, cos_pitch = torch.sin(shot.pitch), torch.cos(shot.pitch)
    u, v = (screen_x - shot.shift_x) / shot.scale * VIEW, (screen_y - shot.shift_y) / shot.scale * VIEW
    x, y = u * cos_roll + v * sin_roll, v * cos_roll - u * sin_roll

    down = y / person.half_height
    low, high = down.clamp_min(0), (-down).clamp_min(0)
    x_head = x - 0.07 * sin_yaw * low.clamp_max(1)  # the jaw turns, the neck does not
    narrowing = 1 - person.taper * power(low.clamp_max(1), 1.6)
    across = x_head.abs() / (person.half_width * narrowing * (1 + 0.05 * sin_yaw.abs()))
    bend = torch.where(down < 0, person.skull, person.jaw)
    radius = power(power(across, bend) + power(low + high, bend), 1 / bend)
    dome = 1 - across**2 - 0.32 * (down * down) ** 2
    depth = _DEPTH * person.half_width * torch.sqrt(dome.clamp_min(0.015))

    face_x = x_head * cos_yaw - depth * sin_yaw
    face_y = y * cos_pitch - (x_head * sin_yaw + depth * cos_yaw) * sin_pitch * 0.9
    along = _along_nose(person, face_y)
    nose_x = face_x - person.nose_height * 1.1 * along * sin_yaw
    nose_y = face_y - person.nose_height * 0.7 * along * sin_pitch
    return Surface(x, y, radius, depth, face_x, face_y, nose_x, nose_y)


def _along_nose(person: Stack, y: Tensor) -> Tensor:
    """0 above the root of the nose, 1 from its tip on down."""
    return ((y - person.eye_y + 0.06) / (person.nose_length + 0.06)).clamp(0, 1)


def outline(person: Stack, seen: Surface) -> Tensor:
    """The head's cover: 1 inside, 0 outside, soft over about a pixel and a half."""
    return edge((1 - seen.radius) * person.half_width, 0.014)


@dataclass(frozen=True, slots=True)
class Mouth:
    """The position of the mouth under the photo's expression, in face units.

    Attributes:
        y: The height of the line between the lips, in the middle.
        half_width: The distance from the middle to a corner.
        gap: Half the opening.
        curve: How far the corners lie above the middle.
    """

    y: Tensor
    half_width: Tensor
    gap: Tensor
    curve: Tensor


def mouth(person: Stack, shot: Stack) -> Mouth:
    """Place the mouth: a smile widens and lifts it, an open mouth is narrower."""
    widening = 1 + 0.16 * shot.smile.clamp_min(-0.3) - 0.12 * shot.open.clamp_max(1)
    return Mouth(
        y=person.mouth_y - 0.012 * shot.smile,
        half_width=person.mouth_width * widening,
        gap=0.045 * shot.open,
        curve=0.055 * shot.smile + 0.05 * person.mouth_curve,
    )


def relief(person: Stack, shot: Stack, seen: Surface) -> Tensor:
    """The height of the face over the plain profile, in face units."""
    x, y = seen.face_x, seen.face_y
    nose_y = person.eye_y + person.nose_length
    along = _along_nose(person, seen.nose_y)
    width = 1.35 * (person.nose_bridge + (person.nose_width - person.nose_bridge) * along**3)
    ridge = 0.28 + 0.72 * along * (0.7 + 0.3 * along) + 4 * person.nose_hump * along * (1 - along)
    ends = (1 - edge(seen.nose_y - nose_y - person.nose_tip - 0.02, 0.09)) * edge(
        seen.nose_y - person.eye_y + 0.1, 0.18
    )
    height = 0.85 * person.nose_height * ridge * bell(seen.nose_x, width) * ends
    for side in (-1, 1):
        alar = blob(seen.nose_x - side * person.nose_width * 0.85, 0.038, seen.nose_y - nose_y + 0.012, 0.04)
        socket = blob(x - side * person.eye_x, 0.13, y - person.eye_y, 0.085)
        brow = blob(x - side * person.eye_x, 0.15, y - person.eye_y + 0.115, 0.05)
        cheek = blob(x - side * 0.29, 0.13, y - person.cheek_y, 0.11)
        height = height + 0.028 * alar - 0.05 * person.socket * socket + 0.026 * person.ridge * brow
        height = height + (0.045 * person.cheek + 0.03 * shot.smile.clamp_min(0)) * cheek
    lips = mouth(person, shot)
    height = height + 0.04 * blob(x, lips.half_width, y - lips.y, 0.07 + lips.gap)
    height = height + (0.025 + 0.04 * person.chin) * blob(x, 0.13, y - lips.y - 0.20, 0.085)
    return height - 0.03 * person.cleft * blob(x, 0.022, y - lips.y - 0.21, 0.06)


def _slope(height: Tensor, dim: int, scale: Tensor) -> Tensor:
    """The central difference along an image axis in face units, limited where the surface is steep."""
    last = height.shape[dim] - 1
    ahead = torch.cat([height.narrow(dim, 1, last), height.narrow(dim, last, 1)], dim)
    behind = torch.cat([height.narrow(dim, 0, 1), height.narrow(dim, 0, last)], dim)
    slope = (ahead - behind) * scale * (SIDE / (4 * VIEW))
    return slope * torch.rsqrt(1 + (slope / 1.3) ** 2)


def light_direction(shot: Stack) -> tuple[Tensor, Tensor, Tensor]:
    """The unit vector towards the light: x right, y down, z towards the camera."""
    level = torch.cos(shot.light_above)
    return (
        torch.sin(shot.light_side) * level,
        -torch.sin(shot.light_above),
        torch.cos(shot.light_side).abs() * level,
    )


def lit(shot: Stack, normal_x: Tensor, normal_y: Tensor, normal_z: Tensor | float) -> tuple[Tensor, Tensor]:
    """Diffuse light and gloss of a surface with these normals, of any length.

    The light reaches a little beyond the horizon, as it does on skin.
    """
    light_x, light_y, light_z = light_direction(shot)
    inverse = torch.rsqrt(normal_x**2 + normal_y**2 + normal_z**2)
    facing = (normal_x * light_x + normal_y * light_y + normal_z * light_z) * inverse
    diffuse = shot.ambient * (0.95 - 0.12 * normal_y * inverse) + shot.direct * (
        (facing + 0.2) / 1.2
    ).clamp_min(0)
    halfway = torch.rsqrt(light_x**2 + light_y**2 + (light_z + 1) ** 2)
    shine = (facing + normal_z * inverse) * halfway
    return diffuse, shot.gloss * power(shine.clamp(0, 1), 20.0)


def shading(person: Stack, shot: Stack, seen: Surface) -> tuple[Tensor, Tensor]:
    """Diffuse light and gloss of every pixel of the face."""
    height = seen.depth + relief(person, shot, seen)
    per_unit = shot.scale
    slope_x, slope_y = _slope(height, 2, per_unit), _slope(height, 1, per_unit)
    roundness = 0.35 * (seen.y / person.half_height).clamp(-1, 1)
    return lit(shot, -0.85 * slope_x, -0.85 * slope_y + roundness, 1.0)


def landmarks(person: Stack, shot: Stack) -> Tensor:
    """The five landmarks in pixels, float64 [n, 5, 2]: eyes, nose tip, mouth corners.

    Pixel coordinates count from the centre of the top-left pixel. Newton's method with a numerical Jacobian
    inverts the map from the screen to the face that the painters use.
    """
    person, shot = person.double(), shot.double()
    lips = mouth(person, shot)
    corner_y = lips.y - 0.65 * lips.curve
    eye_y = person.eye_y + 0.6 * person.asymmetry[2:4]
    left_x, right_x = person.asymmetry[0] - person.eye_x, person.asymmetry[1] + person.eye_x
    zero = torch.zeros_like(left_x)
    want_x = torch.cat([left_x, right_x, zero, -lips.half_width, lips.half_width], 1)
    want_y = torch.cat([eye_y[0], eye_y[1], person.eye_y + person.nose_length - 0.03, corner_y, corner_y], 1)
    is_nose = torch.tensor([False, False, True, False, False], device=want_x.device).view(1, 5, 1)

    at_x, at_y, small = want_x / VIEW + shot.shift_x, want_y / VIEW + shot.shift_y, 1e-5
    for _ in range(_NEWTON_STEPS):
        # the point itself, one a little to its right, one a little below it: three columns
        seen = surface(
            person, shot, torch.cat([at_x, at_x + small, at_x], 2), torch.cat([at_y, at_y, at_y + small], 2)
        )
        x, y = torch.where(is_nose, seen.nose_x, seen.face_x), torch.where(is_nose, seen.nose_y, seen.face_y)
        slope_x, slope_y = (x[..., 1:] - x[..., :1]) / small, (y[..., 1:] - y[..., :1]) / small
        a, b, c, d = slope_x[..., :1], slope_x[..., 1:], slope_y[..., :1], slope_y[..., 1:]
        miss_x, miss_y, det = x[..., :1] - want_x, y[..., :1] - want_y, a * d - b * c
        at_x = at_x - ((d * miss_x - b * miss_y) / det).clamp(-0.2, 0.2)
        at_y = at_y - ((a * miss_y - c * miss_x) / det).clamp(-0.2, 0.2)
    points = torch.cat([at_x, at_y], 2)
    return (points + 1) * (SIDE / 2) - 0.5
