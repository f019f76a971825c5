"""The memory that this process has taken."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_memory() -> float:
    """The peak of this process so far, in MiB.

    Linux is asked for the peak of the program's own memory: `getrusage` counts there what the process that
    started this one had taken. macOS counts in bytes.
    """
    own = re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text()) if _STATUS.is_file() else None
    if own is not None:
        return round(int(own[1]) / 1024, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
