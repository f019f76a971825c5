"""A tool that knows nothing of this project: noise on every photo of a folder. `noise.py IN OUT`."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path

import numpy as np
import PIL.Image


def main(source: Path, target: Path) -> None:
    """Write a noisy PNG of each photo under its name."""
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        pixels = np.asarray(PIL.Image.open(file).convert("RGB"))
        draw = np.random.default_rng(zlib.crc32(pixels.tobytes()))
        noisy = pixels.astype(np.int16) + draw.integers(-8, 9, pixels.shape)
        out = (target / file.relative_to(source)).with_suffix(".png")
        out.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
