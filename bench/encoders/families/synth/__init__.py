"""The built-in encoders `synth-*`: small networks trained on drawn faces, shipped with the package.

`bench/training` makes them. The card beside each file of weights says how well they tell people apart.
"""

from __future__ import annotations

import json
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.encoders.family import Family
from bench.errors import UserError, unknown_name
from bench.store.reading import read_whole
from bench.store.reasons import reason
from bench.store.weights import read, verified
from bench.types import ARCFACE_CROP, EncoderCard, Folders

if TYPE_CHECKING:
    import torch

FOLDER = Path(__file__).resolve().parents[2] / "weights"

_SHARED = {"crop", "preprocessing", "detector", "location"}
"""Fields that are the same for all built-in encoders."""


def cards() -> list[EncoderCard]:
    """The cards of all built-in encoders, by name. Reads the shipped JSON files; imports no torch."""
    return list(_cards_in(FOLDER))


@cache
def _cards_in(folder: Path) -> tuple[EncoderCard, ...]:
    return tuple(card_of(path) for path in sorted(folder.glob("synth-*.json")))


def card_of(path: Path) -> EncoderCard:
    """The card in a JSON file. The file says more than an EncoderCard has fields for.

    Raises:
        UserError: if the file is not a card.
    """
    content = read_whole(path)
    try:
        stated = json.loads(content)
        values = {
            field.name: stated[field.name] for field in fields(EncoderCard) if field.name not in _SHARED
        }
    except (ValueError, KeyError) as error:
        raise UserError(
            f"{path} is no encoder's card ({reason(error)}). Install the package again."
        ) from error
    return EncoderCard(crop=ARCFACE_CROP, **values)


def load(name: str, device: str = "cpu") -> SynthEncoder:
    """A built-in encoder.

    Args:
        name: A name such as `synth-ir`.
        device: Where the encoder computes.

    Raises:
        UserError: for an unknown name, and for weights that are missing or altered (both digests shown).
    """
    by_name = {card.name: card for card in cards()}
    if name not in by_name:
        raise unknown_name("encoder", name, by_name, command="bench list encoders")
    return SynthEncoder(by_name[name], device)


class SynthFamily(Family):
    """The encoders whose weights the package ships."""

    built_in = True

    def cards(self) -> list[EncoderCard]:
        """The cards of all built-in encoders, by name."""
        return cards()

    def present(self, card: EncoderCard, folders: Folders) -> Path | None:
        """The shipped file with an encoder's weights; None where the installation has lost it."""
        del folders
        path = _weights(card)
        return path if path.is_file() else None

    def missing(self, card: EncoderCard, folders: Folders) -> str:
        """What is missing, and what to do; empty where nothing is missing."""
        if self.present(card, folders):
            return ""
        return f"no {_weights(card)}: {self.remedy(card, folders)}"

    def remedy(self, card: EncoderCard, folders: Folders) -> str:
        """What to do for an encoder whose weights are missing."""
        del card, folders
        return "install the package again"

    def load(self, card: EncoderCard, folders: Folders, device: str) -> SynthEncoder:
        """One of the encoders.

        Raises:
            UserError: if its weights are missing or altered.
        """
        del folders
        return SynthEncoder(card, device)


def _weights(card: EncoderCard) -> Path:
    return FOLDER / f"{card.name}.safetensors"


@cache
def _network(path: Path, sha256: str, name: str, device: str) -> torch.nn.Module:
    """The folded network in float32; the file holds the same numbers in float16."""
    import safetensors.torch
    import torch

    from bench.encoders.families.synth.nets import skeleton
    from bench.encoders.networks import frozen

    if not path.is_file():
        raise UserError(
            f"encoder {name!r} needs {path} (sha256 {sha256}), which is not there. Install the package again."
        )
    weights = safetensors.torch.load(read(verified(path, sha256), sha256))
    network = skeleton(name)
    network.load_state_dict({key: value.float() for key, value in weights.items()})
    return frozen(network, device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # its overloads leave memory_format out


class SynthEncoder:
    """One built-in encoder; see `bench.protocols.Encoder`.

    Attributes:
        card: The encoder's card.
        runtime: The library and the device that `embed` runs on, such as `torch 2.13.0 cpu`.
    """

    def __init__(self, card: EncoderCard, device: str = "cpu") -> None:
        import torch

        self.card = card
        self.runtime = f"torch {torch.__version__} {device}"
        self._module: Any = _network(_weights(card), card.sha256, card.name, device)

    def embed(self, crops: torch.Tensor) -> torch.Tensor:
        """Embed crops, float32 [n, 3, 112, 112] in [0, 1] -> unit rows, float32 [n, 128]."""
        from bench.encoders.networks import embed

        return embed(self._module, crops, self.card.name, self.card.dimensions)

    def twin(self) -> torch.nn.Module:
        """The network itself: the same function, not normalised, with frozen weights."""
        module: torch.nn.Module = self._module
        return module


FAMILY = SynthFamily()
