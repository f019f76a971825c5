"""The card beside a file of weights: what was trained, on whom, by which command, and what it measured."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from bench.encoders.families.synth.nets import DIMENSIONS, fold, skeleton
from bench.store.writing import write_whole
from bench.types import ARCFACE_CROP

ARCHITECTURES = {
    "synth-ir": "residual network, 7 blocks of 24-96 filters, linear head",
    "synth-inc": "inception-like network, 5 blocks, linear head",
    "synth-vit": "transformer, 4 blocks of width 128 on 49 tokens of a convolutional stem",
}

_NUMBERS = re.compile(r'\[\n([^\[\]{}"]*)\]')


def write_weights(net: nn.Module, path: Path) -> str:
    """Store a network, folded and in float16. No half file is ever left behind.

    Returns:
        The file's hex sha256.
    """
    state = {key: value.detach().cpu().half().contiguous() for key, value in fold(net).state_dict().items()}
    content = safetensors.torch.save(state)
    write_whole(path, content)
    return hashlib.sha256(content).hexdigest()


def stored_net(name: str, folder: Path) -> nn.Module:
    """The network of a file, whatever its card says."""
    net = skeleton(name)
    weights = safetensors.torch.load_file(folder / f"{name}.safetensors")
    net.load_state_dict({key: value.float() for key, value in weights.items()})
    return net


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Store a card as JSON, with each list of numbers on one line."""
    text = _NUMBERS.sub(
        lambda match: f"[{' '.join(match[1].split())}]", json.dumps(card, indent=1, allow_nan=False)
    )
    write_whole(path, f"{text}\n".encode())


def new_card(
    name: str,
    net: nn.Module,
    sha256: str,
    identities: tuple[int, int],
    released: str,
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """Make a card without figures.

    Args:
        name: The encoder's name.
        net: The network.
        sha256: The digest of its weights' file.
        identities: The first and the last training identity.
        released: The ISO date of the release.
        training: The training's statements about itself.
    """
    first, last = identities
    return {
        "name": name,
        "architecture": ARCHITECTURES[name],
        "training_set": f"synthetic faces {first}-{last}",
        "crop": asdict(ARCFACE_CROP),
        "dimensions": DIMENSIONS,
        "parameters": sum(p.numel() for p in fold(net).parameters()),
        "released": released,
        "licence": "Apache-2.0",
        "source": "trained by this project: python -m bench.training",
        "sha256": sha256,
        "training_identities": [first, last],
        "training": dict(training),
        "measured": {},
    }


def reference_crop() -> torch.Tensor:
    """The crop of a card's reference embedding: red grows rightwards, green down, blue is a checkerboard.

    Returns:
        float32 [1, 3, 112, 112] in [0, 1].
    """
    size = ARCFACE_CROP.size
    ramp = torch.arange(size) / (size - 1)
    tiles = (torch.arange(size) // 16) % 2
    red, green = ramp.expand(size, size), ramp[:, None].expand(size, size)
    return torch.stack([red, green, (tiles[:, None] ^ tiles).float()])[None]


def device_name(device: str) -> str:
    """The name that the accelerator gives itself, or `cpu`."""
    return torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else "cpu"
