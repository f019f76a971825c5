"""Programs of other people, run under limits: none outlives its time, and none fills the disk."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_MARK = "CLOAKBENCH_PROCESS"
"""The environment variable by which every descendant of a program is told, also one that left its session."""

_LIMITED = Path(__file__).with_name("limited.py")
_PAUSES = (0.02, 0.25)
"""Seconds between two looks at a program: at first, and at most."""

_BLOCK = 4096

_PATIENCE = 10.0
"""Seconds in which processes that were killed have to be gone."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may take.

    Attributes:
        seconds: Wall time.
        memory_mib: Memory of all its processes together.
        output_mib: What it adds to its folder, and the size of any one file that it writes.
        processes: Processes at a time.
    """

    seconds: float
    memory_mib: int
    output_mib: int
    processes: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes:
        status: Its exit status; minus the number of a signal that ended it.
        stopped: Why it was stopped; empty if it was not.
    """

    status: int
    stopped: str

    def __str__(self) -> str:
        if self.stopped:
            return f"it was stopped: {self.stopped}"
        return f"signal {-self.status} ended it" if self.status < 0 else f"its exit status is {self.status}"


def run_limited(
    command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str], limits: Limits
) -> Ended:
    """Run a program to its end or to its limits, and leave no process of it behind.

    Limits of the system hold where the system keeps them; besides, the program is looked at several times
    a second. Nothing keeps it from the network or from files that the user may read.

    Args:
        command: The program and its arguments.
        folder: Its working folder, whose content counts as its output.
        log: Where its standard output and standard error go.
        environment: All variables that it has.
        limits: What it may take.
    """
    token = secrets.token_hex(16)
    most = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": limits.output_mib * 2**20}
    start = [sys.executable, "-I", "-S", str(_LIMITED), json.dumps(most), *command]
    with log.open("wb") as said:
        process = subprocess.Popen(
            start,
            cwd=folder,
            env={**environment, _MARK: token},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stopped = ""
    try:
        stopped = _watched(process, token, folder, limits)
    finally:
        _end(process, token)
    return Ended(process.wait(), stopped)


def _watched(process: subprocess.Popen[bytes], token: str, folder: Path, limits: Limits) -> str:
    """Wait for the end of a program; why it must be stopped, or an empty text."""
    began, before, (pause, longest) = time.monotonic(), _size(folder), _PAUSES
    while process.poll() is None:
        if time.monotonic() - began > limits.seconds:
            return f"it took longer than {limits.seconds:g} seconds"
        members = list(_members(process.pid, token))
        if len(members) > limits.processes:
            return f"it had more than {limits.processes} processes"
        if sum(map(_memory, members)) > limits.memory_mib * 2**20:
            return f"it took more than {limits.memory_mib} MiB of memory"
        if _size(folder) - before > limits.output_mib * 2**20:
            return f"it wrote more than {limits.output_mib} MiB"
        time.sleep(pause)
        pause = min(2 * pause, longest)
    return ""


def _end(process: subprocess.Popen[bytes], token: str) -> None:
    """Kill what is left of a program, until nothing is."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        members = list(_members(process.pid, token))
        for member in members:
            try:
                member.kill()
            except psutil.Error:
                continue
        process.poll()
        if not members:
            return
        time.sleep(_PAUSES[0])


def _members(leader: int, token: str) -> Iterator[psutil.Process]:
    """The living processes of a program: of its session, or with its mark."""
    for process in psutil.process_iter():
        try:
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if os.getsid(process.pid) == leader or process.environ().get(_MARK) == token:
                yield process
        except (psutil.Error, OSError):
            continue  # it has ended, or is somebody else's


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _size(folder: Path) -> int:
    """Bytes of all files below a folder, of each at least a block; links are not followed."""
    total = 0
    for path, _, names in os.walk(folder, onerror=None):
        for name in names:
            try:
                total += max(_BLOCK, os.lstat(os.path.join(path, name)).st_size)  # noqa: PTH118 - several times a second
            except OSError:
                continue  # it is gone again
    return total
