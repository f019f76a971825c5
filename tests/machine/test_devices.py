"""Devices and precisions that are not there are refused; a GPU's batch follows its memory, nothing is lost.

No GPU is needed: memory, its end and the network are stand-ins on the code path that a GPU takes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import bench.encoders
from bench.encoders import networks
from bench.encoders.faults import EncoderFault, scaled
from bench.encoders.gpu_batches import SIZES, Batches
from bench.encoders.networks import embed_at, embed_batches, runtime_at
from bench.errors import UserError
from bench.machine.devices import PRECISIONS, device, precision
from bench.protocols import Encoder
from bench.types import Folders

PARITY = {"bf16": 0.999, "fp16": 0.99999}
"""Least cosine of an embedding with its fp32 twin that a reduced precision may have."""

GIB = 2**30
NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")


@pytest.mark.parametrize("asked", ["gpu", "cuda:", "cuda:x", "cuda:-1", "", "mps", "cuda:²"])
def test_devices_that_do_not_exist(asked: str) -> None:
    with pytest.raises(UserError, match="Try auto, cpu, cuda or cuda:1"):
        device(asked)


@NO_GPU
@pytest.mark.parametrize("asked", ["cuda", "cuda:0", "cuda:1"])
def test_cuda_that_is_not_there_is_an_error(asked: str) -> None:
    with pytest.raises(UserError, match=f"'{asked}' asked for.*Try --device cpu"):
        device(asked)


@NO_GPU
def test_auto_is_what_there_is() -> None:
    assert (device("auto"), device("cpu")) == ("cpu", "cpu")


def test_a_second_card_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert device("cuda") == "cuda"
    assert device("cuda:0") == "cuda:0"
    with pytest.raises(UserError, match="there are 1, from cuda:0"):
        device("cuda:1")


def test_precisions() -> None:
    assert [precision(name) for name in PRECISIONS] == list(PRECISIONS)
    with pytest.raises(UserError, match=r"no precision 'fp8'\. Try fp32, bf16 or fp16"):
        precision("fp8")


class Network:
    """Means of the channels. Takes `each` bytes a crop of `total`, some of them held by others."""

    def __init__(self, total: int, each: int, others: int = 0, error: Exception | None = None) -> None:
        self.total, self.each, self.others = total, each, others
        self.error = error or torch.OutOfMemoryError("CUDA out of memory")
        self.calls: list[int] = []
        self.held = 0

    def free(self) -> int:
        return self.total - self.others - self.held

    def __call__(self, crops: torch.Tensor) -> torch.Tensor:
        self.calls.append(len(crops))
        need = len(crops) * self.each
        if need > self.total - self.others:
            raise self.error
        self.held = max(self.held, need)  # as an allocator keeps what it once got
        return crops.mean((2, 3))


def crops_of(count: int) -> torch.Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(count))


@pytest.mark.parametrize(
    ("each", "size"),
    [
        (1, 256),  # next to nothing
        (GIB // 1024, 256),  # 256 MiB of 16 GiB
        (GIB // 16, 64),  # half of what 16 crops leave of 16 GiB, 7.5 GiB, holds 120: 64
        (GIB // 2, 8),  # half of the 8 GiB that 16 leave holds 8
        (GIB * 2, 8),  # 16 do not even fit
        (GIB * 8, 2),
    ],
)
def test_the_batch_follows_the_free_memory(each: int, size: int) -> None:
    network = Network(16 * GIB, each)
    batches = Batches("any", network.free)
    crops = crops_of(5)
    assert torch.equal(batches(network, crops), crops.mean((2, 3)))
    assert batches.size == size
    assert batches.size in SIZES


def test_every_call_has_one_shape() -> None:
    network = Network(16 * GIB, GIB // 16)
    batches = Batches("any", network.free)
    batches(network, crops_of(3))
    network.calls.clear()
    for count in (1, 64, 65, 200):
        assert torch.equal(batches(network, crops_of(count)), crops_of(count).mean((2, 3)))
    assert set(network.calls) == {64}


def test_memory_that_ends_in_the_middle_loses_nothing() -> None:
    network = Network(16 * GIB, GIB // 16)
    batches = Batches("any", network.free)
    batches(network, crops_of(1))
    network.calls.clear()

    def crowded(crops: torch.Tensor) -> torch.Tensor:
        if len(network.calls) == 2:
            network.others = 15 * GIB  # another process comes: 1 GiB is left, 16 crops
        return network(crops)

    crops = crops_of(200)
    assert torch.equal(batches(crowded, crops), crops.mean((2, 3)))
    # two calls of 64 are kept; 64 and 32 do not fit; the other 72 crops go in calls of 16
    assert network.calls == [64, 64, 64, 32, 16, 16, 16, 16, 16]
    assert batches.size == 16


def test_memory_for_not_even_one_is_the_users_to_mend() -> None:
    network = Network(GIB, 2 * GIB)
    with pytest.raises(UserError, match=r"'any' does not fit.*try --device cpu"):
        Batches("any", network.free)(network, crops_of(3))
    assert network.calls == [1, 8, 4, 2, 1]


def test_onnxruntime_runs_out_of_memory_in_its_own_words() -> None:
    from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

    said = RuntimeException("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer")
    network = Network(8 * GIB, GIB, error=said)
    assert len(Batches("any", network.free)(network, crops_of(9))) == 9
    network = Network(8 * GIB, GIB, error=RuntimeException("Got invalid dimensions for input"))
    with pytest.raises(RuntimeException, match="invalid dimensions"):
        Batches("any", network.free)(network, crops_of(9))


def test_other_errors_are_not_taken_for_want_of_memory() -> None:
    network = Network(8 * GIB, GIB, error=RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        Batches("any", network.free)(network, crops_of(9))


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path | None], Encoder]:
    home = str(tmp_path_factory.mktemp("home"))
    return lambda name, real: bench.encoders.load(name, Folders(home, str(real) if real else None))


def least_cosine(encoder: Encoder, how: str) -> float:
    side = encoder.card.crop.size
    coarse = np.random.default_rng(0).uniform(0, 1, (6, 3, 7, 7)).astype(np.float32)
    crops = torch.nn.functional.interpolate(torch.from_numpy(coarse), (side, side), mode="bicubic").clamp(
        0, 1
    )
    reduced, full = embed_at(how, encoder, crops), embed_at("fp32", encoder, crops)
    assert reduced.dtype == torch.float32
    assert not torch.equal(reduced, full)
    assert torch.equal(embed_at(how, encoder, crops[2:3]), reduced[2:3])
    return float((reduced * full).sum(1).min())


@pytest.mark.parametrize("how", sorted(PARITY))
@pytest.mark.parametrize("name", ["synth-inc", "synth-ir", "synth-vit"])
def test_reduced_precision_stays_near(
    name: str, how: str, load: Callable[[str, Path | None], Encoder]
) -> None:
    encoder = load(name, None)
    assert least_cosine(encoder, how) > PARITY[how]
    assert runtime_at(how, encoder, "cpu") == f"torch {torch.__version__} cpu {how}"
    assert runtime_at("fp32", encoder, "cpu") == encoder.runtime


def test_rows_are_scaled_inside_their_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU sums the squares of 1 row in another order than those of 64: the first GPU measured showed it."""
    shapes: list[int] = []

    def counted(raw: torch.Tensor) -> torch.Tensor:
        shapes.append(len(raw))
        return scaled(raw)

    monkeypatch.setattr(networks, "scaled", counted)
    network = Network(16 * GIB, GIB // 16)
    batches = Batches("any", network.free)
    expected = scaled(crops_of(65).mean((2, 3)))
    embed_batches(network, crops_of(1), batches, "any")
    shapes.clear()
    for count in (1, 64, 65):
        rows = embed_batches(network, crops_of(65)[:count], batches, "any")
        assert torch.equal(rows, expected[:count])
    assert set(shapes) == {64}


def test_a_fault_in_a_batch_counts_the_crops_that_were_asked_for() -> None:
    crops = crops_of(3)
    crops[2] = 0  # the last crop fills the batch
    with pytest.raises(EncoderFault, match="1 of 3 embeddings are zero") as fault:
        embed_batches(Network(16 * GIB, 1), crops, Batches("any", lambda: GIB), "any")
    assert fault.value.rows == (2,)


@pytest.mark.real
@pytest.mark.parametrize("how", sorted(PARITY))
@pytest.mark.parametrize("name", ["insightface_mobilefacenet_y1", "mobileface_v2"])
def test_reduced_precision_of_onnx_files_stays_near(
    name: str, how: str, load: Callable[[str, Path | None], Encoder], real_data: Path
) -> None:
    assert least_cosine(load(name, real_data), how) > PARITY[how]


def test_a_gpus_batch_is_told_with_its_runtime(
    load: Callable[[str, Path | None], Encoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches("synth-ir at bf16", lambda: GIB)
    monkeypatch.setattr(networks, "_gpu", {("synth-ir at bf16", "cuda:0"): batches})
    encoder = load("synth-ir", None)
    assert runtime_at("bf16", encoder, "cuda").endswith("cuda bf16")
    batches(lambda x: x.mean((2, 3)), crops_of(2))
    assert runtime_at("bf16", encoder, "cuda").endswith("cuda bf16 batch 256")
    assert "batch" not in runtime_at("fp32", encoder, "cuda")
