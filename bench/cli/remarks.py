"""What is logged, on stderr: the first remark of each kind, and at the end how many more there were."""

from __future__ import annotations

import logging
import re
import sys
from collections import Counter

from bench.board.escaping import printable


class Remarks(logging.Handler):
    """Takes warnings of this program; those of other libraries, such as on fonts, are not the user's.

    A folder may have thousands of photos with one peculiarity.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.addFilter(logging.Filter("bench"))
        self._count: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Write the first remark of a kind, and count the others; a kind is a text before its values."""
        kind = str(record.msg)
        self._count[kind] += 1
        if self._count[kind] == 1:
            sys.stderr.write(f"bench: {printable(record.getMessage())}\n")

    def rest(self) -> None:
        """Write how many more there were of each kind."""
        for kind, count in self._count.items():
            if count > 1:
                text = printable(re.sub(r"%[-#0 +]*\d*(?:\.\d+)?[a-z]", "…", kind))
                sys.stderr.write(f"bench: {count - 1:,} more like this: {text}\n")
        self._count.clear()
