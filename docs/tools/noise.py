"""Add noise to every photo of a folder: python noise.py IN OUT. Needs numpy and Pillow."""

import sys
import zlib
from pathlib import Path

import numpy as np
import PIL.Image

LEVELS = 8


def main(source: Path, target: Path) -> None:
    """Write a PNG of each photo below its name; every level of a pixel moves by at most `LEVELS`."""
    for file in sorted(source.rglob("*.png")):
        photo = np.asarray(PIL.Image.open(file).convert("RGB")).astype(int)
        draw = np.random.default_rng(zlib.crc32(photo.tobytes()))
        noisy = (photo + draw.integers(-LEVELS, LEVELS + 1, photo.shape)).clip(0, 255)
        out = target / file.relative_to(source)
        out.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(noisy.astype("uint8")).save(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
