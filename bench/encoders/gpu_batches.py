"""The number of crops that a GPU embeds at once: chosen from its free memory, halved when it was too large.

An encoder keeps the size on a device as long as the process lives, and the last call of a set is filled up
to it. There is one shape, so one choice of kernels, and the bits of a crop's embedding do not depend on the
rest of the batch. Between sizes the bits differ: kernels of another shape may add in another order. The size
is one of a few powers of two and is recorded with the runtime, so that a difference in the last bits can be
explained.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from bench.errors import UserError

SIZES = (256, 128, 64, 32, 16, 8, 4, 2, 1)
"""Crops per call, largest first."""

_TRIAL = 16
"""Crops in the call whose memory is measured."""

_SHARE = 0.5
"""The share of the free memory that a call may take: the cloaking engine needs memory, too."""

Run = Callable[[torch.Tensor], torch.Tensor]
Free = Callable[[], int]


class Batches:
    """Embeds in batches of one size, for one network on one device."""

    def __init__(self, name: str, free: Free) -> None:
        """Store; the size is chosen with the first crops.

        Args:
            name: The encoder's name, for the error.
            free: Tells how many bytes are free on the device.
        """
        self.size: int | None = None
        self._name, self._free = name, free

    def __call__(self, run: Run, crops: torch.Tensor) -> torch.Tensor:
        """The network's output for all crops, in order.

        What was computed before the memory ran out is kept.

        Args:
            run: The network: float32 [m, 3, size, size] -> [m, dimensions].
            crops: The crops, at least one, float32 [n, 3, size, size].

        Raises:
            UserError: if not even one crop fits.
        """
        if self.size is None:
            self.size = self._choose_size(run, crops)
        done: list[torch.Tensor] = []
        start = 0
        while start < len(crops):
            part = crops[start : start + self.size]
            try:
                done.append(_run_filled(run, part, self.size))
            except Exception as error:
                if not out_of_memory(error):
                    raise
                self.size = self._halve_size(error)
                continue
            start += len(part)
        return torch.cat(done)

    def _choose_size(self, run: Run, crops: torch.Tensor) -> int:
        """The largest size whose memory is free, by what a few crops take more than one crop."""
        _empty_cache()
        try:
            _run_filled(run, crops[:1], 1)  # what a network takes once, whatever the batch
            before = self._free()
            _run_filled(run, crops[:1], _TRIAL)
        except Exception as error:
            if not out_of_memory(error):
                raise
            return _TRIAL // 2
        after = self._free()
        each = max(before - after, 0) / (_TRIAL - 1)
        return next((size for size in SIZES if size * each <= _SHARE * after), 1)

    def _halve_size(self, error: Exception) -> int:
        if self.size is None or self.size == 1:
            raise UserError(
                f"encoder {self._name!r} does not fit the memory of its device, not even for one face: "
                "end what else runs there, or try --device cpu."
            ) from error
        _empty_cache()
        return self.size // 2


def out_of_memory(error: Exception) -> bool:
    """Whether torch or onnxruntime (which has no type for it) ran out of device memory."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return type(error).__module__.startswith("onnxruntime") and "allocate memory" in str(error)


def _empty_cache() -> None:
    """Give back the memory that torch holds on GPUs without using it."""
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _run_filled(run: Run, part: torch.Tensor, size: int) -> torch.Tensor:
    """The output for up to `size` crops, from a batch of exactly that many: the last crop fills the rest."""
    fill = part[-1:].expand(size - len(part), -1, -1, -1)
    return run(torch.cat([part, fill]))[: len(part)]
