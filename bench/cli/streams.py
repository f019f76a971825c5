"""Standard streams that are closed, full or narrow: no command fails because of them, and no work is lost.

Python gives a closed stream as None, ends with a traceback on a full one, and refuses names that are no text
in the stream's encoding. Worse, the next file that is opened takes the number of a closed stream, and what a
library writes to that stream goes into the file.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from typing import Any

_ESCAPED = "cloakbench-escaped"
"""The name of the way to write what an encoding does not have."""


class _Sink(io.RawIOBase):
    """A descriptor that takes whatever is written, and remembers the first error.

    Attributes:
        error: Why nothing is written any more; None while all goes well.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        while self.error is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                # another program that shares the stream made it one that does not wait
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.error = error
        return len(data)


class Streams:
    """The standard streams of this process, made safe; those that somebody has replaced stay as they are."""

    def __init__(self) -> None:
        """Put safe streams in the places of the process's own."""
        for descriptor in range(3):
            _occupy(descriptor)
        codecs.register_error(_ESCAPED, _escaped)
        self._out: _Sink | None = None
        if sys.stdin is None:
            sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - it stays open
        if sys.stdout is sys.__stdout__:
            self._out = _Sink(1)
            sys.stdout = _text(self._out, sys.stdout, _ESCAPED, at_once=self._out.isatty())
        if sys.stderr is sys.__stderr__:
            sys.stderr = _text(_Sink(2), sys.stderr, "backslashreplace", at_once=True)

    def lost(self) -> str:
        """Why something that was written to stdout did not get there; empty if all of it did.

        A reader that has read enough and closed its end, as `head` does, has lost nothing.
        """
        sys.stdout.flush()
        error = self._out.error if self._out is not None else None
        if error is None or error.errno == errno.EPIPE:
            return ""
        return error.strerror or str(error)


def _occupy(descriptor: int) -> None:
    """Have a closed descriptor lead to nowhere, so that no file gets its number."""
    try:
        os.fstat(descriptor)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != descriptor:
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
        os.set_inheritable(descriptor, True)


def _text(sink: _Sink, former: Any, errors: str, *, at_once: bool) -> io.TextIOWrapper:
    """A stream of text in the former stream's encoding.

    Args:
        sink: Where it goes.
        former: The stream that it replaces; None where that one was closed.
        errors: What becomes of a character that the encoding does not have.
        at_once: Whether a line goes out as soon as it ends.
    """
    encoding = getattr(former, "encoding", None) or "utf-8"
    buffer = io.BufferedWriter(sink)
    return io.TextIOWrapper(buffer, encoding=encoding, errors=errors, line_buffering=at_once)


def _escaped(error: UnicodeError) -> tuple[bytes, int]:
    """Bytes of a file's name as they are, and any other character in the form that Python writes it in."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    out = b""
    for character in error.object[error.start : error.end]:
        byte = ord(character) - 0xDC00
        out += bytes([byte]) if 0x80 <= byte <= 0xFF else character.encode("ascii", "backslashreplace")
    return out, error.end
