"""What other processes did for a run: which cells they lost, why, and at which try they made the others."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.errors import RefusedError, UserError


class FaultElsewhere(Exception):  # noqa: N818 - it tells of an error and is none of this process
    """An error that made a cell fail in another process.

    Attributes:
        kind: The name of its class there; empty where the process ended without an error.
    """

    def __init__(self, kind: str, message: str, trace: str = "") -> None:
        """Store.

        Args:
            kind: See above.
            message: What it said.
            trace: Its traceback, as text; shown below the message.
        """
        super().__init__(message)
        self.kind = kind
        if trace:
            self.add_note(trace)


@dataclass
class Elsewhere:
    """What came of a run's cells in other processes. Their results are in the store.

    Attributes:
        faults: Cell digest -> why it has no result. Such a cell is not computed again.
        attempts: Cell digest -> at which try it was computed, where that was not the first.
    """

    faults: dict[str, RefusedError | FaultElsewhere] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)


def reason_of(error: BaseException) -> str:
    """What a record says of an error: the line of one that the user can mend, and the class of any other."""
    if isinstance(error, UserError):
        return str(error)
    kind = error.kind if isinstance(error, FaultElsewhere) else type(error).__name__
    return f"{kind}: {error}" if kind else str(error)
