"""Networks that are no function of the crop alone, and such that are: the trial tells them apart."""

from __future__ import annotations

import hashlib
import io
import random
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from bench.encoders import trial
from bench.encoders.families.torchscript.program import TorchScriptEncoder
from bench.errors import UserError
from bench.types import ARCFACE_CROP, EncoderCard
from injecting.injection import Injection, Outcome, draws


class Noise(nn.Module):
    """Adds noise of a strength to its input."""

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Draw, and add."""
        return x + self.strength * torch.randn_like(x)


class Drift(nn.Module):
    """Adds a number that grows with every call."""

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength
        self.calls = nn.Parameter(torch.zeros(1), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Count, and add."""
        return x + self.strength * self.calls.add_(1) * x.square()


class Company(nn.Module):
    """Adds a share of the mean of the batch."""

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength = strength

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Look at the batch, and add."""
        return x + self.strength * x.mean(0, keepdim=True) * x.abs()


def _statistics(strength: float) -> nn.Module:
    del strength
    return nn.BatchNorm2d(8, affine=False, track_running_stats=False)


UNSTEADY: dict[str, Callable[[float], nn.Module]] = {
    "dropout": lambda strength: nn.Dropout(min(0.9, strength)),
    "dropout of channels": lambda strength: nn.Dropout2d(min(0.9, max(0.3, strength))),
    "noise": Noise,
    "state": Drift,
    "company in the batch": lambda strength: Company(max(1.0, strength)),
    "statistics of the batch": _statistics,
}
STEADY: dict[str, Callable[[float], nn.Module]] = {
    "nothing": lambda strength: nn.Identity(),
    "dropout in eval mode": lambda strength: nn.Dropout(min(0.9, strength)).eval(),
    "statistics in eval mode": lambda strength: nn.BatchNorm2d(8).eval(),
}


def _program(odd: nn.Module, place: int, rng: random.Random) -> bytes:
    """A small network with a layer of a kind at a place, as a TorchScript file."""
    torch.manual_seed(rng.getrandbits(32))
    layers: list[nn.Module] = [nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.Conv2d(8, 8, 3, stride=2)]
    layers.insert((1, 2, 3)[place], odd)
    network = nn.Sequential(*layers, nn.AvgPool2d(4), nn.Flatten(), nn.Linear(72, 16))
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network, torch.rand(2, 3, 112, 112), check_trace=False)
        torch.jit.save(traced, stream)
    return stream.getvalue()


def try_networks(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Put a layer into a network, and try the network."""
    counts: Counter[Outcome] = Counter()
    file = folder / "net.pt"
    for rng in draws(times, seed):
        unsteady = rng.random() < 0.7
        kind, make = rng.choice([*(UNSTEADY if unsteady else STEADY).items()])
        strength = 10 ** rng.uniform(-3, 0)
        file.write_bytes(_program(make(strength), rng.randrange(3), rng))
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        card = EncoderCard("net", "small", "", ARCFACE_CROP, 16, 0, "", "", "", sha256)
        said = ""
        try:
            trial.check(TorchScriptEncoder(card, file))
        except UserError as error:
            said = str(error)
        fits = "second call" in said or "another batch" in said
        right = ("\n" not in said and fits) if unsteady else not said
        end = "refused in one line that says so" if fits else said or "taken"
        counts[Outcome(end if right else f"{kind}: {end}", right)] += 1
    return counts


INJECTIONS = [
    Injection(
        "unsteady-networks",
        "a network draws dropout or noise, has a state, or looks at its batch, anywhere between its layers "
        "and as weakly as a thousandth; or it has the same layers in eval mode",
        "the trial refuses the first in one line that says so, and takes the second",
        400,
        try_networks,
    )
]
