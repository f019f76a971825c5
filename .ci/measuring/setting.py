"""How large the steps of a check are: full on a GPU, small on a CPU."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Setting:
    """Sizes of all steps, and where they run.

    Attributes:
        device: what is checked: `cuda`, `cuda:1`, or `cpu` in a dry run.
        crops: aligned faces whose embeddings are compared.
        slopes: aligned faces whose gradients are compared.
        users: how many people cloak their photos.
        photos_each: of every user.
        batch: crops that are embedded at a time, and photos that are cloaked beside other packages.
        side: of the square matrices whose product sets the arithmetic limit.
        maps: images in the convolution that sets the limit where it is the faster of the two.
        rounds: timed runs; their median counts.
        encoders: the built-in encoders that are used.
        real_data: a folder with `weights/`, as `BENCH_REAL_DATA` names it; None where there is none.
    """

    device: str
    crops: int = 64
    slopes: int = 16
    users: int = 16
    photos_each: int = 4
    batch: int = 256
    side: int = 8192
    maps: int = 64
    rounds: int = 5
    encoders: tuple[str, ...] = ("synth-ir", "synth-inc", "synth-vit")
    real_data: str | None = None

    def plain(self) -> dict[str, Any]:
        """The sizes for a record, which names no folder."""
        return {key: value for key, value in asdict(self).items() if key != "real_data"}


def small(real_data: str | None = None) -> Setting:
    """The setting of a dry run: every step does its work once, on the CPU."""
    return Setting(
        device="cpu",
        crops=6,
        slopes=3,
        users=2,
        photos_each=2,
        batch=8,
        side=512,
        maps=1,
        rounds=1,
        encoders=("synth-ir",),
        real_data=real_data,
    )
