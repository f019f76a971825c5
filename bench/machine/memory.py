"""The memory that this process has taken."""

from __future__ import annotations

import resource
import sys


def peak_memory() -> float:
    """The peak of this process so far, in MiB; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
