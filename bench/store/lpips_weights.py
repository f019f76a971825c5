"""The file of weights that LPIPS is measured with: where it lies, and that it stays what it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.errors import UserError
from bench.store import weights
from bench.store.reasons import reason
from bench.types import Folders

FILE = "lpips_alex.safetensors"
"""AlexNet's convolutions and LPIPS's linear heads; docs/running.md says how the file is made."""


def present(folders: Folders) -> Path | None:
    """Where the file lies, unverified; None where there is none."""
    return next((place / FILE for place in weights.places(folders) if (place / FILE).is_file()), None)


def verified(folders: Folders) -> tuple[Path, str] | None:
    """Where the file lies and its sha256, which is pinned at first use; None where there is no file.

    Raises:
        UserError: for a file that has changed since.
    """
    path = present(folders)
    if path is None:
        return None
    sha256 = weights.pinned(path, folders)
    return weights.verified(path, sha256), sha256


def needed(folders: Folders, what: str, instead: str) -> str:
    """The sha256 of the file.

    Args:
        folders: Where it may lie.
        what: What needs it.
        instead: What needs none.

    Raises:
        UserError: if there is none, and for a file that has changed since its first use.
    """
    file = verified(folders)
    if file is None:
        looked = " or ".join(str(place) for place in weights.places(folders))
        raise UserError(
            f"{what} needs {FILE}, which is not in {looked}. "
            f"Put it there (docs/running.md says how it is made), or try {instead}."
        )
    return file[1]


def read(path: Path) -> Mapping[str, npt.NDArray[np.float32]]:
    """The tensors of the file by name.

    Raises:
        UserError: for a file that is no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors: Mapping[str, npt.NDArray[np.float32]] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} cannot be read as safetensors: {reason(error)}.") from error
    return tensors
