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

from injecting.ended_runs import Cycle
from injecting.homes import read_home
from injecting.injection import Injection, Outcome, draws
from injecting.inputs.checkout import Done, end, text

ENGINE = ("--defense", "pgd:steps=2", "--attacker", "louvain", "--engine", "processes:2")
"""Options of a run by two processes."""
_GONE = 5.0
"""Seconds that workers have to end after the command."""


def living(command: int) -> list[psutil.Process]:
    """The living workers of a command, by its process number."""
    try:
        children = psutil.Process(command).children(recursive=True)
        return [child for child in children if "bench.engines.worker" in child.cmdline()]
    except psutil.Error:
        return []


def workers(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Kill one of two workers at any moment, one to three times a run."""
    cycle, counts = Cycle(folder, *ENGINE), Counter[Outcome]()
    for rng in draws(times, seed):
        home = folder / "disturbed"
        done, killed = _killing_workers(cycle, home, rng)
        same = done.cells() == cycle.figures and not read_home(home).other_than(cycle.whole)
        right = done.status == 0 and same
        told = f"{killed} killed" if killed else "came to its end first"
        says = f"{told}: the same figures and bytes" if right else f"{told}: {done}: {done.err[-300:]!r}"
        counts[Outcome(says, right)] += 1
        shutil.rmtree(home, ignore_errors=True)
    return counts


def commands(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Kill the command at any moment; repeat it."""
    cycle, counts = Cycle(folder, *ENGINE), Counter[Outcome]()
    for rng in draws(times, seed):
        counts[_killing_command(cycle, folder / "disturbed", rng)] += 1
    return counts


def _killing_workers(cycle: Cycle, home: Path, rng: random.Random) -> tuple[Done, int]:
    killed, kills = 0, rng.choice([1, 1, 2, 3])
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = cycle.stock.checkout.start(
            cycle.command(), cycle.folder, out=out, err=err, BENCH_HOME=str(home)
        )
        while process.poll() is None and not living(process.pid):
            time.sleep(0.01)
        for _ in range(kills):
            time.sleep(rng.random() * cycle.length / 2 / kills)
            for worker in living(process.pid)[:1]:
                worker.kill()
                killed += 1
        try:
            status: int | None = process.wait(300)
        except subprocess.TimeoutExpired:
            status = None
        end(process)
        return Done(status, text(out), text(err), 0, 0), killed


def _killing_command(cycle: Cycle, home: Path, rng: random.Random) -> Outcome:
    with tempfile.TemporaryFile() as said:
        process = cycle.stock.checkout.start(
            cycle.command(), cycle.folder, out=said, err=subprocess.DEVNULL, BENCH_HOME=str(home)
        )
        until = time.monotonic() + rng.random() * cycle.length
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        left = living(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
    if psutil.wait_procs(left, timeout=_GONE)[1]:
        return Outcome("a worker outlived the command", False)
    right = cycle.repeated(home)
    shutil.rmtree(home, ignore_errors=True)
    return Outcome(f"killed; repeated, {'the same' if right else 'other'} figures and bytes", right)


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
