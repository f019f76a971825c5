"""Embedding with a network so that the bits of a crop's embedding never depend on the rest of the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from bench.encoders.faults import EncoderFault, refuse, scaled
from bench.encoders.gpu_batches import Batches, out_of_memory
from bench.machine.workers import each, exact_gpu
from bench.protocols import Encoder
from bench.store.reasons import reason

Run = Callable[[torch.Tensor], torch.Tensor]

_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}

_gpu: dict[tuple[str, str], Batches] = {}
"""(encoder and precision, device) -> the batches, kept as long as the process lives."""


def frozen(network: torch.nn.Module, device: str) -> torch.nn.Module:
    """The network in eval mode, with frozen weights, on a device."""
    return network.eval().requires_grad_(False).to(device)


def embed(
    run: Run, crops: torch.Tensor, name: str, dimensions: int, faults: tuple[type[Exception], ...] = ()
) -> torch.Tensor:
    """Unit embeddings of crops.

    On the CPU every crop is a batch of its own (see `bench.machine.workers`). On a GPU crops go in batches of
    one size (see `bench.encoders.gpu_batches`), in full float32 precision and with deterministic kernels.

    Args:
        run: The network: float32 [m, 3, size, size] -> [m, dimensions], not normalised.
        crops: The crops, float32 [n, 3, size, size] in [0, 1].
        name: The encoder's name, for errors.
        dimensions: The length of an embedding.
        faults: What the network's runtime raises for a crop that the network does not take.

    Returns:
        float32 [n, dimensions] on the device of the crops.

    Raises:
        EncoderFault: for output that is not finite, zero or of another length, and for one of `faults`.
        UserError: if a GPU has no memory even for one crop.
    """
    if len(crops) == 0:
        return crops.new_zeros((0, dimensions))

    def checked(batch: torch.Tensor, rows: Sequence[int] = ()) -> torch.Tensor:
        try:
            raw = run(batch)
        except faults as error:
            if out_of_memory(error):
                raise
            raise EncoderFault(f"encoder {name!r} does not run: {reason(error)}", rows=rows) from error
        if raw.shape != (len(batch), dimensions):
            given, due = tuple(raw.shape), (len(batch), dimensions)
            raise EncoderFault(f"encoder {name!r} gives numbers of shape {given} for {due}", rows=rows)
        return raw

    def embed_crop(item: tuple[int, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            raw = checked(item[1][None], [item[0]])
            return raw, scaled(raw)

    if crops.device.type == "cpu":
        rows = each(embed_crop, list(enumerate(crops)))
        refuse(torch.cat([raw for raw, _ in rows]), name)
        return torch.cat([row for _, row in rows])
    device = crops.device
    batches = _gpu.setdefault((name, str(device)), Batches(name, lambda: _free(device)))
    with torch.no_grad(), exact_gpu():
        return embed_batches(checked, crops, batches, name)


def embed_batches(run: Run, crops: torch.Tensor, batches: Batches, name: str) -> torch.Tensor:
    """Unit embeddings of crops in batches of one size.

    Rows are scaled inside their batch. A GPU sums a row's squares in another order when there are other
    numbers of rows, so rows that were scaled after the batches would depend on how many crops were asked for.

    Args:
        run: The network: float32 [m, 3, size, size] -> [m, dimensions], not normalised.
        crops: The crops, at least one, float32 [n, 3, size, size] in [0, 1].
        batches: Cuts and fills.
        name: The encoder's name, for errors.

    Returns:
        float32 [n, dimensions].

    Raises:
        EncoderFault: for output that is not finite, or zero.
        UserError: if a GPU has no memory even for one crop.
    """

    def both(batch: torch.Tensor) -> torch.Tensor:
        raw = run(batch)
        return torch.cat([raw, scaled(raw)], 1)

    raw, rows = batches(both, crops).chunk(2, 1)
    refuse(raw, name)
    return rows.contiguous()


def embed_at(precision: str, encoder: Encoder, crops: torch.Tensor) -> torch.Tensor:
    """Unit embeddings of crops at a precision.

    `fp32` is the encoder's own `embed`. `bf16` and `fp16` run its torch twin under torch's autocast, which
    multiplies and convolves in 16 bits and keeps in 32 what needs them; the same code on a CPU and a GPU.

    Args:
        precision: `fp32`, `bf16` or `fp16`.
        encoder: The encoder.
        crops: The crops, float32 [n, 3, size, size] in [0, 1], on the encoder's device.

    Returns:
        float32 [n, dimensions].

    Raises:
        EncoderFault: for output that is not finite (fp16 ends at 65504), or zero.
        UserError: if a GPU has no memory even for one crop.
    """
    if precision == "fp32":
        return encoder.embed(crops)
    network, kind = encoder.twin(), _TYPES[precision]

    def run(x: torch.Tensor) -> torch.Tensor:
        # autocast belongs to a thread, so it is entered where the network runs
        with torch.autocast(x.device.type, dtype=kind):
            out: torch.Tensor = network(x)
        return out.float()

    return embed(run, crops, _at(precision, encoder.card.name), encoder.card.dimensions)


def runtime_at(precision: str, encoder: Encoder, device: str) -> str:
    """What `embed_at` runs on, with the size of a GPU's batch, as in `torch 2.13.0 cuda bf16 batch 256`."""
    name = encoder.card.name
    runtime = str(getattr(encoder, "runtime", "torch"))
    if precision != "fp32":
        name, runtime = _at(precision, name), f"torch {torch.__version__} {device} {precision}"
    sizes = [
        batches.size
        for (embedder, place), batches in _gpu.items()
        if embedder == name and torch.device(place).type == torch.device(device).type
    ]
    return f"{runtime} batch {sizes[-1]}" if sizes and sizes[-1] else runtime


def _at(precision: str, name: str) -> str:
    return f"{name} at {precision}"


def _free(device: torch.device) -> int:
    """Bytes that the next call can take: free on the device, or held by torch in reserve."""
    torch.cuda.synchronize(device)
    free, _ = torch.cuda.mem_get_info(device)
    return int(free)
