"""Runs that are stopped or killed at any moment, and then repeated."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from injecting.homes import Home, read_home
from injecting.injection import Injection, Outcome, draws
from injecting.inputs.checkout import Done, end, text
from injecting.inputs.workshop import SIZES, Stock

ROOT = Path(__file__).resolve().parents[2]
_RUN = ("--encoder", "synth-ir", "--defense", "noise", "--attacker", "dbscan", "--json")
_STATUSES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def stop(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Send SIGINT or SIGTERM, up to five times, at any moment of a run; repeat it until it ends by itself."""
    return Cycle(folder).ended(times, seed, [signal.SIGINT, signal.SIGINT, signal.SIGTERM])


def kill(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Kill a run with SIGKILL at any moment; repeat it until it ends by itself."""
    return Cycle(folder).ended(times, seed, [signal.SIGKILL])


class Cycle:
    """One home after another, each of a run that is ended again and again until it comes to its end."""

    def __init__(self, folder: Path, *more: str) -> None:
        """Make photos, and a run that nobody disturbs.

        Args:
            folder: An empty folder.
            more: Options of the run besides its own.
        """
        self.more = more
        (folder / "stock").mkdir()
        self.stock, self.folder = Stock(ROOT, folder / "stock"), folder
        began = time.monotonic()
        self.figures = self._finished(folder / "undisturbed")
        self.length = time.monotonic() - began
        self.whole: Home = read_home(folder / "undisturbed")

    def ended(self, times: int, seed: int, numbers: list[signal.Signals]) -> Counter[Outcome]:
        """What came of each time."""
        counts: Counter[Outcome] = Counter()
        home = self.folder / "disturbed"
        for rng in draws(times, seed):
            done, sent = self._disturbed(home, rng, numbers)
            outcome = self._outcome(done, sent)
            if done.status == 0 or rng.random() < 0.2:
                # the end of this home: repeated, the run has to come to the same results
                if home.exists() and not self.repeated(home):
                    outcome = Outcome("the repeated run has other results", False)
                shutil.rmtree(home, ignore_errors=True)
            counts[outcome] += 1
        return counts

    def repeated(self, home: Path) -> bool:
        """Whether the run, repeated in a home, comes to the figures and bytes of the undisturbed one."""
        return self._finished(home) == self.figures and not read_home(home).other_than(self.whole)

    def _outcome(self, done: Done, sent: signal.Signals | None) -> Outcome:
        if sent is None or done.status == 0:
            right = done.status == 0 and done.cells() == self.figures and not done.tracebacks
            return Outcome(
                "came to its end first, with the right results" if right else f"the end: {done}", right
            )
        if sent == signal.SIGKILL:
            return Outcome("killed", done.status == -signal.SIGKILL)
        said = [line for line in done.lines if line.startswith("bench: stopped.")]
        right = done.status == _STATUSES[sent] and done.lines == said and len(said) == 1 and not done.out
        says = f"one line, exit {done.status}" if right else f"{done}: {done.err[-300:]!r}"
        return Outcome(f"{sent.name}: {says}", right)

    def command(self) -> list[str]:
        """What starts a run of the cycle."""
        return self.stock.checkout.command(
            "run", "--dataset", f"folder:{self.stock.photos}", *SIZES, *_RUN, *self.more
        )

    def _finished(self, home: Path) -> dict[str, object]:
        with tempfile.TemporaryFile() as out:
            process = self.stock.checkout.start(
                self.command(), self.folder, out=out, err=subprocess.DEVNULL, BENCH_HOME=str(home)
            )
            status = process.wait()
            return Done(status, text(out), "", 0, 0).cells()

    def _disturbed(
        self, home: Path, rng: random.Random, numbers: list[signal.Signals]
    ) -> tuple[Done, signal.Signals | None]:
        """A run that gets signals, and which; None where it came to its end before the first."""
        number, times, pause = rng.choice(numbers), rng.choice([1, 1, 2, 5]), rng.choice([0.0, 0.02, 0.3])
        sent = None
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            began = time.monotonic()
            process = self.stock.checkout.start(
                self.command(), self.folder, out=out, err=err, BENCH_HOME=str(home)
            )
            _wait(process, rng.random() * self.length)
            for _ in range(times):
                if process.poll() is None:
                    process.send_signal(number)
                    sent = number
                _wait(process, pause)
            try:
                status: int | None = process.wait(60)
            except subprocess.TimeoutExpired:
                status = None
            end(process)
            return Done(status, text(out), text(err), time.monotonic() - began, 0), sent


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)


STOP = Injection(
    "stopped-runs",
    "a run gets SIGINT or SIGTERM, once, twice or five times, at any moment from its first line of Python on",
    "one line, exit 130 or 143, no traceback; repeated, it ends with the same figures and bytes",
    30,
    stop,
)
KILL = Injection(
    "killed-runs",
    "a run is killed with SIGKILL at any moment, again and again",
    "repeated, it ends with the same figures, and the cache holds the same bytes",
    24,
    kill,
)
INJECTIONS = (STOP, KILL)
