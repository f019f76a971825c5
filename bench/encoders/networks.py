"""Embedding with a torch network so that a crop's bits never depend on its company."""

from __future__ import annotations

from collections.abc import Callable

import torch

from bench.encoders.faults import unit
from bench.workers import each, exact_gpu

GPU_BATCH = 64
"""Crops per call on a GPU, the last call filled up: one shape, so one choice of kernels."""

Run = Callable[[torch.Tensor], torch.Tensor]


def frozen(network: torch.nn.Module, device: str) -> torch.nn.Module:
    """The network in eval mode, without trainable weights, on a device."""
    return network.eval().requires_grad_(False).to(device)


def embed(run: Run, crops: torch.Tensor, name: str, dimensions: int) -> torch.Tensor:
    """Unit embeddings of crops.

    On the CPU every crop is a batch of its own (see `bench.workers`). On a GPU crops go in batches of
    one fixed size, in full float32 precision and with deterministic kernels.

    Args:
        run: float32 [m, 3, size, size] -> [m, dimensions], not normalised.
        crops: float32 [n, 3, size, size] in [0, 1].
        name: of the encoder, for errors.
        dimensions: of the embedding.

    Returns:
        float32 [n, dimensions] on the device of the crops.

    Raises:
        EncoderFault: for output that is not finite, or zero.
    """
    if len(crops) == 0:
        return crops.new_zeros((0, dimensions))

    def one(crop: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return unit(run(crop[None]), name)

    if crops.device.type == "cpu":
        return torch.cat(each(one, list(crops)))
    with torch.no_grad(), exact_gpu():
        parts = [crops[start : start + GPU_BATCH] for start in range(0, len(crops), GPU_BATCH)]
        return torch.cat([_fixed(run, part, name) for part in parts])


def _fixed(run: Run, part: torch.Tensor, name: str) -> torch.Tensor:
    """Embed up to `GPU_BATCH` crops in a batch of exactly that many: the last one fills the rest."""
    fill = part[-1:].expand(GPU_BATCH - len(part), -1, -1, -1)
    return unit(run(torch.cat([part, fill])), name)[: len(part)]
