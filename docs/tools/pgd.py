"""Cloak every photo of a folder with the PGD of torchattacks: python pgd.py IN OUT.

Needs torchattacks, and cloakbench for its detector and its network `synth-ir`.
"""

import sys
from pathlib import Path

import numpy as np
import PIL.Image
import torch
import torchattacks
from torch import nn

from bench import encoders
from bench.faces import detectors
from bench.types import Folders

BUDGET, STEP, STEPS, SIDE = 8 / 255, 2 / 255, 10, 112


class Recogniser(nn.Module):
    """A photo [1, 3, height, width] -> how much its face is like that of every photo."""

    def __init__(self, network: nn.Module) -> None:
        """Keep the network; whom a face is compared with, and where it is, is said later."""
        super().__init__()
        self.network = network
        self.box: tuple[int, int, int, int] = (0, 0, 0, 0)
        self.known = torch.zeros(0, 0)

    def embed(self, photo: torch.Tensor) -> torch.Tensor:
        """The unit embedding of what is in the box."""
        left, top, right, bottom = self.box
        face = photo[..., top:bottom, left:right]
        crop = nn.functional.interpolate(face, (SIDE, SIDE), mode="bilinear", align_corners=False)
        return nn.functional.normalize(self.network(crop), dim=1)

    def forward(self, photo: torch.Tensor) -> torch.Tensor:
        """Scaled cosines with every photo."""
        return 16 * self.embed(photo) @ self.known.T


def main(source: Path, target: Path) -> None:
    """Write a cloaked PNG of each photo below its name; a photo without a face stays as it is."""
    torch.manual_seed(0)
    weights = Folders(home="")
    detector = detectors.lookup("mtcnn").load(weights, "cpu")
    model = Recogniser(encoders.load("synth-ir", weights, "cpu").twin()).eval()
    files, photos, boxes = sorted(source.rglob("*.png")), [], []
    for file in files:
        photo = np.array(PIL.Image.open(file).convert("RGB"))
        found = detector.faces(photo, 20).boxes
        photos.append(torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255)
        boxes.append(inside(found[0], photo.shape) if len(found) else None)
    embeddings = []
    for photo, box in zip(photos, boxes, strict=True):
        model.box = box or (0, 0, photo.shape[3], photo.shape[2])
        embeddings.append(model.embed(photo).detach())
    model.known = torch.cat(embeddings)
    attack = torchattacks.PGD(model, eps=BUDGET, alpha=STEP, steps=STEPS)
    for number, (file, photo, box) in enumerate(zip(files, photos, boxes, strict=True)):
        if box is not None:
            model.box = box
            photo = attack(photo, torch.tensor([number]))
        out = target / file.relative_to(source)
        out.parent.mkdir(parents=True, exist_ok=True)
        levels = (photo[0] * 255).round().byte().permute(1, 2, 0).numpy()
        PIL.Image.fromarray(levels).save(out)


def inside(box: np.ndarray, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """A box in whole pixels, within a photo of this shape."""
    left, top, right, bottom = (round(float(edge)) for edge in box)
    return max(0, left), max(0, top), min(shape[1], right), min(shape[0], bottom)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
