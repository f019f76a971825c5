"""What several benchmarks share, and what a record of them says about the machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bench.store.digests import versions
from measuring.subjects import facenet_weights

LIBRARIES = (
    *("torch", "onnxruntime", "numpy", "scipy", "scikit-learn", "faiss-cpu", "hdbscan"),
    *("facenet-pytorch", "insightface", "torchattacks", "foolbox", "pillow"),
)


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """The processors that were used, and the versions that were timed."""
    machine_info["threads"] = torch.get_num_threads()
    machine_info["packages"] = versions(LIBRARIES)
    if os.environ.get("BENCH_DEVICE", "cpu") != "cpu" and torch.cuda.is_available():
        machine_info["gpu"] = torch.cuda.get_device_name()


@pytest.fixture(scope="session")
def facenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that holds an InceptionResnetV1 of random weights in facenet-pytorch's format."""
    home = tmp_path_factory.mktemp("facenet")
    facenet_weights(home)
    return home


@pytest.fixture(scope="session")
def first_photos(real_data: Path) -> Callable[[int], list[bytes]]:
    """Reads the first photo's file of so many people of LFW, from A to Z."""

    def read(count: int) -> list[bytes]:
        paths = sorted((real_data / "lfw").glob("*/*_0001.jpg"))[:: 3000 // count][:count]
        return [path.read_bytes() for path in paths]

    return read
