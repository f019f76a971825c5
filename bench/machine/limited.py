"""Start another program under limits of the system: `limited.py LIMITS PROGRAM ARGUMENT…`, run as a script.

A process of its own sets the limits and then becomes the program, because a process with threads must not
run code of its own between fork and exec. `LIMITS` is a JSON object: name of a limit -> value.
"""

from __future__ import annotations

import json
import os
import sys


def main(limits: str, *command: str) -> None:
    """Set the limits, and become the program."""
    import resource  # no other system than those of POSIX has it

    for name, value in json.loads(limits).items():
        kind = getattr(resource, name)
        _, most = resource.getrlimit(kind)
        resource.setrlimit(kind, (value, value if most == resource.RLIM_INFINITY else min(value, most)))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
