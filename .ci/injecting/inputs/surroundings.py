"""F1, F8, F12, R2, R3, R5, R6, R7: streams, homes, rights, signals, and what native code does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from PIL import Image

from injecting import watch
from injecting.inputs.checkout import Done, end, text
from injecting.inputs.hooks import SLOW_RENAME
from injecting.inputs.network_files import network
from injecting.inputs.seen import Input, Seen, all_of, refused, went_well
from injecting.inputs.workshop import ONE, SIZES, Workshop


def no_socket_no_file(workshop: Workshop) -> Seen:
    """A run with an ONNX encoder, for a user whose home is empty; the kernel kills at a socket."""
    user = workshop.folder / "user"
    user.mkdir()
    path = network(workshop.folder / "a.onnx")
    words = ("--encoder", f"onnx:{path}", "--defense", "none", "--attacker", "dbscan")
    done = workshop.run(
        workshop.photos, *words, before=watch.guard(), HOME=str(user), XDG_CACHE_HOME=str(user / "cache")
    )
    left = [path for path in user.rglob("*") if path.is_file()]
    return Seen(f"{done}, {len(left)} files in the user's home", went_well(done).right and not left)


def streams_of_a_run(workshop: Workshop) -> Seen:
    """A run whose streams are closed or full."""
    seen: dict[str, Seen] = {}
    for streams, status in (("2>&-", 0), (">&-", 0), (">/dev/full", 2)):
        out = workshop.folder / f"out {len(seen)}"
        home = workshop.folder / "home of its own" if streams == "2>&-" else workshop.home
        done = workshop.run(workshop.photos, *ONE, "--out", out, streams=streams, home=home)
        records = out / "records.json"
        states = [c["status"] for c in json.loads(records.read_text())["cells"]] if records.is_file() else []
        kept = states == ["ok"]
        right = done.status == status and not done.tracebacks and kept and len(done.lines) <= 1
        seen[streams] = Seen(f"{done}, {'records kept' if kept else 'no record that is ok'}", right)
    return all_of(seen)


def names_that_are_no_text(workshop: Workshop) -> Seen:
    """`manifest --left-out` of a file whose name is no UTF-8, under a strict UTF-8 locale."""
    folder = workshop.photos / workshop.stock.users[0]
    Path(os.fsdecode(bytes(folder) + b"/caf\xe9.txt")).write_bytes(b"no photo")
    words = ("manifest", "--left-out", "--dataset", f"folder:{workshop.photos}")
    return went_well(workshop.bench(*words, PYTHONIOENCODING="utf-8:strict"), silent=True)


def a_board_into_nothing(workshop: Workshop) -> Seen:
    """`bench board … | true` in a shell with pipefail."""
    out = _records(workshop)
    return went_well(workshop.bench("board", out, "--format", "csv", streams="| true"), silent=True)


def _records(workshop: Workshop) -> Path:
    out = workshop.folder / "records"
    out.mkdir()
    (out / "records.json").write_text(workshop.stock.reference.out)
    return out


NOBODY = """
import pwd
def unknown(*_):
    raise KeyError("no such user")
pwd.getpwuid = pwd.getpwnam = unknown
"""


def no_home(workshop: Workshop) -> Seen:
    """Verbs of a user without HOME whom the system does not know."""
    hook, none = workshop.hook(NOBODY), {"HOME": None, "BENCH_HOME": None}
    seen = {}
    for words in (
        ("list",),
        ("manifest", "--users", "2"),
        ("run", "--defense", "none", "--attacker", "dbscan"),
    ):
        done = workshop.bench(*words, hook=hook, **none)
        seen[words[0]] = refused(done, "BENCH_HOME")
    seen["board"] = went_well(workshop.bench("board", _records(workshop), hook=hook, **none))
    return all_of(seen)


TWO = (*ONE, "--attacker", "hdbscan")


def exchanged_cells(workshop: Workshop) -> Seen:
    """The stored results of two cells change places; one of them is asked for."""
    workshop.run(workshop.photos, *TWO)
    first, second = [path for path in sorted((workshop.home / "cache" / "cell").rglob("*")) if path.is_file()]
    contents = first.read_bytes(), second.read_bytes()
    first.write_bytes(contents[1])
    second.write_bytes(contents[0])
    after = workshop.run(workshop.photos)
    same = after.cells() == workshop.stock.reference.cells()
    return Seen(f"{after}, {'the right rows' if same else 'wrong rows'}", same and after.status == 0)


def one_folder_for_all(workshop: Workshop) -> Seen:
    """Six processes write to one --out, and each renaming takes a moment."""
    hook, out = workshop.hook(SLOW_RENAME), workshop.folder / "out"
    command = workshop.stock.checkout.command(
        *("run", "--dataset", f"folder:{workshop.photos}", *SIZES, *ONE, "--out", str(out))
    )
    with tempfile.TemporaryFile() as said:
        processes = [
            workshop.stock.checkout.start(
                command,
                workshop.folder,
                out=subprocess.DEVNULL,
                err=said,
                hook=hook,
                BENCH_HOME=str(workshop.home),
            )
            for _ in range(6)
        ]
        statuses = [process.wait() for process in processes]
    failed = sum(status != 0 for status in statuses)
    kept = (out / "records.json").is_file()
    return Seen(f"{failed} of 6 failed, records {'kept' if kept else 'lost'}", not failed and kept)


def read_only_home(workshop: Workshop) -> Seen:
    """A run whose cells are all stored, in a home that may not be written."""
    for path in (workshop.home, *workshop.home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    done = workshop.run(workshop.photos, before=watch.without_rights)
    same = done.cells() == workshop.stock.reference.cells()
    for path in (workshop.home, *workshop.home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Seen(
        f"{done}, {'the right figures' if same else 'no figures'}",
        went_well(done, silent=True).right and same,
    )


def outputs_first(workshop: Workshop) -> Seen:
    """An --out below a file, in a home without results."""
    (workshop.folder / "file").write_text("mine")
    home = workshop.folder / "home of its own"
    done = workshop.run(workshop.photos, *ONE, "--out", workshop.folder / "file" / "out", home=home)
    worked = any(path.is_file() for path in home.rglob("cell/*/*"))
    seen = refused(done, "--out")
    return Seen(
        f"{seen.says}, {'after the work' if worked else 'before the work'}", seen.right and not worked
    )


def advice_for_rights(workshop: Workshop) -> Seen:
    """An --out in a folder that may not be written; records that may not be read."""
    closed = workshop.folder / "closed"
    closed.mkdir(mode=0o555)
    out = _records(workshop)
    (out / "records.json").chmod(0)
    written = workshop.run(workshop.photos, *ONE, "--out", closed / "out", before=watch.without_rights)
    read = workshop.bench("board", out, before=watch.without_rights)
    seen = {"written": refused(written, "right"), "read": refused(read, "right")}
    for name, word in (("written", "free some space"), ("read", "damaged")):
        if word in (written if name == "written" else read).err.casefold():
            seen[name] = Seen(f"{seen[name].says}, advises of {word!r}", False)
    return all_of(seen)


def _interrupted(workshop: Workshop, times: int, number: signal.Signals) -> Done:
    """A cold run that gets a signal several times, a twentieth of a second apart, once it has begun."""
    home = workshop.folder / f"home {number.name} {times}"
    command = workshop.stock.checkout.command(
        "run", "--dataset", f"folder:{workshop.photos}", *SIZES, *ONE, "--json"
    )
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = workshop.stock.checkout.start(
            command, workshop.folder, out=out, err=err, BENCH_HOME=str(home)
        )
        began = time.monotonic()
        while not (home / "cache").exists() and process.poll() is None and time.monotonic() - began < 30:
            time.sleep(0.01)
        time.sleep(0.5)
        for _ in range(times):
            if process.poll() is None:
                process.send_signal(number)
            time.sleep(0.05)
        try:
            status: int | None = process.wait(20)
        except subprocess.TimeoutExpired:
            status = None
        end(process)
        return Done(status, text(out), text(err), time.monotonic() - began, 0)


def signals(workshop: Workshop) -> Seen:
    """A cold run gets SIGINT once, twice and five times, and SIGTERM; then it is repeated."""
    seen = {}
    for times, number in ((1, signal.SIGINT), (2, signal.SIGINT), (5, signal.SIGINT), (1, signal.SIGTERM)):
        done = _interrupted(workshop, times, number)
        status = 130 if number == signal.SIGINT else 143
        right = done.status == status and len(done.lines) == 1 and not done.tracebacks and not done.out
        seen[f"{number.name} x {times}"] = Seen(str(done), right)
    return all_of(seen)


def a_million_cells(workshop: Workshop) -> Seen:
    """A suite of 1,000,000 cells: what is said within 45 seconds."""
    suite = workshop.folder / "suite.toml"
    doses = ", ".join(f"{step / 1000}" for step in range(1, 1001))
    budgets = ", ".join(f'"linf:{step}"' for step in range(1, 101))
    attackers = ", ".join(f'"dbscan:eps=0.{step}"' for step in range(10, 20))
    suite.write_text(
        f"[[run]]\ndefense = ['noise']\nattacker = [{attackers}]\ndose = [{doses}]\nbudget = [{budgets}]\n"
    )
    done = workshop.run(workshop.photos, "--suite", suite, "--encoder", "synth-ir", limit=45)
    said = bool(done.err.strip())
    return Seen(f"{done}, {'something' if said else 'nothing'} is said", said and not done.tracebacks)


def small_file_large_photo(workshop: Workshop) -> Seen:
    """A PNG of one colour, half transparent, with 100 megapixels in some 400 kB."""
    place = workshop.photos / workshop.stock.users[0]
    for number in (0, 4, 5):
        (place / f"{number}.jpg").unlink()
    Image.new("RGBA", (10000, 9999), (90, 90, 90, 200)).save(place / "0.png")
    done = workshop.run(workshop.photos, limit=180)
    right = went_well(done).right and done.peak < 1200 and done.seconds < 30
    return Seen(f"{done}, at most {round(done.peak, -1)} MiB", right)


INPUTS = (
    Input(
        "F1",
        "no-socket-no-file",
        "a run with an ONNX encoder for a user whose home is empty; the kernel kills it at a socket",
        "no socket, and no file in the user's home",
        no_socket_no_file,
    ),
    Input(
        "F8",
        "streams-of-a-run",
        "bench run 2>&-, >&-, >/dev/full",
        "the records are kept; one line or silence",
        streams_of_a_run,
    ),
    Input(
        "F8",
        "name-that-is-no-text",
        "bench manifest --left-out of a file whose name is no UTF-8, where streams are strict",
        "the name is printed",
        names_that_are_no_text,
    ),
    Input(
        "F8",
        "board-into-nothing",
        "bench board … | true under pipefail",
        "exit 0, silence",
        a_board_into_nothing,
    ),
    Input(
        "F12",
        "no-home",
        "list, manifest, run and board by a user without HOME whom the system does not know",
        "one line that says to set BENCH_HOME; board needs no home",
        no_home,
    ),
    Input(
        "R2",
        "exchanged-cells",
        "the stored results of two cells change places",
        "a run of one of them has its own row",
        exchanged_cells,
    ),
    Input(
        "R3",
        "one-out-for-six",
        "six processes write to one --out, and each renaming takes .3 s",
        "all end with 0",
        one_folder_for_all,
    ),
    Input(
        "R5",
        "a-million-cells",
        "a suite of 1,000,000 cells",
        "something is said within 45 s",
        a_million_cells,
    ),
    Input(
        "R5",
        "small-file-large-photo",
        "a PNG of one colour, half transparent, with 100 megapixels in some 400 kB",
        "exit 0 within 30 s of a core and 1,200 MiB",
        small_file_large_photo,
    ),
    Input(
        "R5",
        "signals",
        "a cold run gets SIGINT once, twice and five times, and SIGTERM",
        "one line; exit 130, and 143 for SIGTERM",
        signals,
    ),
    Input(
        "R6",
        "read-only-home",
        "a run that is stored, in a BENCH_HOME that may not be written",
        "the right figures",
        read_only_home,
    ),
    Input("R6", "bad-out", "an --out below a file", "one line, before the work", outputs_first),
    Input(
        "R7",
        "advice-for-rights",
        "an --out and records without the right to write or read them",
        "one line about rights, and not about space or damage",
        advice_for_rights,
    ),
)
