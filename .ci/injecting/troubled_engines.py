"""Runs by several processes in trouble: hung workers, no memory, clocks that jump, damaged stores."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil

from injecting.ended_runs import Cycle
from injecting.homes import read_home
from injecting.injection import CannotInjectError, Injection, Outcome, draws
from injecting.inputs.checkout import Done, end, text
from injecting.lost_workers import ENGINE, living

_SILENCE = 20.0
"""Seconds without a sign of life after which a worker counts as hung, in the place of half an hour."""

_IMPATIENT = f"""
from bench.engines.processes import Processes
Processes.__init__.__kwdefaults__["silence"] = {_SILENCE}
"""
_JUMPING = """
import random, time
_real, _draws = time.time, random.Random({seed})
_by = [0.0]
def _jumping():
    if _draws.random() < 0.05:
        _by[0] = _draws.choice([-1, 1]) * 10 ** _draws.uniform(0, 8.5)
    return max(0.0, _real() + _by[0])
time.time = _jumping
"""
_MIB = 1 << 20


class _Trouble:
    """A cycle of runs by two processes, and what a disturbed one came to."""

    def __init__(self, folder: Path) -> None:
        self.cycle, self.folder, self.home = Cycle(folder, *ENGINE), folder, folder / "disturbed"

    def hook(self, code: str) -> Path:
        """A folder with code that every process of a run loads before anything else."""
        place = Path(tempfile.mkdtemp(prefix="hook-", dir=self.folder))
        (place / "sitecustomize.py").write_text(code, "utf-8")
        return place

    def run(
        self,
        disturb: Callable[[subprocess.Popen[bytes]], None] = lambda process: None,
        hook: Path | None = None,
        home: Path | None = None,
        **variables: str,
    ) -> Done:
        """A run that is disturbed, until it ends."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.start(out, err, hook, home, **variables)
            disturb(process)
            return ended(process, out, err)

    def start(
        self, out: IO[bytes], err: IO[bytes], hook: Path | None, home: Path | None, **variables: str
    ) -> subprocess.Popen[bytes]:
        """Start a run."""
        given: dict[str, Any] = {"BENCH_HOME": str(home or self.home), **variables}
        return self.cycle.stock.checkout.start(
            self.cycle.command(), self.folder, out=out, err=err, hook=hook, **given
        )

    def same(self, done: Done, home: Path | None = None) -> bool:
        """Whether a run ended well, with the figures and bytes of the undisturbed one."""
        right = done.status == 0 and done.cells() == self.cycle.figures
        return right and not read_home(home or self.home).other_than(self.cycle.whole)

    def judged(self, done: Done, told: str, *, may_fail: bool = False) -> Outcome:
        """What a disturbed run came to, and the same run repeated in the same home."""
        if self.same(done):
            return Outcome(f"{told}: the same figures and bytes", True)
        said = f"{done}: {done.err[-300:]!r}"
        if not (may_fail and done.status in (1, 2) and not done.tracebacks):
            return Outcome(f"{told}: {said}", False)
        if list(self.home.rglob(".part-*")):
            return Outcome(f"{told}: half of a file is left; {said}", False)
        if not self.cycle.repeated(self.home):
            return Outcome(f"{told}: repeated, other figures or bytes; {said}", False)
        return Outcome(f"{told}: it says so and ends with {done.status}; repeated, the same figures", True)

    def clear(self) -> None:
        """Begin anew."""
        shutil.rmtree(self.home, ignore_errors=True)


def ended(process: subprocess.Popen[bytes], out: IO[bytes], err: IO[bytes]) -> Done:
    """Wait for a run, but not for ever."""
    try:
        status: int | None = process.wait(300)
    except subprocess.TimeoutExpired:
        status = None
    end(process)
    return Done(status, text(out), text(err), 0, 0)


def a_worker(process: subprocess.Popen[bytes], rng: random.Random, length: float) -> psutil.Process | None:
    """A worker of a run at a random moment of its life; None where the run came to its end first."""
    while process.poll() is None and not living(process.pid):
        time.sleep(0.01)
    time.sleep(rng.random() * length / 2)
    workers = living(process.pid)
    return rng.choice(workers) if workers else None


def hang(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Halt one of two workers for good, at any moment."""
    trouble, counts = _Trouble(folder), Counter[Outcome]()
    hook = trouble.hook(_IMPATIENT)
    for rng in draws(times, seed):
        halted: list[psutil.Process] = []

        def disturb(
            process: subprocess.Popen[bytes],
            rng: random.Random = rng,
            halted: list[psutil.Process] = halted,
        ) -> None:
            worker = a_worker(process, rng, trouble.cycle.length)
            if worker:
                worker.send_signal(signal.SIGSTOP)
                halted.append(worker)

        done = trouble.run(disturb, hook)
        counts[trouble.judged(done, "a worker halted" if halted else "came to its end first")] += 1
        trouble.clear()
    return counts


def lack_memory(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Leave one of two workers a few MiB of memory from some moment on."""
    trouble, counts = _Trouble(folder), Counter[Outcome]()
    hook = trouble.hook(_IMPATIENT)  # a thread that cannot be started may leave a worker waiting for ever
    for rng in draws(times, seed):
        left = rng.choice([0, 4, 16, 64])

        def disturb(process: subprocess.Popen[bytes], rng: random.Random = rng, left: int = left) -> None:
            worker = a_worker(process, rng, trouble.cycle.length)
            if worker:
                limit = worker.memory_info().vms + left * _MIB
                psutil.Process(worker.pid).rlimit(psutil.RLIMIT_AS, (limit, resource.RLIM_INFINITY))

        counts[trouble.judged(trouble.run(disturb, hook), f"{left} MiB", may_fail=True)] += 1
        trouble.clear()
    return counts


def jump(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Have the clock of every process jump by seconds to years, back and forth."""
    trouble, counts = _Trouble(folder), Counter[Outcome]()
    for rng in draws(times, seed):
        hook = trouble.hook(_JUMPING.format(seed=rng.randrange(1 << 30)))
        counts[trouble.judged(trouble.run(hook=hook), "the clock jumped")] += 1
        trouble.clear()
    return counts


def several(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Start two or three commands at once that share a BENCH_HOME, or a BENCH_STORE."""
    trouble, counts = _Trouble(folder), Counter[Outcome]()
    for rng in draws(times, seed):
        number, shares = rng.choice([2, 2, 3]), rng.choice(["BENCH_HOME", "BENCH_STORE"])
        homes = [trouble.home if shares == "BENCH_HOME" else folder / f"home-{n}" for n in range(number)]
        more = {} if shares == "BENCH_HOME" else {"BENCH_STORE": str(folder / "shared")}
        running = []
        for home in homes:
            out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - until they are read
            running.append((trouble.start(out, err, None, home, **more), out, err))
            time.sleep(rng.random())
        dones = [ended(*each) for each in running]
        wrong = [done for done, home in zip(dones, homes, strict=True) if not trouble.same(done, home)]
        says = f"{number} commands share a {shares}: "
        says += f"{wrong[0]}: {wrong[0].err[-300:]!r}" if wrong else "all have the same figures and bytes"
        counts[Outcome(says, not wrong)] += 1
        for place in (*homes, folder / "shared"):
            shutil.rmtree(place, ignore_errors=True)
    return counts


def fill(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Give a BENCH_HOME a disk that is too small for what the run stores, and then a larger one."""
    trouble, counts = _Trouble(folder), Counter[Outcome]()
    needed = sum(path.stat().st_size for path in (folder / "undisturbed").rglob("*") if path.is_file())
    trouble.home.mkdir()
    for rng in draws(times, seed):
        size = int(needed * rng.uniform(0.05, 1.5))
        with _disk(trouble.home, size):
            done = trouble.run()
            subprocess.run(["mount", "-o", "remount,size=64m", str(trouble.home)], check=True)
            counts[trouble.judged(done, "a small disk", may_fail=True)] += 1
    return counts


def damage(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Cut, change or take away objects of a store that machines share, and run where nothing else is."""
    trouble, counts = _Trouble(folder), Counter[Outcome]()
    shared = folder / "shared"
    trouble.run(BENCH_STORE=str(shared))
    trouble.clear()
    whole = folder / "whole"
    shutil.copytree(shared, whole)
    for rng in draws(times, seed):
        objects = sorted(path for path in shared.rglob("*") if path.is_file())
        for path in rng.sample(objects, max(1, len(objects) // rng.choice([1, 3, 10]))):
            _damage(path, rng)
        done = trouble.run(BENCH_STORE=str(shared))
        counts[trouble.judged(done, "objects damaged")] += 1
        trouble.clear()
        shutil.rmtree(shared)
        shutil.copytree(whole, shared)
    return counts


def _damage(path: Path, rng: random.Random) -> None:
    content = bytearray(path.read_bytes())
    how = rng.choice(["cut", "flip", "gone"])
    if how == "gone":
        path.unlink()
    elif how == "cut" or not content:
        path.write_bytes(content[: rng.randrange(len(content) + 1)])
    else:
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(content)


@contextmanager
def _disk(place: Path, size: int) -> Iterator[None]:
    """A disk of so many bytes at a folder.

    Raises:
        CannotInjectError: None can be mounted here.
    """
    try:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise CannotInjectError(f"no small disk can be mounted: {error}") from error
    if made.returncode:
        raise CannotInjectError(f"no small disk can be mounted: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


_FIGURES = "the run ends with the figures of an undisturbed one, and the cache holds the same bytes"
_OR_SAYS = f"{_FIGURES}; or it says what is wrong, and does so when it is repeated without"
HANG = Injection(
    "hung-workers",
    "a run by `processes:2` has one of its workers halted for good (SIGSTOP) at any moment",
    _FIGURES,
    2,
    hang,
)
MEMORY = Injection(
    "workers-without-memory",
    "one of the workers of a run by `processes:2` may take no more than 0 to 64 MiB from any moment on",
    _OR_SAYS,
    2,
    lack_memory,
)
CLOCK = Injection(
    "jumping-clocks",
    "the clock of every process of a run by `processes:2` jumps by a second to ten years, back and forth",
    _FIGURES,
    4,
    jump,
)
SEVERAL = Injection(
    "commands-at-once",
    "two or three runs by `processes:2` at once share a BENCH_HOME, or a BENCH_STORE",
    "each ends with the figures of an undisturbed one, and its cache holds the same bytes",
    2,
    several,
)
DISK = Injection(
    "small-disks",
    "a run by `processes:2` has a BENCH_HOME on a disk of .05 to 1.5 times what it stores",
    _OR_SAYS,
    4,
    fill,
)
STORE = Injection(
    "damaged-stores",
    "objects of a BENCH_STORE, a tenth to all, are cut, changed or gone before a run by `processes:2`",
    _FIGURES,
    4,
    damage,
)
INJECTIONS = (HANG, MEMORY, CLOCK, SEVERAL, DISK, STORE)
