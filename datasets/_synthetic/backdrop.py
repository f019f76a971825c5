"""The parts of a photo behind and below the face: background, neck, clothes, ears."""

from __future__ import annotations

import torch
from torch import Tensor

from .head import VIEW, Surface
from .identity import MEDIUM
from .photo import SPOTS
from .picture import Picture, paint
from .planes import Stack, bell, edge


def background(shot: Stack, screen_x: Tensor, screen_y: Tensor) -> Picture:
    """A picture of a gradient, soft spots and stripes, like a room out of focus."""
    along = 0.5 + 0.35 * (screen_x * torch.cos(shot.back_angle) + screen_y * torch.sin(shot.back_angle))
    near = shot.colour("back_near").each(lambda level: level.expand_as(screen_x))
    stripes = shot.stripe * torch.sin(screen_x * shot.stripe_kx + screen_y * shot.stripe_ky)
    picture = paint(near, shot.colour("back_far"), along) + stripes
    for i in range(SPOTS):
        distance = (screen_x - shot.spot_x[i]) ** 2 + (screen_y - shot.spot_y[i]) ** 2
        tint = Picture(shot.spot_red[i], shot.spot_green[i], shot.spot_blue[i])
        picture = picture + tint * edge(shot.spot_size[i] ** 2 - distance, 0.12)
    picture = picture.each(lambda plane: plane.clamp(0.02, 0.98))
    return picture * 0.55 + 0.45 * picture.mean


def neck(picture: Picture, person: Stack, shot: Stack, seen: Surface) -> Picture:
    """The neck, in the shadow of the chin and rounded at its sides."""
    x = seen.x - 0.05 * torch.sin(shot.yaw)
    half = person.half_width * (0.60 + 0.10 * ((seen.y - 0.55) / 0.4).clamp(0, 1) ** 2)
    shadow = 0.62 + 0.22 * ((seen.y - person.half_height) / 0.25).clamp(0, 1)
    round_off = 1 - 0.30 * (x / half).clamp(-1, 1) ** 2
    light = shadow * round_off * (shot.ambient + 0.45 * shot.direct)
    return paint(
        picture,
        person.colour("skin") * shot.colour("light") * light,
        edge(half - x.abs(), 0.02) * edge(seen.y - 0.3, 0.05),
    )


def clothes(picture: Picture, shot: Stack, seen: Surface) -> Picture:
    """A plain top with sloping shoulders and a neckline."""
    dip = (0.06 + 0.16 * shot.neckline) * bell(seen.x, 0.22)
    top = 0.78 + 0.20 * seen.x.abs() + dip
    below = seen.y - top
    hem = 1 - 0.25 * bell(below - 0.02, 0.018)
    light = hem * (shot.ambient + 0.35 * shot.direct) * (0.95 - 0.12 * seen.x / VIEW)
    return paint(picture, shot.colour("cloth") * shot.colour("light") * light, edge(below, 0.015))


def ears(picture: Picture, person: Stack, shot: Stack, seen: Surface) -> Picture:
    """Both ears. The far ear of a turned head disappears behind it, and long hair covers both."""
    sin_yaw = torch.sin(shot.yaw)
    bare = 1 - 0.9 * (person.hair_type >= MEDIUM).float()
    light = shot.ambient + 0.5 * shot.direct
    for side in (-1, 1):
        centre = side * 0.98 * person.half_width * torch.cos(shot.yaw).clamp(0.8, 1) + 0.10 * sin_yaw
        seen_side = 1 - edge(side * sin_yaw - 0.25, 0.25)
        dx, dy = (seen.x - centre) / (0.05 + 0.03 * person.ear_out), (seen.y - person.ear_y) / person.ear
        fill = 1 - dx**2 - dy**2
        hollow = 1 - 0.30 * bell(dx - side * 0.1, 0.45) * bell(dy, 0.6)
        shade = 0.82 * light * hollow
        picture = paint(
            picture, person.colour("skin") * shot.colour("light") * shade, edge(fill, 0.25) * seen_side * bare
        )
    return picture
