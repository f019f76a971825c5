"""A tool as researchers write them: PGD on one encoder, which sees the middle of each photo.

`push_away.py IN OUT` writes `photo_cloaked.png` for each photo, as several published tools do.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import PIL.Image
import torch

from bench import encoders
from bench.types import Folders

ENCODER = "synth-inc"
LIMIT, STEP, STEPS = 8 / 255, 2 / 255, 8


def main(source: Path, target: Path) -> None:
    """Write a cloak of each photo."""
    encoder = encoders.load(ENCODER, Folders(home=""))
    network, size = encoder.twin(), encoder.card.crop.size

    def embed(photos: torch.Tensor) -> torch.Tensor:
        height, width = photos.shape[2:]
        middle = photos[:, :, height // 6 : -height // 6, width // 6 : -width // 6]
        crops = torch.nn.functional.interpolate(middle, (size, size), mode="bilinear")
        return torch.nn.functional.normalize(network(crops))

    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        pixels = np.array(PIL.Image.open(file).convert("RGB"))
        photo = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        clean, change = embed(photo).detach(), torch.full_like(photo, 1 / 255)
        for _ in range(STEPS):
            change = change.detach().requires_grad_()
            (embed(photo + change) * clean).sum().backward()
            assert change.grad is not None
            change = (change - STEP * change.grad.sign()).clamp(-LIMIT, LIMIT)
            change = (photo + change).clamp(0, 1) - photo
        cloak = ((photo + change.detach()) * 255).round()[0].permute(1, 2, 0).numpy().astype(np.uint8)
        out = (target / file.relative_to(source)).with_name(f"{file.stem}_cloaked.png")
        out.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(cloak).save(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
