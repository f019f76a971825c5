"""The engine, torchattacks and Foolbox on one function: projected gradient descent against one classifier.

All three attack the cosine of a crop's embedding with the clean embedding of every photo, each photo its own
class, with the same batch, steps and budget. Crops are aligned already, so that alignment costs nobody
anything but the engine, which does its own all the same. Success is measured alike, on 8-bit pixels, by the
untouched twin in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from bench.optim.engine import CloakingEngine
from bench.protocols import Descent, Encoder, Engine, Ground, Kit
from bench.types import ARCFACE_CROP, Album, Budget, Face, Image
from measuring.machine import on_gpu

STEPS, LIMIT, STEP = 10, 8, 2
SCALE = 16.0
OURS = ("engine", "engine-fp32", "engine-stopping")
THEIRS = ("torchattacks", "foolbox")

Attack = Callable[[torch.Tensor], torch.Tensor]
"""Crops [n, 3, 112, 112] in [0, 1] -> attacked crops."""


class Classifier(nn.Module):
    """Crops [n, 3, 112, 112] -> scaled cosines with every clean photo [n, photos]."""

    def __init__(self, twin: nn.Module, clean: torch.Tensor) -> None:
        """Store both.

        Args:
            twin: of the encoder.
            clean: [photos, dimensions], unit rows.
        """
        super().__init__()
        self.twin, self.clean = twin, clean

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """The scaled cosines."""
        return SCALE * nn.functional.normalize(self.twin(crops), dim=1) @ self.clean.T


@dataclass(frozen=True)
class CrossEntropy:
    """The loss that the other two ascend, as a goal of the engine.

    Attributes:
        stop: let photos leave that are taken for somebody else.
    """

    stop: bool = False

    def __call__(self, ground: Ground) -> Any:
        """See `bench.protocols.Goal`."""

        def objective(
            embeddings: torch.Tensor, photos: torch.Tensor, current: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            cosines = embeddings @ ground.clean.T
            loss = -nn.functional.cross_entropy(SCALE * cosines, photos, reduction="none")
            return loss, (cosines.argmax(1) != photos) & self.stop

        return objective


@dataclass(frozen=True)
class Contest:
    """One encoder, its photos, and the function that everybody attacks.

    Attributes:
        encoder: on the device.
        device: `cpu`, `cuda`, `cuda:1`.
        photos: aligned faces, 8 bits.
        crops: the same as float32 [n, 3, 112, 112] in [0, 1], on the device.
        model: what is attacked.
    """

    encoder: Encoder
    device: str
    photos: list[Image]
    crops: torch.Tensor
    model: Classifier

    @classmethod
    def of(cls, encoder: Encoder, crops: torch.Tensor, device: str) -> Contest:
        """Make the function out of aligned faces, which are rounded to 8 bits.

        Args:
            encoder: on the device; takes ArcFace's crop.
            crops: float32 [n, 3, 112, 112] in [0, 1], of different people.
            device: `cpu`, `cuda`, `cuda:1`.
        """
        levels = (crops * 255).round()
        photos = list(levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy())
        crops = levels.div(255).to(device)
        clean = torch.cat([encoder.embed(part) for part in crops.split(32)]).to(device)
        return cls(encoder, device, photos, crops, Classifier(encoder.twin().to(device), clean))

    @property
    def batch(self) -> int:
        """Photos that everybody takes at a time."""
        return 64 if on_gpu(self.device) else 16

    def attack(self, name: str) -> Attack:
        """What one of `OURS` or `THEIRS` does to crops.

        Raises:
            ModuleNotFoundError: if torchattacks or Foolbox is not installed.
        """
        if name == "torchattacks":
            return self._torchattacks()
        if name == "foolbox":
            return self._foolbox()
        return self.attacked_by(self.engine(name), CrossEntropy(stop=name == "engine-stopping"))

    def engine(self, name: str) -> CloakingEngine:
        """The engine as one of `OURS` says."""
        precision = "fp32" if name == "engine-fp32" else "auto"
        return CloakingEngine(self.device, precision=precision, batch=self.batch)

    def attacked_by(self, engine: Engine, goal: CrossEntropy) -> Attack:
        """What an engine does to the photos of the contest, with a goal."""
        # the template itself as landmarks: the alignment is the identity
        face = Face((0.0, 0.0, 111.0, 111.0), ARCFACE_CROP.template, 1.0)
        size = len(self.photos)
        album = Album(tuple(self.photos), (face,) * size, tuple(f"photo {i}" for i in range(size)))
        nobody = Album((), (), ())
        kit = Kit(Budget.parse(f"linf:{LIMIT}"), 0, (self.encoder,), nobody, engine, self.device)
        descent = Descent(steps=STEPS, reach=STEP * STEPS / LIMIT, momentum=0.0, random_start=True)

        def attack(crops: torch.Tensor) -> torch.Tensor:
            (released,) = engine.cloak([album], kit, goal, descent)
            pixels = np.stack([photo for photo in released if photo is not None])
            return torch.from_numpy(pixels).permute(0, 3, 1, 2).to(crops) / 255

        return attack

    def judged(self, released: torch.Tensor) -> dict[str, float]:
        """Success and similarity of 8-bit crops; their budget is checked too."""
        levels = (released * 255).round()
        assert float((levels - self.crops * 255).abs().max()) <= LIMIT + 1e-3
        with torch.no_grad():
            cosines = torch.cat([self.model(part) for part in (levels / 255).split(32)]) / SCALE
        own = cosines.diagonal()
        return {
            "success": float((cosines.argmax(1) != torch.arange(len(own), device=own.device)).float().mean()),
            "similarity": float(own.mean()),
        }

    def _torchattacks(self) -> Attack:
        import torchattacks

        steps: dict[str, Any] = {"eps": LIMIT / 255, "alpha": STEP / 255, "steps": STEPS}
        pgd = torchattacks.PGD(self.model, random_start=True, **steps)
        return lambda crops: torch.cat([pgd(*part) for part in self._labelled(crops)])

    def _foolbox(self) -> Attack:
        import foolbox

        model = foolbox.PyTorchModel(self.model.eval(), bounds=(0, 1), device=self.device)
        pgd = foolbox.attacks.LinfPGD(abs_stepsize=STEP / 255, steps=STEPS, random_start=True)
        return lambda crops: torch.cat(
            [pgd(model, *part, epsilons=LIMIT / 255)[1] for part in self._labelled(crops)]
        )

    def _labelled(self, crops: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Batches of the size that the engine takes, with their labels."""
        labels = torch.arange(len(crops), device=crops.device)
        return list(zip(crops.split(self.batch), labels.split(self.batch), strict=True))
