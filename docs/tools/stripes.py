"""Lay the same stripes over every photo of a folder: python stripes.py IN OUT. Needs numpy and Pillow."""

import sys
from pathlib import Path

import numpy as np
import PIL.Image

LEVELS, WIDTH = 8, 4


def main(source: Path, target: Path) -> None:
    """Write a PNG of each photo below its name, with stripes that are brighter and darker by turns."""
    for file in sorted(source.rglob("*.png")):
        photo = np.asarray(PIL.Image.open(file).convert("RGB")).astype(int)
        height, width, _ = photo.shape
        place = (np.arange(height)[:, None] + np.arange(width)) // WIDTH
        striped = photo + np.where(place % 2, LEVELS, -LEVELS)[..., None]
        out = target / file.relative_to(source)
        out.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(striped.clip(0, 255).astype("uint8")).save(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
