"""What computed a record: the code, the libraries and the kind of machine. No host name, no paths."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path

import bench
from bench.digests import code_digest, versions

LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "pillow",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnx2torch",
    "facenet-pytorch",
)


@cache
def code() -> str:
    """Digest of everything that can change a cell: the package without its pictures and its command line."""
    rooms = (
        "align",
        "cache",
        "cells",
        "channels",
        "detect",
        "digests",
        "encoders",
        "metrics",
        "mtcnn",
        "mtcnn_card",
    )
    more = ("mtcnn_nets", "observe", "optim", "photos", "pipeline", "release", "splits", "workers", "verdict")
    return code_digest(*(f"bench.{room}" for room in (*rooms, *more)))


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
    """The checkout's commit and whether it has changes; None where this is no checkout."""
    root = Path(__file__).resolve().parents[1]
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
