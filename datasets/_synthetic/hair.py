"""Hair: behind the neck, over the shoulders, and on the head from the hairline up."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .head import Surface, lit
from .identity import MEDIUM, SHORT
from .picture import Picture, paint
from .planes import Stack, bell, edge, power


@dataclass(frozen=True, slots=True)
class Hair:
    """One hairdo as one photo shows it.

    Attributes:
        colour: A picture, light included.
        shape: The distance inside the outer outline of the top of the hair, in face units; negative outside.
        half_width: Half the width of the hair at the sides, in face units.
        length: The y of the hair's lower end, in face units.
        worn: 1 for a person with hair, 0 for a bald head.
        falls: 1 for hair that hangs beside the face, 0 for short hair.
    """

    colour: Picture
    shape: Tensor
    half_width: Tensor
    length: Tensor
    worn: Tensor
    falls: Tensor


def hair(person: Stack, shot: Stack, seen: Surface) -> Hair:
    """Shape, strands and light of the hair."""
    volume = person.hair_volume + shot.volume_shift
    sway = person.hair_wave * torch.sin(person.hair_waves * seen.y + 6 * seen.x)
    x = seen.x + 0.05 * torch.sin(shot.yaw)
    half_width, half_height = 1.01 * person.half_width + volume + sway, person.half_height + volume
    across, high = x / half_width, (seen.y + 0.01) / half_height
    radius = power(power(across.abs(), person.skull) + power(high.abs(), person.skull), 1 / person.skull)
    # strands start at a crown high on the parting and run down the sides
    spread = 0.30 + 0.70 * ((seen.y + half_height) / half_height).clamp(0, 1)
    strand = _strands(person, (x - 0.6 * person.hair_part + 0.6 * sway) / spread, seen.y)
    normal_z = torch.sqrt((1.25 - across.clamp(-1, 1) ** 2 - 0.6 * high.clamp(-1, 0.3) ** 2).clamp_min(0.06))
    diffuse, _ = lit(shot, 0.75 * across.clamp(-1, 1), 0.75 * high.clamp(-1, 0.3), normal_z)
    band = 0.16 * bell(seen.y + 0.50 - 0.25 * x**2, 0.10) * (0.6 + 2.0 * strand)
    shade = (1 + strand + band * shot.direct) * diffuse * shot.hair_shade
    return Hair(
        colour=person.colour("hair") * shot.colour("light") * shade,
        shape=(1 - radius) * person.half_width,
        half_width=half_width,
        length=person.hair_length,
        worn=(person.hair_type >= SHORT).float(),
        falls=(person.hair_type >= MEDIUM).float(),
    )


def _strands(person: Stack, across: Tensor, down: Tensor) -> Tensor:
    """Light and dark strands around 0: waves of several widths whose periods do not match."""
    k = person.hair_strands
    drift = across + 0.02 * torch.sin(5 * down + 9 * person.hair_part)
    wide = torch.sin(k * drift + 2.5 * torch.sin(3 * down + 7 * drift))
    middle = torch.sin(1.83 * k * drift + 4 * person.hair_part + 1.7 * torch.sin(4 * down))
    fine = torch.sin(3.1 * k * drift + 2.0 * torch.sin(6 * down + 11 * drift))
    return 0.045 * wide * middle + 0.05 * middle + 0.07 * fine * (0.7 + 0.3 * wide)


def behind(picture: Picture, look: Hair, seen: Surface) -> Picture:
    """The hair that neck and face will cover."""
    top = edge(look.shape, 0.02) * edge(look.length.clamp_min(0.02) - seen.y, 0.06)
    curtain = _curtain(look, seen)
    return paint(picture, look.colour * 0.72, torch.maximum(top, curtain) * look.worn)


def _curtain(look: Hair, seen: Surface) -> Tensor:
    wide = look.half_width * (1 + 0.10 * seen.y.clamp(0, 1))
    return (
        edge(wide - seen.x.abs(), 0.02) * edge(seen.y, 0.03) * edge(look.length - seen.y, 0.07) * look.falls
    )


def over_shoulders(picture: Picture, person: Stack, look: Hair, seen: Surface) -> Picture:
    """Long hair that falls in front of the shoulders, on either side of the neck."""
    locks = _curtain(look, seen) * edge(seen.x.abs() - 0.72 * person.half_width, 0.05)
    return paint(picture, look.colour * 0.85, locks)


def on_head(picture: Picture, person: Stack, shot: Stack, look: Hair, seen: Surface, head: Tensor) -> Picture:
    """The cap of hair: above the hairline on the head, and its volume outside the head's outline."""
    x, y = seen.face_x, seen.face_y
    line = person.hair_line + shot.hair_shift + person.hair_peak * bell(x, 0.07)
    line = (
        line
        - person.hair_recede * bell(x.abs() - 0.24, 0.10)
        + 0.9 * power((x.abs() - 0.27).clamp_min(0), 1.3)
    )
    parted = 1 - 0.8 * edge(0.07 - (x - person.hair_part).abs(), 0.08)
    ragged = 1 + 0.18 * torch.sin(0.8 * person.hair_strands * x + 2 * torch.sin(17 * x))
    line = line + (person.hair_fringe * parted * (1 - 0.6 * (x / 0.45) ** 2) * ragged).clamp_min(0)
    ends = 0.012 * torch.sin(3.3 * person.hair_strands * x + 2 * torch.sin(31 * x))
    above = edge(line + ends - y, 0.03)
    ends_at = look.length.clamp(-0.3, 0.9) + 0.12
    sides = edge(x.abs() - person.hair_side + 0.10 * edge(-y - 0.1, 0.3), 0.03) * edge(ends_at - y, 0.10)
    outside = edge(look.shape, 0.016) * edge(look.length.clamp(-0.2, 0.2) - 0.05 - seen.y, 0.10)
    cover = (torch.maximum(above, sides) * head + outside * (1 - head)) * look.worn
    rim = 1 - 0.28 * bell(line - y, 0.035) * head * (1 - sides)
    return paint(picture, look.colour * rim, cover)
