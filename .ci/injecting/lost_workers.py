"""Runs by several processes of which one is ended: a worker, or the command itself."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from injecting.ended_runs import RUN
from injecting.homes import Home, read_home
from injecting.injection import Injection, Outcome, draws
from injecting.inputs.checkout import Done, end, text
from injecting.inputs.workshop import SIZES, Stock

ROOT = Path(__file__).resolve().parents[2]
_ENGINE = ("--defense", "pgd:steps=2", "--attacker", "louvain", "--engine", "processes:2")
_GONE = 5.0
"""Seconds that workers have to end after the command."""


def workers(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Kill one of two workers at any moment, one to three times a run."""
    return _Cycle(folder).workers_killed(times, seed)


def commands(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Kill the command at any moment; repeat it until it ends by itself."""
    return _Cycle(folder).commands_killed(times, seed)


class _Cycle:
    def __init__(self, folder: Path) -> None:
        (folder / "stock").mkdir()
        self.stock, self.folder = Stock(ROOT, folder / "stock"), folder
        began = time.monotonic()
        self.figures = self._run(folder / "undisturbed").cells()
        self.length = time.monotonic() - began
        self.whole: Home = read_home(folder / "undisturbed")

    def workers_killed(self, times: int, seed: int) -> Counter[Outcome]:
        counts: Counter[Outcome] = Counter()
        home = self.folder / "disturbed"
        for rng in draws(times, seed):
            kills = rng.choice([1, 1, 2, 3])
            done, killed = self._killing_workers(home, rng, kills)
            right = done.status == 0 and done.cells() == self.figures and not self._other(home)
            told = f"{killed} killed" if killed else "came to its end first"
            says = f"{told}: the same figures and bytes" if right else f"{told}: {done}: {done.err[-300:]!r}"
            counts[Outcome(says, right)] += 1
            shutil.rmtree(home, ignore_errors=True)
        return counts

    def commands_killed(self, times: int, seed: int) -> Counter[Outcome]:
        counts: Counter[Outcome] = Counter()
        home = self.folder / "disturbed"
        for rng in draws(times, seed):
            counts[self._killing_command(home, rng)] += 1
        return counts

    def _command(self) -> list[str]:
        return self.stock.checkout.command(
            "run", "--dataset", f"folder:{self.stock.photos}", *SIZES, *RUN, *_ENGINE
        )

    def _run(self, home: Path) -> Done:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.stock.checkout.start(
                self._command(), self.folder, out=out, err=err, BENCH_HOME=str(home)
            )
            return Done(process.wait(), text(out), text(err), 0, 0)

    def _other(self, home: Path) -> list[str]:
        return read_home(home).other_than(self.whole)

    def _killing_workers(self, home: Path, rng: random.Random, kills: int) -> tuple[Done, int]:
        killed = 0
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.stock.checkout.start(
                self._command(), self.folder, out=out, err=err, BENCH_HOME=str(home)
            )
            while process.poll() is None and not _workers(process):
                time.sleep(0.01)
            for _ in range(kills):
                time.sleep(rng.random() * self.length / 2 / kills)
                for worker in _workers(process)[:1]:
                    worker.kill()
                    killed += 1
            try:
                status: int | None = process.wait(300)
            except subprocess.TimeoutExpired:
                status = None
            end(process)
            return Done(status, text(out), text(err), 0, 0), killed

    def _killing_command(self, home: Path, rng: random.Random) -> Outcome:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.stock.checkout.start(
                self._command(), self.folder, out=out, err=err, BENCH_HOME=str(home)
            )
            until = time.monotonic() + rng.random() * self.length
            while process.poll() is None and time.monotonic() < until:
                time.sleep(0.005)
            living = _workers(process)
            process.send_signal(signal.SIGKILL)
            process.wait()
        if psutil.wait_procs(living, timeout=_GONE)[1]:
            return Outcome("a worker outlived the command", False)
        done = self._run(home)
        right = done.status == 0 and done.cells() == self.figures and not self._other(home)
        shutil.rmtree(home, ignore_errors=True)
        says = "killed; repeated, the same figures and bytes" if right else f"repeated: {done}"
        return Outcome(says, right)


def _workers(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The living workers of a command."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        return [child for child in children if "bench.engines.worker" in child.cmdline()]
    except psutil.Error:
        return []


WORKERS = Injection(
    "killed-workers",
    "a run by `processes:2` loses one to three of its workers to SIGKILL at any moment",
    "the run ends with the figures of an undisturbed one, and the cache holds the same bytes",
    8,
    workers,
)
COMMANDS = Injection(
    "killed-engines",
    "the command of a run by `processes:2` is killed with SIGKILL at any moment",
    "no worker outlives it; repeated, it ends with the same figures, and the cache holds the same bytes",
    6,
    commands,
)
INJECTIONS = (WORKERS, COMMANDS)
