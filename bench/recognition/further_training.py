"""The further training of one network, one way after another, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from bench.adaptations import methods
from bench.adaptations.robustness import Robustness, accuracies, held_out
from bench.adaptations.stopping import MOST, ROUND, Curve, told_apart, train_while_it_pays
from bench.adaptations.training import train_network, trainer
from bench.machine.progress import Progress
from bench.types import Labels, Mask


@dataclass(frozen=True)
class Told:
    """What is told of a training.

    Attributes:
        robustness: What adversarial training did to the network; None where nobody was held out.
        curves: Name of a way that trained as long as it paid -> how that went.
    """

    robustness: Robustness | None = None
    curves: dict[str, Curve] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """Faces that a network may be shown.

    Attributes:
        crops: float32 [n, 3, size, size], on the network's device.
        people: int [n], who is on each.
    """

    crops: torch.Tensor
    people: Labels

    def of(self, which: Mask) -> Shown:
        """Some of them; all of them are not copied."""
        if which.all():
            return self
        return Shown(self.crops[torch.from_numpy(which)], self.people[which])


def train(
    network: nn.Module,
    ways: Sequence[methods.Training],
    lessons: Sequence[Shown],
    *,
    name: str,
    seed: int,
    progress: Progress,
) -> tuple[nn.Module, Told]:
    """Train a network one way after another.

    Some people are held out of all ways if one of them is adversarial, to see how robust it becomes, or is to
    last as long as it pays. For the latter they are people with cloaks.

    Args:
        network: Changed in place.
        ways: How to train.
        lessons: Clean photos, and cloaks if a way learns from them.
        name: The encoder's, for the progress line.
        seed: The seed of training.
        progress: Told of every step.

    Returns:
        The network, in eval mode and with frozen weights, and what is told of the training.

    Raises:
        ValueError: There are too few people to train on, or to hold out for a way that needs them.
        FloatingPointError: The loss or a weight is no longer finite.
    """
    adversarial = next((way for way in ways if isinstance(way, methods.Adversarial)), None)
    lasting = any(way.steps == 0 for way in ways)
    judged_on = lessons[-1] if lasting else lessons[0]
    nobody = np.zeros(len(judged_on.people), bool)
    held = judged_on.of(held_out(judged_on.people) if lasting or adversarial else nobody).people
    if lasting and not held.size:
        raise ValueError("too few people have two cloaked photos to see on some of them how long it pays")
    tested = lessons[0].of(np.isin(lessons[0].people, held))

    def named() -> tuple[float, float, int]:
        assert adversarial is not None
        return accuracies(network, tested.crops, tested.people, adversarial, seed=seed)

    before = named() if adversarial and held.size else None
    curves: dict[str, Curve] = {}
    for way in ways:
        taught = _taught(lessons if way.trains_on_cloaks else lessons[:1], held)
        with progress.stage(f"train {name}", way.steps or MOST * ROUND) as advance:
            if way.steps:
                train_network(network, taught.crops, taught.people, way, seed=seed, advance=advance)
            else:
                look = _look(network, judged_on.of(np.isin(judged_on.people, held)))
                take = trainer(network, taught.crops, taught.people, way, seed=seed, advance=advance)
                curves[way.name] = train_while_it_pays(network, take, look)
                network.requires_grad_(False)
    if before is None:
        return network, Told(None, curves)
    clean, perturbed, photos = named()
    measured = Robustness(len(np.unique(held)), photos, *before[:2], clean, perturbed)
    return network, Told(measured, curves)


def _taught(lessons: Sequence[Shown], held: Labels) -> Shown:
    parts = [lesson.of(~np.isin(lesson.people, held)) for lesson in lessons]
    if len(parts) == 1:
        return parts[0]
    return Shown(torch.cat([part.crops for part in parts]), np.concatenate([part.people for part in parts]))


def _look(network: nn.Module, cloaks: Shown) -> Callable[[], float]:
    return lambda: told_apart(network, cloaks.crops, cloaks.people)
