"""Every verb, with its streams closed or full, without the internet, and with several processes at once."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.records.files import read
from injecting import watch
from injecting.injection import Injection, Outcome, draws
from injecting.inputs.checkout import Done
from injecting.inputs.network_files import network
from injecting.inputs.workshop import SIZES, Stock, Workshop

ROOT = Path(__file__).resolve().parents[2]

STREAMS = (
    *("2>&-", ">&-", "<&-", "<&- >&- 2>&-", ">&- 2>&-", "2>/dev/full", ">/dev/full", ">/dev/full 2>&-"),
    *(">/dev/full 2>/dev/full", "| true", "| head -1", "2>&1 | true", "2>&1 | head -1"),
)


def commands(stock: Stock, encoder: Path) -> dict[str, list[str]]:
    """Verb -> words of a command that goes well; `OUT` is a folder that does not exist yet."""
    few = ("--dataset", "synthetic:people=22,photos-each=2", "--pairs", "20")
    records = str(ROOT / "results" / "draws")
    return {
        "run": [
            *("run", "--dataset", f"folder:{stock.photos}", *SIZES, "--encoder", f"onnx:{encoder}"),
            *("--defense", "noise", "--attacker", "dbscan", "--out", "OUT", "--preview", "OUT/p.png"),
        ],
        "board": ["board", records, "--view", "panel"],
        "curve": ["curve", records, "--axis", "calibration", "--out", "OUT/curve.png"],
        "manifest": ["manifest", "--dataset", f"folder:{stock.photos}", *SIZES[:6]],
        "verify": ["verify", f"onnx:{encoder}", *few],
        "list": ["list"],
        "doctor": ["doctor"],
        "schema": ["schema"],
    }


class _Verbs:
    """A stock, an encoder's file, and a folder for each command."""

    def __init__(self, folder: Path) -> None:
        (folder / "stock").mkdir()
        self.stock, self.folder = Stock(ROOT, folder / "stock"), folder
        self.commands = commands(self.stock, network(folder / "net.onnx"))

    def place(self) -> Workshop:
        """A folder of its own for one command, in the place of the one before."""
        place = self.folder / "place"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return Workshop(place, self.stock)

    def words(self, verb: str, workshop: Workshop) -> list[str]:
        return [word.replace("OUT", str(workshop.folder / "out")) for word in self.commands[verb]]


def spoil_streams(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Run a verb with streams that are closed, full, or read only in part."""
    verbs, counts = _Verbs(folder), Counter[Outcome]()
    for rng in draws(times, seed):
        verb, streams = rng.choice([*verbs.commands]), rng.choice(STREAMS)
        workshop = verbs.place()
        done = workshop.bench(*verbs.words(verb, workshop), streams=streams, home=verbs.stock.home)
        lost = done.status == 2 and "/dev/full" in streams.replace("2>/dev/full", "")
        wrong = done.tracebacks or len(done.lines) > 1 or not (done.status == 0 or lost)
        if verb == "run" and not wrong:
            kept = workshop.folder / "out"
            wrong = [record.status for record in read(kept)] != ["ok"] or not (kept / "p.png").is_file()
        says = "one line and exit 2: a full stream" if lost else "exit 0"
        counts[Outcome(f"{verb} {streams}: {done} {done.err[-200:]}" if wrong else says, not wrong)] += 1
    return counts


def cut_off(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Run a verb of a user whose home is empty; the kernel kills it at a socket of the internet."""
    guard = watch.guard()
    verbs, counts = _Verbs(folder), Counter[Outcome]()
    for rng in draws(times, seed):
        verb = rng.choice([*verbs.commands])
        workshop = verbs.place()
        done, left = _watched(verbs, verb, workshop, guard, rng)
        right = done.status == 0 and not left and not done.lines
        says = "exit 0, no socket, no file" if right else f"{verb}: {done}, {left[:3]} {done.err[-200:]}"
        counts[Outcome(says, right)] += 1
    return counts


def _watched(
    verbs: _Verbs, verb: str, workshop: Workshop, guard: Callable[[], None], rng: random.Random
) -> tuple[Done, list[str]]:
    """A command, and the files that it left in folders that were empty."""
    names = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "TMPDIR")
    empty = workshop.folder / "empty"
    folders = {name: str(empty / name) for name in names}
    for place in (*folders.values(), str(empty / "here")):
        Path(place).mkdir(parents=True)
    home = rng.choice([verbs.stock.home, workshop.folder / "new home"])
    done = workshop.bench(
        *verbs.words(verb, workshop), home=home, here=empty / "here", before=guard, limit=120, **folders
    )
    return done, [path.name for path in empty.rglob("*") if path.is_file()]


def share_out(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Start two to six processes at once that write the same cells to one --out."""
    verbs, counts = _Verbs(folder), Counter[Outcome]()
    words = ("run", "--dataset", f"folder:{verbs.stock.photos}", *SIZES, "--encoder", "synth-ir")
    command = verbs.stock.checkout.command(
        *words, "--defense", "none", "--attacker", "dbscan", "--out", "out"
    )
    for rng in draws(times, seed):
        workshop = verbs.place()
        processes = [
            verbs.stock.checkout.start(
                command,
                workshop.folder,
                out=subprocess.DEVNULL,
                err=subprocess.DEVNULL,
                BENCH_HOME=str(verbs.stock.home),
            )
            for _ in range(rng.randint(2, 6))
        ]
        statuses = [process.wait() for process in processes]
        kept = {path.name for path in (workshop.folder / "out").iterdir()}
        whole = kept == {"records.json", "manifest.csv", "users.parquet", "photos.parquet"}
        right = not any(statuses) and whole and len(read(workshop.folder / "out")) == 1
        says = "all end with 0, the folder is whole" if right else f"{statuses}, {sorted(kept)}"
        counts[Outcome(says, right)] += 1
    return counts


def lock_home(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Take away rights to write in a BENCH_HOME that has all results, and ask for them again."""
    verbs, counts = _Verbs(folder), Counter[Outcome]()
    for rng in draws(times, seed):
        workshop = verbs.place()
        every = [workshop.home, *sorted(workshop.home.rglob("*"))]
        whole = rng.random() < 0.5
        locked = every if whole else rng.sample(every, rng.randint(1, len(every)))
        for path in locked:
            path.chmod(0o555 if path.is_dir() else 0o444)
        done = workshop.run(verbs.stock.photos, before=watch.without_rights)
        for path in locked:
            path.chmod(0o755)
        right = done.status == 0 and done.cells() == verbs.stock.reference.cells() and not done.lines
        counts[Outcome("exit 0, the right figures" if right else f"{done}: {done.err[-300:]}", right)] += 1
    return counts


STREAMS_OF_VERBS = Injection(
    "streams-of-verbs",
    "a verb (all but fetch) runs with its streams " + ", ".join(f"`{each}`" for each in STREAMS),
    "exit 0 and silence, or one line and exit 2 where output is lost; a run keeps its records"
    " and its preview",
    12,
    spoil_streams,
)
NO_INTERNET = Injection(
    "verbs-without-internet",
    "a verb (all but fetch) of a user whose home, caches and working folder are empty; the kernel kills it "
    "at a socket of the internet",
    "exit 0, silence, and no file outside BENCH_HOME and --out",
    8,
    cut_off,
)
ONE_OUT = Injection(
    "one-out-for-several",
    "two to six processes at once write the same cells to one --out and keep one BENCH_HOME",
    "all end with 0, and the folder holds whole files and nothing else",
    4,
    share_out,
)
LOCKED_HOME = Injection(
    "locked-home",
    "files and folders of a BENCH_HOME that has all results lose the right to write, all or some",
    "the results are read",
    4,
    lock_home,
)
INJECTIONS = (STREAMS_OF_VERBS, NO_INTERNET, ONE_OUT, LOCKED_HOME)
