"""The trial of a stranger's network: in a process of its own, within limits, once a content."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from bench.encoders import trial, trial_run
from bench.encoders.families.onnx_file.encoder import OnnxEncoder
from bench.errors import PassingError, UserError
from bench.types import ARCFACE_CROP, EncoderCard, Folders
from injecting import unsteady_networks
from injecting.grid import network
from injecting.injection import assert_all_right

CARD = {"architecture": "a", "training_set": "", "licence": "MIT", "source": "a test", "dimensions": 8}
Nodes = tuple[onnx.NodeProto, ...]


def endless() -> onnx.ModelProto:
    """A loop whose condition stays true."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Mul", ["a", "a"], ["b"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("a", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("b", TensorProto.FLOAT, None),
        ],
    )
    return network(
        (helper.make_node("Loop", ["", "yes", "p"], ["q"], body=body),), extra={"yes": np.array(True)}
    )


def hungry() -> onnx.ModelProto:
    """A tensor of 4 GB on the way."""
    nodes = (
        helper.make_node("ConstantOfShape", ["many"], ["big"]),
        helper.make_node("RandomUniformLike", ["big"], ["drawn"], dtype=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["drawn"], ["one"], keepdims=0),
        helper.make_node("Add", ["p", "one"], ["q"]),
    )
    return network(nodes, extra={"many": np.array([1 << 30], np.int64)})


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """A network and a card beside it; returns what a user types."""

    def go(model: onnx.ModelProto, stem: str = "net") -> str:
        (tmp_path / f"{stem}.onnx").write_bytes(model.SerializeToString())
        lines = [f"{key} = {json.dumps(value)}" for key, value in CARD.items()]
        (tmp_path / f"{stem}.card.toml").write_text("\n".join(['name = "net"', *lines]))
        return f"onnx:{tmp_path}/{stem}.onnx"

    return go


def test_networks_that_are_no_function_of_the_crop_are_refused(tmp_path: Path) -> None:
    (injection,) = unsteady_networks.INJECTIONS
    assert_all_right(injection, 12, 1, tmp_path)


ONNX: dict[str, tuple[Nodes, dict[str, Any], str]] = {
    "coins": (
        (
            helper.make_node("Abs", ["p"], ["share"]),
            helper.make_node("Bernoulli", ["share"], ["coin"]),
            helper.make_node("Mul", ["p", "coin"], ["q"]),
        ),
        {},
        "at a second call: dropout",
    ),
    "noise": (
        (
            helper.make_node("RandomNormalLike", ["p"], ["r"], scale=1e-4),
            helper.make_node("Add", ["p", "r"], ["q"]),
        ),
        {},
        "at a second call: dropout",
    ),
    "company": (
        (
            helper.make_node("ReduceMean", ["p"], ["all"], axes=[0], keepdims=1),
            helper.make_node("Sub", ["p", "all"], ["near"]),
            helper.make_node("Add", ["p", "near"], ["q"]),
        ),
        {},
        "in another batch, cosine 0",
    ),
}


@pytest.mark.parametrize(("nodes", "extra", "says"), ONNX.values(), ids=ONNX)
def test_so_are_onnx_files(nodes: Nodes, extra: dict[str, Any], says: str, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(network(nodes, extra=extra).SerializeToString())
    card = EncoderCard("net", "a", "", ARCFACE_CROP, 8, 0, "", "", "", "")
    with pytest.raises(UserError, match=says) as caught:
        trial.check(OnnxEncoder(card, tmp_path / "net.onnx"))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_content_is_tried_once(
    write: Callable[..., str], folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    run = subprocess.run

    def counted(*given: Any, **more: Any) -> Any:
        started.append(given)
        return run(*given, **more)

    monkeypatch.setattr("bench.encoders.trial_run.subprocess.run", counted)
    card = trial_run.ready(write(network()), folders)
    assert (card, len(started)) == (trial_run.ready(write(network()), folders), 1)
    trial_run.ready(write(network(), "elsewhere"), folders)  # the same bytes and words at another place
    assert len(started) == 1
    trial_run.ready(write(network((helper.make_node("Neg", ["p"], ["q"]),))), folders)
    assert len(started) == 2


@pytest.mark.slow
def test_what_never_ends_is_told_and_not_kept(
    write: Callable[..., str], folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_run, "SECONDS", 6)
    name = write(endless())
    for _ in range(2):  # told again: nothing was kept
        began = time.monotonic()
        with pytest.raises(UserError, match=r"net.onnx (has not embedded|ended the process)") as caught:
            trial_run.ready(name, folders)
        assert "\n" not in str(caught.value)
        assert time.monotonic() - began < 30
    monkeypatch.setattr(trial_run, "SECONDS", 120)
    assert trial_run.ready(write(network()), folders).name == "net"  # the same name and file with an end


@pytest.mark.slow
def test_what_takes_too_much_memory_is_told(
    write: Callable[..., str], folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_run, "MEMORY", 2 << 30)
    with pytest.raises(UserError) as caught:
        trial_run.ready(write(hungry()), folders)
    assert "\n" not in str(caught.value)
    assert "alloc" in str(caught.value) or "memory" in str(caught.value), caught.value


@pytest.mark.slow
def test_what_crashes_the_runtime_is_told(write: Callable[..., str], folders: Folders) -> None:
    # onnxruntime 1.32 does not look whether running statistics have a place to go
    statistics = helper.make_node(
        "BatchNormalization", ["p", "one", "zero", "zero", "one"], ["q", "", ""], training_mode=1
    )
    extra = {"one": np.ones(3, np.float32), "zero": np.zeros(3, np.float32)}
    with pytest.raises(
        UserError, match=r"net.onnx ended the process that tried it|in another batch"
    ) as caught:
        trial_run.ready(write(network((statistics,), extra=extra)), folders)
    assert "\n" not in str(caught.value)


def test_a_process_that_dies_is_told(
    write: Callable[..., str], folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = {
        -11: b"",
        -9: b"",
        1: b"Traceback (most recent call last):\n  File x\nImportError: no module named torch\n",
    }
    says = {-11: "Segmentation fault", -9: "Killed; it may allocate 8 GiB", 1: "no module named torch"}
    name = write(network())
    for status, said in ends.items():
        done = subprocess.CompletedProcess([], status, b"", said)
        monkeypatch.setattr("bench.encoders.trial_run.subprocess.run", lambda *_, done=done, **__: done)
        with pytest.raises(UserError, match=f"ended the process that tried it: .*{says[status]}"):
            trial_run.ready(name, folders)


def test_an_error_of_the_moment_is_one(
    write: Callable[..., str], folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.CompletedProcess([], 0, b'{"passing": "cannot read it"}', b"")
    monkeypatch.setattr("bench.encoders.trial_run.subprocess.run", lambda *_, **__: done)
    with pytest.raises(PassingError, match="cannot read it"):
        trial_run.ready(write(network()), folders)


@pytest.mark.slow
def test_a_program_that_prints_and_writes_is_still_heard(tmp_path: Path, folders: Folders) -> None:
    source = """
    def forward(self, x: Tensor) -> Tensor:
        print("refused", x.shape)
        return torch.max_pool2d(x, [28, 28]).flatten(1)
    """
    program = torch.jit.ScriptModule()
    program.define(textwrap.dedent(source))
    stream = io.BytesIO()
    torch.jit.save(program, stream)
    (tmp_path / "net.pt").write_bytes(stream.getvalue())
    sha256 = hashlib.sha256(stream.getvalue()).hexdigest()
    lines = [
        f"{key} = {json.dumps(value)}" for key, value in (CARD | {"sha256": sha256, "dimensions": 48}).items()
    ]
    (tmp_path / "net.card.toml").write_text("\n".join(lines))
    assert trial_run.ready(f"torchscript:{tmp_path}/net.pt", folders).sha256 == sha256
