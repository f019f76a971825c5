"""N: what somebody types on the first day."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import suppress

from PIL import Image

from injecting.inputs.network_files import network
from injecting.inputs.seen import Input, Seen, all_of, refused, went_well
from injecting.inputs.workshop import ONE, SIZES, Workshop


def narrow_board(workshop: Workshop) -> Seen:
    """`bench board` of the committed demo on a terminal of 80 columns."""
    checkout = workshop.stock.checkout
    command = checkout.command("board", checkout.code / "results" / "built-in")
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = checkout.start(command, workshop.folder, out=end, err=subprocess.DEVNULL)
    os.close(end)
    shown = b""
    with suppress(OSError):  # the terminal is closed where the command has ended
        while part := os.read(terminal, 4096):
            shown += part
    os.close(terminal)
    rows = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).splitlines()
    wide = max(map(len, rows), default=0)
    right = process.wait() == 0 and 9 < len(rows) < 30 and wide <= 80
    return Seen(f"exit {process.returncode}, {len(rows)} lines for 9 rows, at most {wide} wide", right)


def small_trial(workshop: Workshop) -> Seen:
    """A trial of two users in a folder of 60 people: how many of its photos are looked at."""
    albums = list(workshop.stock.albums.values())

    for person in range(60):
        place = workshop.folder / "many" / f"person {person:02}"
        place.mkdir(parents=True)
        for number, photo in enumerate(albums[person % 12][:4]):
            brighter = photo.clip(person // 12 * 20, 255)
            Image.fromarray(brighter).save(place / f"{number}.jpg", quality=95)
    words = ("run", "--dataset", f"folder:{workshop.folder / 'many'}", *SIZES, *ONE, "--json")
    home = workshop.folder / "home of its own"
    small = workshop.bench(*words, "--calibration", "6", home=home)
    usual = workshop.bench(*words, home=home)
    cells = json.loads(small.out)["cells"] if small.status == 0 else []
    people = cells[0]["scenario"]["parameters"]["calibration"] if cells else 0
    told = "to tune attackers on" in usual.err
    says = f"{small}, {people} calibration people; without it, {'told' if told else 'not told'} how many"
    return Seen(says, people == 6 and told)


def forms(workshop: Workshop) -> Seen:
    """`--encoder ./net.onnx` and `--dataset ./photos`."""
    path = network(workshop.folder / "net.onnx")
    encoder = workshop.run(workshop.photos, "--encoder", f"./{path.name}", *ONE[2:])
    assert workshop.photos
    dataset = workshop.bench("run", "--dataset", "./photos", *SIZES, *ONE)
    return all_of({"encoder": refused(encoder, "onnx:"), "dataset": refused(dataset, "folder:")})


def tilde(workshop: Workshop) -> Seen:
    """`--out=~/x` and BENCH_HOME='~/y', as no shell expands them."""
    user, here = workshop.folder / "user", workshop.folder / "here"
    user.mkdir()
    here.mkdir()
    words = (*ONE[:2], "--defense", "noise", *ONE[4:], "--out=~/x", "--preview=~/p.png")
    done = workshop.run(workshop.photos, *words, here=here, HOME=str(user))
    listed = workshop.bench("manifest", "--users", "2", here=here, HOME=str(user), BENCH_HOME="~/y")
    made = [path.name for path in here.iterdir()]
    right = done.status == 0 and listed.status == 0 and not made and (user / "x" / "records.json").is_file()
    return Seen(f"{done}{f', makes {made[0]!r} in the current folder' if made else ''}", right)


def preview_jpeg(workshop: Workshop) -> Seen:
    """`--preview x.jpg`."""
    path = workshop.folder / "x.jpg"
    words = ("--encoder", "synth-ir", "--attacker", "dbscan", "--defense", "noise")
    done = workshop.run(workshop.photos, *words, "--preview", path)
    if not path.exists():
        return refused(done, "--preview")
    form = Image.open(path).format
    return Seen(f"{done}, a {form} under the name x.jpg", form == "JPEG" and done.status == 0)


def too_many_users(workshop: Workshop) -> Seen:
    """More users, and more photos of each, than the folder has."""
    photos = workshop.photos
    users = workshop.bench(
        *("run", "--dataset", f"folder:{photos}", "--users", "50", "--photos", "4", "--device", "cpu", *ONE)
    )
    words = ("run", "--dataset", f"folder:{photos}", "--scenario", "evasion", "--users", "2", "--photos", "5")
    each = workshop.bench(*words, "--labelled", "2", "--device", "cpu", *ONE[:4], "--attacker", "knn")
    seen = {"users": refused(users, "--users"), "photos": refused(each, "5", "2")}
    for name, done in (("users", users), ("photos", each)):
        if "at most 0" in done.err:
            seen[name] = Seen(f"{done}, advises at most 0", False)
    return all_of(seen)


def whole_help(workshop: Workshop) -> Seen:
    """`bench --help` in 80 columns."""
    done = workshop.bench("--help", COLUMNS="80", TERMINAL_WIDTH="80")
    cut = [line for line in done.out.splitlines() if line.rstrip().endswith("...") and "Usage" not in line]
    quick = min(workshop.bench("--help").seconds for _ in range(3))
    right = went_well(done).right and not cut and quick < 0.5
    return Seen(f"{done}, {len(cut)} descriptions cut", right)


def former_records(workshop: Workshop) -> Seen:
    """An --out that holds the records of another run."""
    out = workshop.folder / "out"
    workshop.run(workshop.photos, *ONE, "--out", out)
    before = {cell["cell"] for cell in json.loads((out / "records.json").read_text())["cells"]}
    done = workshop.run(workshop.photos, *ONE[:4], "--attacker", "hdbscan", "--out", out)
    after = {cell["cell"] for cell in json.loads((out / "records.json").read_text())["cells"]}
    kept = before <= after
    right = kept and not done.tracebacks and (done.status == 0 or refused(done, "--out").right)
    return Seen(f"{done}, former records {'kept' if kept else 'lost'}", right)


def silent_libraries(workshop: Workshop) -> Seen:
    """A run with an ONNX encoder, and a curve: what other packages say on stderr."""
    path = network(workshop.folder / "net.onnx")
    run = workshop.run(workshop.photos, "--encoder", f"onnx:{path}", *ONE[2:], HOME="/proc/nobody")
    words = ("curve", workshop.stock.checkout.code / "results" / "draws", "--axis", "calibration")
    curve = workshop.bench(*words, "--out", workshop.folder / "curve.png", HOME="/proc/nobody")
    return all_of({"run": went_well(run, silent=True), "curve": went_well(curve, silent=True)})


def without_docstrings(workshop: Workshop) -> Seen:
    """`python -OO -m bench.cli list datasets`."""
    done = workshop.bench("list", "datasets", options=("-OO",))
    signatures = re.findall(r"\w+\(\w+: [^)]*\)", done.out)
    return Seen(f"{done}, {len(signatures)} signatures", went_well(done).right and not signatures)


INPUTS = (
    Input(
        "N",
        "narrow-board",
        "bench board results/built-in on a terminal of 80 columns",
        "at most 30 lines for 9 rows, none of them wider",
        narrow_board,
    ),
    Input(
        "N",
        "small-trial",
        "a run of two users in a folder of 60 people, with --calibration 6 and without",
        "6 calibration people; without the option, it is told how many photos of whom are looked at",
        small_trial,
    ),
    Input(
        "N",
        "forms-of-names",
        "--encoder ./net.onnx, --dataset ./photos",
        "one line that says onnx:, or folder:",
        forms,
    ),
    Input(
        "N", "tilde", "--out=~/x, --preview=~/p.png, BENCH_HOME='~/y'", "they are in the user's home", tilde
    ),
    Input("N", "preview-jpeg", "--preview x.jpg", "a JPEG, or one line that refuses the name", preview_jpeg),
    Input(
        "N",
        "too-many-asked",
        "--users 50 of 12 people; 5 released and 2 labelled photos of 6",
        "advice that can be followed, and the sum that is needed",
        too_many_users,
    ),
    Input(
        "N",
        "whole-help",
        "bench --help in 80 columns",
        "no description is cut; within half a second of a core",
        whole_help,
    ),
    Input(
        "N",
        "former-records",
        "an --out that holds the records of another run",
        "they are kept, or the run is refused",
        former_records,
    ),
    Input(
        "N",
        "silent-libraries",
        "a run with an ONNX encoder, and a picture of a curve, by a user whose home cannot be written",
        "nothing on stderr",
        silent_libraries,
    ),
    Input(
        "N",
        "without-docstrings",
        "python -OO -m bench.cli list datasets",
        "no signatures of constructors",
        without_docstrings,
    ),
)
