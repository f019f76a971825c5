"""The encoders of one run, each loaded once."""

from __future__ import annotations

from bench import encoders
from bench.protocols import Encoder
from bench.types import EncoderCard, Folders


class EncoderPool:
    """Loads encoders by card, and keeps those that an attacker trained."""

    def __init__(self, folders: Folders, device: str, precision: str = "fp32") -> None:
        """Store; a network is loaded when it is first asked for.

        Args:
            folders: Where weights lie.
            device: `cpu`, `cuda`, `cuda:1`.
            precision: The precision that embeddings are computed in, see `bench.encoders.networks.embed_at`.
        """
        self._folders = folders
        self.device, self.precision = device, precision
        self._loaded: dict[str, Encoder] = {}

    def encoder(self, card: EncoderCard) -> Encoder:
        """One encoder, loaded once."""
        if card.name not in self._loaded:
            self._loaded[card.name] = encoders.load(card, self._folders, self.device)
        return self._loaded[card.name]

    def knows(self, card: EncoderCard) -> bool:
        """Whether an encoder is loaded, or was added."""
        return card.name in self._loaded

    def add(self, encoder: Encoder) -> None:
        """Have an encoder that no name leads to: one that an attacker trained."""
        self._loaded[encoder.card.name] = encoder

    def runtimes(self) -> dict[str, str]:
        """Encoder -> runtime that it really uses, for those that were loaded."""
        if not self._loaded:
            return {}
        from bench.encoders.networks import runtime_at

        return {name: runtime_at(self.precision, e, self.device) for name, e in self._loaded.items()}
