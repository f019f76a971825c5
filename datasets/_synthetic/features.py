"""Mouth, eyes, brows and glasses, painted on the skin of one window of a photo."""

from __future__ import annotations

import torch

from .head import Mouth, Surface, light_direction
from .picture import Picture, grey, paint, rgb
from .planes import Stack, bell, blob, edge, power


def paint_mouth(picture: Picture, person: Stack, shot: Stack, seen: Surface, lips: Mouth) -> Picture:
    """Lips, the line between them, and teeth where the mouth is open."""
    across = seen.face_x / lips.half_width
    line_y = seen.face_y - lips.y + lips.curve * (across**2 - 0.35)
    arch = (1 - across**2).clamp_min(0)
    inside = edge(1 - across.abs(), 0.06)
    bow = 1 - 0.35 * person.cupid * bell(seen.face_x, 0.022)
    upper = person.lip_upper * power(arch, 0.7) * bow * (1 - 0.2 * shot.smile)
    lower = person.lip_lower * power(arch, 0.6) * (1 - 0.15 * shot.smile)
    cover = edge(line_y + upper + lips.gap, 0.016) * edge(lower + lips.gap - line_y, 0.016) * inside
    tone = 1 - 0.13 * edge(-line_y, 0.03) + 0.07 * bell(line_y - 0.55 * lower - lips.gap, 0.016)
    picture = paint(picture, person.colour("lip") * tone, 0.9 * cover)

    gap = lips.gap * arch
    hollow = edge(line_y + gap, 0.012) * edge(gap - line_y, 0.012) * inside * edge(gap - 0.003, 0.006)
    picture = paint(picture, rgb(0.17, 0.06, 0.06, hollow), hollow)
    teeth = hollow * edge(0.002 - line_y, 0.012) * edge(0.8 * lips.half_width - seen.face_x.abs(), 0.03)
    picture = paint(picture, rgb(0.90, 0.87, 0.82, hollow), 0.9 * teeth)
    corners = 0.25 * bell(across.abs() - 1, 0.10) * bell(line_y, 0.02)
    seam = 0.55 * bell(line_y, 0.009) * inside * (1 - hollow)
    return picture * (1 - seam.maximum(corners))


def paint_eye(picture: Picture, person: Stack, shot: Stack, seen: Surface, side: int) -> Picture:
    """One eye and its brow; `side` is -1 for the eye on the left of the image."""
    return _brow(_eye(picture, person, shot, seen, side), person, shot, seen, side)


def _eye(picture: Picture, person: Stack, shot: Stack, seen: Surface, side: int) -> Picture:
    which = (side + 1) // 2
    dx = seen.face_x - side * person.eye_x - person.asymmetry[which]
    dy = seen.face_y - person.eye_y - 0.6 * person.asymmetry[2 + which] + side * dx * person.eye_tilt
    across = dx / person.eye_width
    arc = (1 - across**2).clamp_min(0)
    upper = person.eye_height * shot.blink * power(arc, 0.75)
    lower = 0.75 * person.eye_height * arc * (0.6 + 0.4 * shot.blink) * (1 - 0.18 * shot.smile.clamp_min(0))
    within = (across.abs() < 1).float()
    opening = edge(dy + upper, 0.014) * edge(lower - dy, 0.014) * within

    pupil_x, pupil_y = dx - shot.gaze_x - 0.02 * torch.sin(shot.yaw), dy - shot.gaze_y + 0.006
    distance = torch.sqrt(pupil_x**2 + pupil_y**2 + 1e-8)
    under_lid = 0.70 + 0.30 * edge(dy + upper - 0.022, 0.04)
    ball = rgb(0.92, 0.90, 0.88, dx) * (under_lid * (1 - 0.14 * across**2))
    out = (distance / person.iris_size).clamp(0, 1)
    ring = 1.40 - 0.45 * out - 0.55 * edge(out - 0.86, 0.14)
    ball = paint(
        ball,
        person.colour("iris") * (ring * (0.6 + 0.4 * under_lid)),
        edge(person.iris_size - distance, 0.012),
    )
    ball = paint(ball, grey(0.03, dx), edge(0.43 * person.iris_size - distance, 0.012))
    glint_x = pupil_x - 0.013 * torch.sign(light_direction(shot)[0])
    ball = paint(ball, grey(1.0, dx), 0.9 * blob(glint_x, 0.0085, pupil_y + 0.015, 0.0085))
    picture = paint(picture, ball, opening)

    rim = edge(1.03 - across.abs(), 0.05)
    lash = bell(dy + upper, 0.0105) * rim * (0.40 + 0.5 * person.lash)
    picture = paint(picture, grey(0.07, dx), lash.clamp(0, 1))
    lower_lash = bell(dy - lower, 0.008) * rim * (0.12 + 0.25 * person.lash)
    return paint(picture, grey(0.14, dx), lower_lash)


def _brow(picture: Picture, person: Stack, shot: Stack, seen: Surface, side: int) -> Picture:
    lift = 0.6 * person.asymmetry[4 + (side + 1) // 2]
    dx = side * seen.face_x - person.eye_x - 0.012 - person.brow_shift
    dy = seen.face_y - person.eye_y + person.brow_height + shot.brow - lift
    dy = dy - person.brow_arch * (dx - 0.02) ** 2 + dx * person.brow_tilt
    outwards = ((dx / person.brow_length + 1) * 0.5).clamp(0, 1)
    half = 0.9 * person.brow_thick * (1 - 0.6 * outwards**2)
    cover = edge(half - dy.abs(), 0.016) * edge(person.brow_length - dx.abs(), 0.03)
    hairs = 0.86 + 0.14 * torch.sin(210 * dx + 160 * dy + 3 * torch.sin(60 * dx))
    return paint(picture, person.colour("hair") * 0.72, (cover * hairs * person.brow_dense).clamp(0, 1))


def paint_glasses(picture: Picture, person: Stack, shot: Stack, seen: Surface) -> Picture:
    """Frame, bridge and a faint reflection, on the photos of people who wear glasses."""
    if not bool((shot.glasses_on > 0).any()):
        return picture
    x = seen.face_x - 0.25 * person.nose_height * torch.sin(shot.yaw)
    y = seen.face_y - person.eye_y - 0.012
    for side in (-1, 1):
        across = (x - side * (person.eye_x + 0.01)).abs() / (1.12 * person.glasses_radius)
        down = y.abs() / (0.82 * person.glasses_radius)
        square = person.glasses_square
        radius = power(power(across, square) + power(down, square), 1 / square) - 1
        lens = edge(-radius, 0.05) * shot.glasses_on
        picture = paint(picture, grey(0.9, x), lens * (0.05 + 0.05 * edge(across - down, 0.6)))
        rim = edge(person.glasses_thick - (radius * person.glasses_radius).abs(), 0.014)
        picture = paint(picture, person.colour("glasses"), rim * shot.glasses_on)
    bridge = edge(0.012 - (y + 0.027).abs(), 0.014) * edge(
        person.eye_x - 1.05 * person.glasses_radius - x.abs(), 0.02
    )
    temple = edge(0.010 - (y + 0.03).abs(), 0.014) * edge(
        x.abs() - person.eye_x - 1.12 * person.glasses_radius, 0.02
    )
    return paint(picture, person.colour("glasses"), bridge.maximum(temple) * shot.glasses_on)
