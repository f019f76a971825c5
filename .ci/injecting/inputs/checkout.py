"""The command `bench` of a checkout, run in a process of its own, and what is seen of it from outside."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_PROGRESS = re.compile(r": \d[\d,]*/\d[\d,]*(,| in )|^bench: .*\d+ of \d+")


@dataclass(frozen=True)
class Done:
    """How a command ended.

    Attributes:
        status: Its exit status; minus the number of the signal that ended it; None where it was still running
            when its time was over.
        out: What it printed.
        err: What it said.
        seconds: The seconds of a core that it and what it started took.
        peak: The most memory that it held, in MiB, as far as it was looked at.
    """

    status: int | None
    out: str
    err: str
    seconds: float
    peak: int

    @property
    def tracebacks(self) -> int:
        """How many tracebacks are on either stream."""
        return (self.out + self.err).count("Traceback (most recent call last)")

    @property
    def lines(self) -> list[str]:
        """Lines on stderr, less the progress that a slow machine shows."""
        return [line for line in self.err.splitlines() if line.strip() and not _PROGRESS.search(line)]

    def cells(self) -> dict[str, Any]:
        """Cell -> status, figures and outcomes, of a command with `--json`; empty where it printed none."""
        try:
            printed = json.loads(self.out)["cells"]
        except (ValueError, KeyError):
            return {}
        return {
            cell["cell"]: {key: cell[key] for key in ("status", "metrics", "outcomes")} for cell in printed
        }

    def __str__(self) -> str:
        if self.status is None:
            return f"not done after {self.seconds:.0f} s of a core"
        parts = [
            f"exit {self.status}" if self.status >= 0 else f"ended by {signal.Signals(-self.status).name}"
        ]
        if self.lines:
            parts.append(f"{len(self.lines)} line{'s' * (len(self.lines) > 1)} on stderr")
        if self.tracebacks:
            parts.append(f"{self.tracebacks} traceback{'s' * (self.tracebacks > 1)}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Checkout:
    """A checkout whose `bench` is run.

    Attributes:
        code: Its root.
        environment: The variables of every command.
    """

    code: Path
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, *arguments: str | Path, options: Sequence[str] = ()) -> list[str]:
        """The words of a command."""
        return [sys.executable, *options, "-m", "bench.cli", *map(str, arguments)]

    def start(
        self,
        command: Sequence[str],
        here: Path,
        *,
        out: Any,
        err: Any,
        hook: Path | None = None,
        before: Callable[[], None] | None = None,
        **variables: str | None,
    ) -> subprocess.Popen[bytes]:
        """Start a command in a group of its own.

        Args:
            command: Its words.
            here: Its working folder.
            out: Its standard output, as `subprocess` takes it.
            err: Its standard error.
            hook: A folder with a `sitecustomize.py` that it loads first.
            before: Is called in the new process before the command.
            variables: Of the environment; None takes one away.
        """

        def begin() -> None:
            # a shell that starts this in the background has signals ignored
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            if before:
                before()

        path = os.pathsep.join(str(each) for each in (hook, self.code) if each)
        given = {**self.environment, "PYTHONPATH": path, **variables}
        return subprocess.Popen(
            command,
            cwd=here,
            env={name: value for name, value in given.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            preexec_fn=begin,  # noqa: PLW1509 - no other thread runs
            start_new_session=True,
        )

    def run(
        self,
        *arguments: str | Path,
        here: Path,
        limit: float = 60,
        options: Sequence[str] = (),
        streams: str = "",
        hook: Path | None = None,
        before: Callable[[], None] | None = None,
        **variables: str | None,
    ) -> Done:
        """Run a command to its end, or to its limit of seconds.

        Args:
            arguments: Words after `bench`.
            here: Its working folder.
            limit: Seconds after which it is killed.
            options: Of Python.
            streams: What bash does to its streams, such as `2>&-`.
            hook: See `start`.
            before: See `start`.
            variables: See `start`.
        """
        command = self.command(*arguments, options=options)
        if streams:
            command = ["bash", "-c", f'set -o pipefail; "$@" {streams}', "bash", *command]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            began, before_it = time.monotonic(), _worked()
            process = self.start(command, here, out=out, err=err, hook=hook, before=before, **variables)
            peak = 0
            while process.poll() is None and time.monotonic() - began < limit:
                peak = max(peak, _held(process.pid))
                time.sleep(0.01)
            status = process.poll()
            end(process)
            return Done(status, text(out), text(err), _worked() - before_it, peak)


def _worked() -> float:
    """The seconds of a core that all processes took that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def text(stream: IO[bytes]) -> str:
    """All that was written to a temporary file."""
    stream.seek(0)
    return stream.read().decode("utf-8", "backslashreplace")


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a command and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _held(process: int) -> int:
    """The most memory that a process held so far, in MiB; 0 where the system does not say."""
    with suppress(OSError):
        held = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text("ascii"))
        return int(held[1]) // 1024 if held else 0
    return 0
