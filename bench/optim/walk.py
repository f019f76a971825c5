"""The walk down a goal's loss: gradients, steps, and who has reached the goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from bench.optim.gradients import Draws, Slopes
from bench.optim.perturbation import Perturbation
from bench.protocols import Objective


@dataclass(frozen=True, slots=True)
class Walked:
    """What a descent came to.

    Attributes:
        reached: bool [photo], judged on the released pixels by every surrogate.
        gradients: How many gradients of one photo towards one surrogate were taken.
    """

    reached: torch.Tensor
    gradients: int


def walk(
    draws: Draws, perturbation: Perturbation, objectives: Sequence[Objective], clean: Sequence[torch.Tensor]
) -> Walked:
    """Walk until every photo has reached its goal or the steps are spent.

    A loss sees the other photos as they were one step before, so that it does not matter which of
    them share a batch; the goal is judged on all photos as they are now.

    Args:
        draws: The scene and the descent, with everything random about it.
        perturbation: What is optimised, in place.
        objectives: What each surrogate's embeddings are judged by.
        clean: [photo, dimensions] of each surrogate: Where the embeddings start.
    """
    scene, descent = draws.scene, draws.descent
    slopes = Slopes(draws, objectives)
    current = [c.clone() for c in clean]
    moving = torch.ones(len(scene.patches), dtype=torch.bool, device=scene.device)
    for step in range(descent.steps):
        before = [c.clone() for c in current]
        for photos in scene.batches(moving, apart=descent.estimate is not None):
            parts = scene.parts(photos)
            levels = [perturbation.pixels(s, rows) for s, rows in parts]
            for (s, rows), slope in zip(parts, slopes.at(photos, levels, step, before, current), strict=True):
                perturbation.absorb(s, rows, slope)
        reached = _judged(objectives, current)
        if draws.some and reached.any():
            # judged on a variation of the photo: look at the very pixels before believing it
            scene.embed(perturbation, reached & moving, current)
            reached = _judged(objectives, current)
        moving = perturbation.moving(reached)
        if not moving.any():
            break
        perturbation.advance(moving)
    scene.embed(perturbation, moving, current)
    return Walked(_judged(objectives, current), slopes.taken)


def _judged(objectives: Sequence[Objective], current: Sequence[torch.Tensor]) -> torch.Tensor:
    """Which photos have reached the goal for every surrogate: bool [photo]."""
    everyone = torch.arange(len(current[0]), device=current[0].device)
    with torch.no_grad():
        verdicts = [o(bank, everyone, bank)[1] for o, bank in zip(objectives, current, strict=True)]
    return torch.stack(verdicts).all(0)
