"""The code, the libraries and the kind of machine behind a record. It names no host and no path."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path

import bench
from bench.store.code import code_of
from bench.store.digests import versions

LIBRARIES = (
    "dlib",
    "dlib-bin",
    "facenet-pytorch",
    "faiss-cpu",
    "igraph",
    "infomap",
    "insightface",
    "leidenalg",
    "numpy",
    "onnx",
    "onnx2torch",
    "onnxruntime",
    "onnxruntime-gpu",
    "opencv-python",
    "opencv-python-headless",
    "pandas",
    "pillow",
    "pillow-heif",
    "protobuf",
    "pydantic",
    "pydantic-core",
    "safetensors",
    "scikit-image",
    "scikit-learn",
    "scipy",
    "threadpoolctl",
    "torch",
    "torchvision",
)
"""Whatever any stage of a cell stands on: a cell is stored whole under their versions."""


@cache
def code() -> str:
    """Digest of all code that can change a cell, but for what the keys of its cells have.

    Those have the code of plug-ins and of the encoders' families.
    """
    return code_of("bench.experiment.pipeline")


@cache
def environment() -> dict[str, object]:
    """Versions and the commit, for a record."""
    commit, dirty = _commit()
    return {
        "cloakbench": bench.__version__,
        "commit": commit,
        "dirty": dirty,
        "code": code(),
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "packages": versions(LIBRARIES),
    }


def _commit() -> tuple[str | None, bool | None]:
    """The checkout's commit, and whether it has changes; None where this is no checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None, None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return commit, bool(_git(root, "status", "--porcelain"))
    except (OSError, subprocess.CalledProcessError):
        # git is not installed, or refuses this folder: the record says so by leaving the commit empty
        return None, None


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
