"""The steps, small, on a CPU: they hold when all is well, and fail when a device computes something else."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bench.encoders.networks import embed_at
from bench.optim.engine import CloakingEngine
from measuring import gpu_tests, parity, setting, speed, steps
from measuring.contest import Contest
from measuring.record import Figure
from measuring.running import MissingError
from measuring.subjects import aligned, faces, loaded

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
SMALL = setting.small()
TINY = replace(SMALL, crops=3, users=1, batch=2, side=64)

BARE = """
import json, sys
LACKING = json.loads(sys.argv[1])
class Bare:
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in LACKING else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Bare(finder) for finder in sys.meta_path]
sys.path.insert(0, sys.argv[2])
import gpu_check
if "torch" not in LACKING:
    from dataclasses import replace
    from measuring import setting, steps
    small = replace(setting.small(), crops=2, slopes=2, users=1, batch=2, side=64)
    setting.small = lambda real_data=None: small
    steps.STEPS = tuple(step for step in steps.STEPS if not step.name.endswith("onnx"))
sys.exit(gpu_check.main(["--dry", "--out", sys.argv[3]]))
"""
"""A check in a Python that finds none of the packages named."""

LACKING = {
    *(
        "torchvision",
        "facenet_pytorch",
        "insightface",
        "onnx",
        "onnxruntime",
        "onnx2torch",
        "scipy",
        "sklearn",
    ),
    *("skimage", "faiss", "pandas", "matplotlib", "pyarrow", "platformdirs", "psutil", "pydantic"),
    *("typer", "rich", "requests", "filelock", "torchattacks", "foolbox", "pytest", "cv2"),
}


def bare(lacking: Iterable[str], path: Path) -> subprocess.CompletedProcess[str]:
    """Run a check without some packages; nothing of the project is on the path but its own folder."""
    command = [sys.executable, "-c", BARE, json.dumps(sorted(lacking)), str(ROOT / ".ci"), str(path)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=path.parent, env=environment, capture_output=True, text=True, check=False
    )


def test_a_checkout_and_five_packages_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    done = bare(LACKING, path)
    assert done.returncode == 0, done.stderr
    ended = {step["name"]: (step["status"], step["reason"]) for step in json.loads(path.read_text())["steps"]}
    assert ended == {
        "embeddings": ("passed", ""),
        "gradients": ("passed", ""),
        "graphs": ("skipped", "needs a CUDA device"),
        "cloaks": ("passed", ""),
        "embedding": ("measured", ""),
        "cloaking by engine": ("measured", ""),
        "cloaking by engine-fp32": ("measured", ""),
        "cloaking by engine-stopping": ("measured", ""),
        "cloaking by torchattacks": ("skipped", "needs torchattacks"),
        "cloaking by foolbox": ("skipped", "needs foolbox"),
        "memory": ("measured", ""),
        "tests": ("skipped", "needs pytest"),
        "embeddings, facenet": ("skipped", "needs facenet_pytorch"),
        "gradients, facenet": ("skipped", "needs facenet_pytorch"),
        "embedding, facenet": ("skipped", "needs facenet_pytorch"),
    }


def test_without_torch_one_line_says_what_to_type(tmp_path: Path) -> None:
    done = bare({"torch"}, tmp_path / "r.json")
    assert (done.returncode, done.stderr) == (2, "gpu-check: needs the package torch. Type: make env\n")


def failed(figures: Iterator[Figure]) -> set[str]:
    return {figure.what for figure in figures if not figure.passed}


def test_other_embeddings_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    assert failed(parity.embeddings(TINY, "built-in")) == set()
    monkeypatch.setattr(
        parity, "embed_at", lambda how, encoder, crops: embed_at(how, encoder, crops).roll(1, 0)
    )
    assert failed(parity.embeddings(TINY, "built-in")) == {
        f"{precision} embedding, least cosine" for precision in ("fp32", "bf16", "fp16")
    }


def test_embeddings_that_depend_on_their_batch_are_counted() -> None:
    def embed(crops: torch.Tensor) -> torch.Tensor:
        # the second row of a call gets one bit more
        rows = crops.mean((2, 3))
        rows[1:2] += 2**-20
        return rows

    crops = torch.rand(3, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    # of three, the second is second backwards too, and first when it comes alone
    assert parity._unlike(embed, crops) == 1


def round_to_tf32(values: torch.Tensor) -> torch.Tensor:
    """Values with the ten bits of fraction that TF32 has; their gradient is that of the values."""
    bits = values.detach().contiguous().view(torch.int32)
    rounded = ((bits + 0x1000) & ~0x1FFF).view(torch.float32)
    return values + (rounded - values).detach()


def test_gradients_in_tf32_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    real = parity._slopes

    def coarse(network: nn.Module, crops: torch.Tensor) -> torch.Tensor:
        rounded = copy.deepcopy(network)
        for module in rounded.modules():
            if isinstance(module, nn.Conv2d | nn.Linear) and crops.dtype == torch.float32:
                module.weight.data = round_to_tf32(module.weight.data)
                module.register_forward_pre_hook(lambda _, inputs: round_to_tf32(*inputs))
        return real(rounded, crops)

    assert failed(parity.gradients(SMALL, "built-in")) == set()
    monkeypatch.setattr(parity, "_slopes", coarse)
    assert failed(parity.gradients(SMALL, "built-in")) == {"gradient, median relative error"}


class Graph:
    """A stand-in for a CUDA graph of a network."""

    works = True
    noise = 0.0

    def __init__(self, network: nn.Module, largest: int) -> None:
        self.network, self.calls = network, 0

    def __call__(self, crops: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        rows: torch.Tensor = self.network(crops * (1 + self.calls * self.noise))
        return rows


def test_graphs_that_compute_otherwise_or_do_not_work_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "on_gpu", lambda device: True)
    monkeypatch.setattr(parity, "Graphed", Graph)
    assert failed(parity.graphs(SMALL)) == set()
    monkeypatch.setattr(Graph, "noise", 0.05)
    monkeypatch.setattr(Graph, "works", False)
    assert failed(parity.graphs(SMALL)) == {
        "networks that run without a graph",
        "gradients that differ when replayed",
        "gradient through a graph, median relative error",
    }


def test_cloaks_of_an_engine_that_does_nothing_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle(CloakingEngine):
        """Cloaks once, for the CPU, and then releases the originals."""

        used = False

        def cloak(self, albums: Any, *arguments: Any) -> Any:
            if Idle.used:
                return [list(album.photos) for album in albums]
            Idle.used = True
            return super().cloak(albums, *arguments)

    monkeypatch.setattr(parity, "CloakingEngine", Idle)
    broken = failed(parity.cloaks(TINY))
    assert "fp32 cloaks, difference of the mean similarity" in broken
    assert "auto cloaks, difference of the mean similarity" in broken
    assert "fp32 cloaks that differ between two runs" not in broken


def test_peak_memory_is_of_the_process_on_a_cpu() -> None:
    figures = list(speed.memory(TINY))
    assert [figure.what for figure in figures] == [
        *("fp32 embedding", "bf16 embedding", "cloaking, engine-fp32", "cloaking, engine"),
    ]
    assert all(figure.value > 100 for figure in figures)  # torch alone takes more


def test_the_share_of_the_limit_is_crops_by_arithmetic_by_limit() -> None:
    figures = {figure.what: figure.value for figure in speed.embedding(TINY, "built-in")}
    for how in ("fp32", "bf16", "fp16"):
        done = figures[f"{how} embedding"] * figures["arithmetic of a crop"] / 1e3
        assert figures[f"{how} arithmetic"] == pytest.approx(done)
        assert figures[f"{how} share of the limit"] == pytest.approx(
            done / figures[f"{how} arithmetic limit"]
        )


def test_the_engine_takes_photos_for_somebody_else_and_keeps_the_budget() -> None:
    (encoder,) = loaded(TINY, "built-in", "cpu")
    contest = Contest.of(encoder, aligned(faces(2), encoder.card.crop), "cpu")
    clean = contest.judged(contest.crops)
    assert (clean["success"], clean["similarity"]) == (0, pytest.approx(1, abs=1e-4))
    attacked = contest.judged(contest.attack("engine-fp32")(contest.crops))
    assert attacked["success"] == 1
    with pytest.raises(AssertionError):
        contest.judged(contest.crops + 9 / 255)


def test_weights_that_are_not_here_skip_a_step() -> None:
    with pytest.raises(MissingError, match="the weights of insightface_mobilefacenet_y1 in the"):
        list(parity.embeddings(SMALL, "onnx"))


def test_tests_marked_cuda_are_found_and_run() -> None:
    files = {path.name for path in gpu_tests.files()}
    assert "test_denoiser.py" in files
    cases = gpu_tests.cases(["tests/channels/test_denoiser.py"])
    assert [case.get("name") for case in cases] == ["test_a_gpu_trains_and_applies_alike_each_time"]


def test_every_kind_of_step_is_in_the_plan() -> None:
    assert {step.kind for step in steps.STEPS} == {"parity", "speed", "memory"}
