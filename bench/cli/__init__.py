"""The command line: parse, call, print. No arithmetic, and no library that is slow to load."""

from __future__ import annotations

import sys
from typing import Any

from bench.cli.interrupts import Interrupts


def main() -> None:
    """Entry point: 0 done, 1 a fault of ours, 2 the user's to mend, 130 and 143 stopped by a signal."""
    with Interrupts() as interrupts:
        from bench.cli.application import carry_out

        status = carry_out(interrupts)
    sys.exit(status)


def __getattr__(name: str) -> Any:
    """`app`, without loading its libraries before signals are heeded."""
    if name == "app":
        from bench.cli.application import app

        return app
    raise AttributeError(f"module 'bench.cli' has no attribute {name!r}")
