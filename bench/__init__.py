"""cloakbench: measures whether face-cloaking defenses protect anybody.

In a checkout the plug-in folders lie beside this package, in a wheel inside it (design/001-import-names.md).
"""

from __future__ import annotations

from pathlib import Path

__version__ = "0.1.0"

_checkout = Path(__file__).resolve().parents[1]
if (_checkout / "pyproject.toml").is_file():
    __path__.append(str(_checkout))
