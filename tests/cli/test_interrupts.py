"""Ctrl-C and SIGTERM: one line and status 130 or 143, whatever the program made of the exception."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cli.interrupts import STOPPED
from injecting import ended_runs
from injecting.injection import assert_all_right

_COMMAND = """
import os, signal, sys, threading, time
import bench.cli.application as application
from bench.errors import UserError
number = getattr(signal, sys.argv[1])
def carry_out(interrupts):
    try:
        os.kill(os.getpid(), number)
        time.sleep(60)
    except KeyboardInterrupt:
        {handler}
application.carry_out = carry_out
from bench.cli import main
main()
"""
HANDLERS = {
    "passed on": "raise",
    "another error": "raise ImportError('numpy is broken')",
    "said as the user's mistake": "raise UserError('no such file')",
    "taken for the end": "return 0",
    "a second one": "os.kill(os.getpid(), number); time.sleep(60)",
    "five": "[os.kill(os.getpid(), number) for _ in range(5)]; time.sleep(60)",
    "work goes on": "time.sleep(60)",
    "a thread works on": "threading.Thread(target=time.sleep, args=(60,)).start(); raise",
}
"""What code may make of the exception."""


def heed() -> None:
    """Take signals as on a terminal: whoever runs in the background inherits that they are ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def ended(number: signal.Signals, handler: str) -> tuple[int, str, str]:
    command = [sys.executable, "-c", _COMMAND.format(handler=handler), number.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50, preexec_fn=heed)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("handler", HANDLERS)
def test_whatever_becomes_of_the_exception(handler: str) -> None:
    assert ended(signal.SIGINT, HANDLERS[handler]) == (130, "", f"bench: {STOPPED}\n")


def test_the_system_s_wish_to_end_is_heeded_alike() -> None:
    assert ended(signal.SIGTERM, "raise") == (143, "", f"bench: {STOPPED}\n")


def test_a_signal_that_is_ignored_from_outside_stays_ignored() -> None:
    code = _COMMAND.format(handler="raise").replace("time.sleep(60)", "return 0")
    command = [sys.executable, "-c", code, "SIGINT"]

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    done = subprocess.run(command, capture_output=True, check=False, timeout=50, preexec_fn=ignore)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


LATE = """
import atexit, os, signal, sys
import bench.cli.application as application
def carry_out(interrupts):
    atexit.register(os.kill, os.getpid(), signal.SIGINT)
    return 0
application.carry_out = carry_out
from bench.cli import main
main()
"""


def test_after_the_last_line_a_signal_comes_too_late() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, check=False, timeout=50)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_a_run_that_is_stopped_at_any_moment_goes_on_when_it_is_repeated(tmp_path: Path) -> None:
    assert_all_right(ended_runs.STOP, 2, 4, tmp_path)
