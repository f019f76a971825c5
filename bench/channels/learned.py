"""A purifier that the attacker trains, on photos that it cloaked itself, before it can be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from bench.types import Image

SIZES = ("small", "large")
"""The networks that a denoiser can be, see `bench.channels.denoiser_networks`."""


@dataclass(frozen=True)
class LearnedDenoiser:
    """A network of `bench.channels.denoiser`.

    Attributes:
        steps: The number of training steps.
        size: Which network it is, one of `SIZES`.
        state: The weights, from `bench.channels.denoiser.train`; empty until the network is trained.
        device: The device that it runs on.
    """

    purifier: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("torch", "numpy", "safetensors")
    steps: int
    size: str = "small"
    state: bytes = field(default=b"", repr=False)
    device: str = "cpu"

    def __call__(self, photo: Image) -> Image:
        """Denoise one photo, uint8 [height, width, 3].

        Raises:
            ValueError: The network is not trained yet.
        """
        if not self.state:
            raise ValueError(f"the purifier {str(self)!r} is not trained yet: see bench.channels.with_state")
        from bench.channels import denoiser  # torch, which a listing of names should not wait for

        return denoiser.apply(self.state, photo, size=self.size, device=self.device)

    def __str__(self) -> str:
        return f"denoiser:{self.steps}" + (f":{self.size}" if self.size != "small" else "")
