"""What computed a record: the code, the libraries and the kind of machine. No host name, no paths."""

from __future__ import annotations

import pkgutil
import platform
import subprocess
from functools import cache
from pathlib import Path

import bench
from bench.store.digests import code_digest, versions

LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-image",
    "faiss-cpu",
    "opencv-python",
    "opencv-python-headless",
    "safetensors",
    "pillow",
    "pillow-heif",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnx2torch",
    "facenet-pytorch",
)
"""Whatever any stage of a cell stands on: a cell is stored whole under their versions."""


NO_RESULTS = {
    *("board", "cli", "errors", "fetching", "inventory", "training", "verification"),
    # plug-ins, which lie here in a wheel: the cell's key has those that it uses
    *("attackers", "datasets", "defenses"),
}
"""Rooms that no figure of a cell depends on. A room that is not named here counts."""


@cache
def code() -> str:
    """Digest of everything that can change a cell: the package without its pictures and its command line."""
    here = pkgutil.iter_modules([str(Path(__file__).parents[1])])
    return code_digest(*sorted(f"bench.{m.name}" for m in here if m.name not in NO_RESULTS))


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
