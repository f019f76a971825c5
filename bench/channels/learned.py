"""A purifier that is trained before it can be used, on photos that the attacker cloaked itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from bench.types import Image


@dataclass(frozen=True)
class LearnedDenoiser:
    """The small network of `bench.channels.denoiser`.

    Attributes:
        steps: of its training.
        state: its weights, as `bench.channels.denoiser.train` returns them; empty until it is trained.
        device: that it runs on.
    """

    purifier: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("torch", "numpy", "safetensors")
    steps: int
    state: bytes = field(default=b"", repr=False)
    device: str = "cpu"

    def __call__(self, photo: Image) -> Image:
        """Denoise one photo.

        Raises:
            ValueError: if it is not trained yet.
        """
        if not self.state:
            raise ValueError(f"the purifier {str(self)!r} is not trained yet: see bench.channels.with_state")
        from bench.channels import denoiser  # torch, which a listing of names should not wait for

        return denoiser.apply(self.state, photo, device=self.device)

    def __str__(self) -> str:
        return f"denoiser:{self.steps}"
