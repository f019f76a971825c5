"""Ctrl-C and SIGTERM: one line and the right exit status, whenever they come and however often.

Python raises an exception wherever the program is. That may be the import of a library, which then makes
another error of it, or a place that cannot let an exception pass. So what happened is remembered, and the
process ends with one line whatever becomes of the exception. Results are written whole or not at all
(`bench.store.writing`), so that the end may come at once.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import NoReturn

STOPPED = "stopped. What was computed is kept: repeat the command to go on."
"""What is said."""
_PATIENCE = 3.0
"""The seconds in which what is at hand may come to its end."""


class Interrupts:
    """Watches over one command, from its first import to its last line.

    The first signal is a `KeyboardInterrupt`, so that temporary files are removed. A second one, or three
    seconds, end the process at once. A signal that is ignored from outside, as under `nohup`, stays ignored.
    """

    def __init__(self) -> None:
        self._number = 0
        self._last_word = threading.Lock()

    def __enter__(self) -> Interrupts:
        """Begin to watch."""
        for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
            if threading.current_thread() is threading.main_thread() and signal.getsignal(number) == usual:
                signal.signal(number, self._asked)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process if it was asked to; otherwise all is done, and a signal comes too late."""
        self.check()
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) == self._asked:
                signal.signal(number, signal.SIG_IGN)

    def check(self) -> None:
        """End the process if a signal asked for it: whatever error is at hand may be its consequence."""
        if self._number:
            self._leave()

    def _asked(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.check()
        self._number = number
        late = threading.Timer(_PATIENCE, self._leave)
        late.daemon = True
        late.start()
        raise KeyboardInterrupt

    def _leave(self) -> NoReturn:
        if self._last_word.acquire(blocking=False):
            with suppress(OSError):
                os.write(2, f"bench: {STOPPED}\n".encode())
        os._exit(128 + self._number)
