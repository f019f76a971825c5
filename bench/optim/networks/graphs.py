"""CUDA graphs: a frozen network's forward and backward pass as two launches.

Small networks on a fast GPU wait for Python: a MobileFaceNet has about 300 kernels of a few microseconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

_log = logging.getLogger("bench.optim")
_torch: Any = torch  # make_graphed_callables carries no types


class Graphed:
    """A network captured once for each batch size it meets, rounded up to a power of two.

    What cannot be captured (it asks the device for a number, say) runs as it is, and says so in the log
    once.

    Args:
        network: A frozen network on a CUDA device, channels last.
        largest: The length of the longest batch.
    """

    def __init__(self, network: nn.Module, largest: int) -> None:
        self._network = network
        self._largest = largest
        self._captured: dict[tuple[int, ...], Callable[[torch.Tensor], torch.Tensor]] = {}
        self.works = True

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """[n, 3, size, size] that carries gradients -> embeddings [n, dimensions]."""
        n = len(x)
        bucket = min(self._largest, 1 << (n - 1).bit_length())
        if not self.works or n > bucket:
            return self._run(x)
        if n < bucket:
            blank = x.new_zeros((bucket - n, *x.shape[1:]))
            x = torch.cat([x, blank]).contiguous(memory_format=torch.channels_last)
        call = self._captured.get(tuple(x.shape))
        if call is None:
            call = self._capture(x)
        # the graph's output is overwritten by the next replay
        return call(x)[:n].clone()

    def _run(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self._network(x)
        return out

    def _capture(self, x: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        sample = torch.zeros_like(x, memory_format=torch.preserve_format).requires_grad_(True)
        try:
            with _capture_beside_the_default_stream():
                call: Callable[[torch.Tensor], torch.Tensor] = _torch.cuda.make_graphed_callables(
                    self._run, (sample,)
                )
        except RuntimeError as error:  # how torch reports every failed capture
            _log.warning("no CUDA graph for %s: %s", type(self._network).__name__, error)
            torch.cuda.synchronize(x.device)
            self.works = False
            return self._run
        self._captured[tuple(x.shape)] = call
        return call


@contextmanager
def _capture_beside_the_default_stream() -> Iterator[None]:
    """Without torch's warning that a leaf was made on another stream: a capture runs on its own by design."""
    warn = getattr(_torch.autograd.graph, "set_warn_on_accumulate_grad_stream_mismatch", None)
    if warn is None:  # torch before 2.9 has no such warning
        yield
        return
    warn(False)
    try:
        yield
    finally:
        warn(True)
