"""The skin before light falls on it: tone, marks, folds, beard."""

from __future__ import annotations

import torch
from torch import Tensor

from .head import Mouth, Surface
from .identity import BLOTCHES, FRECKLES, MOLES
from .picture import Picture, paint, rgb
from .planes import Stack, bell, blob, edge


def skin(person: Stack, shot: Stack, seen: Surface, lips: Mouth) -> Picture:
    """A picture of the skin with its marks."""
    tone = person.colour("skin") * (1 + _blotches(person, seen))
    tone = tone + rgb(0.07, -0.07, -0.055, seen.x) * _flush(person, seen)
    shadow = 1 - _folds(person, shot, seen, lips) * _nose_lines(person, seen) * _marks(person, seen)
    # a fold is darker and, as blood shines through, redder
    return tone * (rgb(-0.88, -1.0, -1.02, shadow) * shadow + 1).each(lambda plane: plane.clamp_min(0))


def _blotches(person: Stack, seen: Surface) -> Tensor:
    total = torch.zeros_like(seen.face_x)
    for i in range(BLOTCHES):
        wave = seen.face_x * person.blotch_kx[i] + seen.face_y * person.blotch_ky[i] + person.blotch_phase[i]
        total = total + person.blotch_dark[i] * torch.sin(wave)
    return total


def _flush(person: Stack, seen: Surface) -> Tensor:
    cheeks = blob(seen.face_x.abs() - 0.28, 0.13, seen.face_y - 0.17, 0.12)
    nose = blob(seen.nose_x, 0.08, seen.nose_y - person.eye_y - person.nose_length, 0.06)
    return person.ruddy * (cheeks + 0.8 * nose)


def _folds(person: Stack, shot: Stack, seen: Surface, lips: Mouth) -> Tensor:
    """The share of light that folds leave: smile lines, bags, lid creases, forehead, under the lip."""
    x, y = seen.face_x, seen.face_y
    nose_y = person.eye_y + person.nose_length
    left = torch.ones_like(x)
    for side in (-1, 1):
        line = side * x - person.nose_width - 0.02 - 0.55 * (y - nose_y).clamp_min(0)
        reach = edge(y - nose_y + 0.02, 0.06) * edge(lips.y + 0.02 - y, 0.08)
        left = left * (1 - (0.22 * person.fold + 0.15 * shot.smile.clamp_min(0)) * bell(line, 0.018) * reach)
        dx = x - side * person.eye_x
        bag = blob(dx, 0.08, y - person.eye_y - person.eye_height - 0.035 + 6 * dx**2, 0.018)
        left = left * (1 - 0.17 * person.bag * bag)
        lid = blob(dx, 0.09, y - person.eye_y + person.eye_height * shot.blink + 0.024 - 2.2 * dx**2, 0.012)
        left = left * (1 - 0.26 * person.crease * lid)
    for row in range(3):
        line = y + 0.30 + 0.055 * row + 0.03 * torch.cos(7 * x) - 0.7 * shot.brow
        left = left * (1 - 0.16 * person.wrinkle * bell(line, 0.012) * bell(x**2, 0.0676))
    under_lip = blob(x, 0.7 * person.mouth_width, y - lips.y - person.lip_lower - 0.05 - lips.gap, 0.024)
    return left * (1 - 0.14 * under_lip)


def _nose_lines(person: Stack, seen: Surface) -> Tensor:
    x, y = seen.nose_x, seen.nose_y - person.eye_y - person.nose_length
    left = 1 - 0.14 * blob(x, person.nose_width * 1.05, y - 0.045, 0.028)
    for side in (-1, 1):
        hole = 1 - ((x - side * 0.48 * person.nose_width) / (1.15 * person.nostril)) ** 2
        hole = hole - ((y - 0.012 - person.nose_tip) / (0.62 * person.nostril)) ** 2
        left = left * (1 - 0.58 * edge(hole, 0.9))
        wing = blob(side * x - 1.08 * person.nose_width, 0.014, y + 0.005, 0.032)
        left = left * (1 - 0.18 * wing)
    return left


def _marks(person: Stack, seen: Surface) -> Tensor:
    """The share of light that moles leave. A mole that no person of the batch has costs nothing."""
    left = torch.ones_like(seen.face_x)
    for i in range(MOLES):
        if bool((person.mole_dark[i] > 0).any()):
            gap = (seen.face_x - person.mole_x[i]) ** 2 + (seen.face_y - person.mole_y[i]) ** 2
            left = left * (1 - person.mole_dark[i] * edge(1.2 - gap / person.mole_size[i] ** 2, 1.2))
    return left


def paint_freckles(picture: Picture, person: Stack, seen: Surface) -> Picture:
    """Freckles across nose and cheeks, painted on the skin of one window of a photo."""
    left = torch.ones_like(seen.face_x)
    for i in range(FRECKLES):
        size = 1.26 * person.freckle_size[i]
        dot = blob(seen.face_x - person.freckle_x[i], size, seen.face_y - person.freckle_y[i], size)
        left = left * (1 - 0.5 * person.freckle_dark[i] * dot)
    return picture * left


def beard(picture: Picture, person: Stack, shot: Stack, seen: Surface, lips: Mouth) -> Picture:
    """Stubble, moustache, goatee or full beard; nothing on a shaven face."""
    kinds = person.beard_stubble + person.beard_full + person.beard_moustache + person.beard_goatee
    if not bool((kinds > 0).any()):
        return picture
    x, y = seen.face_x, seen.face_y
    jaw = edge(y - person.beard_line - 0.6 * (0.33 - x.abs()).clamp_min(0), 0.10)
    upper = edge(
        1 - (x / (1.25 * lips.half_width)) ** 2 - ((y - lips.y + person.lip_upper + 0.042) / 0.036) ** 2, 0.6
    )
    tuft = edge(1 - (x / (0.95 * lips.half_width)) ** 2 - ((y - lips.y - 0.15) / 0.13) ** 2, 0.4)
    grown = torch.maximum(
        torch.maximum(jaw * person.beard_full, upper * person.beard_moustache), tuft * person.beard_goatee
    )
    shadow = (person.beard_stubble + shot.stubble).clamp(0, 0.6) * (person.beard_stubble > 0).float()
    grown = torch.maximum(grown, torch.maximum(jaw, upper) * shadow)
    hairs = torch.sin(97 * x + 31 * y + 4 * torch.sin(41 * y)) * torch.sin(
        83 * y - 29 * x + 4 * torch.sin(37 * x)
    )
    grain = 0.86 + 0.14 * hairs
    return paint(picture, person.colour("hair") * 0.9, (grown * grain).clamp(0, 0.95))
