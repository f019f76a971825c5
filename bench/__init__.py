"""cloakbench: measures whether face-cloaking defenses protect anybody.

In a checkout the plug-in folders lie beside this package, in a wheel inside it (design/001-import-names.md).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.experiment.api import run as run
    from bench.experiment.api import score as score

__version__ = "0.2.0"

# torch's worker threads spin while they wait for one another; on a machine that also does something else
# they then burn several times what they compute. To take effect this must be set before torch is loaded
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# onnxruntime from 1.29 on looks up a host of its makers and writes an identifier into the user's cache; only
# `bench fetch` may use a network. To take effect this must be set before onnxruntime is loaded
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_checkout = Path(__file__).resolve().parents[1]
if (_checkout / "pyproject.toml").is_file():
    __path__.append(str(_checkout))


def __getattr__(name: str) -> Any:
    """`bench.run` and `bench.score`, without loading their libraries for those who only want the version."""
    if name in ("run", "score"):
        from bench.experiment import api

        return getattr(api, name)
    raise AttributeError(f"module 'bench' has no attribute {name!r}")
