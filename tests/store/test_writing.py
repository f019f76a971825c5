"""What is written is whole or not there; what cannot be written is refused before the work starts."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.store.writing import try_file, try_folder, write_output, write_whole

ROOT = Path(__file__).resolve().parents[2]
INSTEAD = "choose another --out"


def many_times(path: Path, content: bytes) -> None:
    for _ in range(30):
        write_output({path: content}, "it", instead=INSTEAD)


def test_many_processes_and_one_name(tmp_path: Path) -> None:
    path = tmp_path / "new" / "records.json"
    contents = [bytes([65 + number]) * (1000 * number + 1) for number in range(32)]
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=many_times, args=(path, content)) for content in contents]
    for process in processes:
        process.start()
    seen = set()
    while any(process.is_alive() for process in processes):
        if path.exists():
            seen.add(path.read_bytes())
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 32
    assert seen <= set(contents)
    assert [*path.parent.iterdir()] == [path]


LIMITED = """
import json, resource, sys
from pathlib import Path
from types import SimpleNamespace
import numpy, pandas
import PIL.PngImagePlugin, vl_convert
import bench.cli
from bench.board import preview
from bench.board.curves import curves
from bench.charts.drawing import draw
from bench.charts.lines import curve_chart
from bench.errors import UserError
from bench.experiment import files
from bench.records.files import read
from bench.verification import records as verification
from bench.verification.table import to_markdown

out, records = Path(sys.argv[1]), read(Path("results/built-in"))
verified = verification.read(Path("results/encoders"))
tables = {"a": {"users": {"n": [1]}, "photos": {"n": [1]}}}
run = SimpleNamespace(records=records, tables=tables, pipelines=())
photo = numpy.zeros((90, 90, 3), numpy.uint8)
drawn = [curve_chart(curves(records, {}, "calibration"), "calibration")]
drawn[0].svg()
writers = {
    "run --out": lambda: files.write(run, out),
    "verify --out": lambda: verification.write(verified, to_markdown(verified), out),
    "preview": lambda: preview.draw(out / "preview.png", [("noise", photo, photo)]),
    "curve --out": lambda: draw(drawn, out / "curve.png"),
    "curve --out svg": lambda: draw(drawn, out / "curve.svg"),
    "board --out": lambda: bench.cli.app(
        ["board", "results/built-in", "--format", "md", "--out", str(out / "board.md")], standalone_mode=False
    ),
}
said = {}
for limit in (10**9, 0, 100):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for name, write in writers.items():
        before = {path.name: path.read_bytes() for path in out.iterdir()} if out.is_dir() else {}
        try:
            write()
        except UserError as error:
            after = {path.name: path.read_bytes() for path in out.iterdir()}
            said[f"{name} {limit}"] = [str(error), before == after]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(json.dumps([said, {path.name: path.stat().st_size for path in out.iterdir()}]))
"""


def test_every_writer_on_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    # a limit on the size of files ends a write as a full disk does, and needs no rights
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said, sizes = json.loads(done.stdout)
    assert {name.rpartition(" ")[2] for name in said} == {"0", "100"}
    assert len(said) == 12
    for message, as_before in said.values():
        assert message.startswith("cannot write ")
        assert "File too large. Free some space, or choose another" in message
        assert "\n" not in message
        assert as_before
    assert min(sizes.values()) > 100
    assert {
        "records.json",
        "users.parquet",
        "verification.md",
        "preview.png",
        "curve.svg",
        "board.md",
    } <= set(sizes)


def in_the_way(tmp_path: Path) -> Path:
    (tmp_path / "file").write_text("mine")
    return tmp_path / "file"


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a file": (in_the_way, "Move the file that is in the way"),
    "below a file": (lambda place: in_the_way(place) / "deep" / "er", "Move the file that is in the way"),
    "a kernel's folder": (lambda place: Path("/proc/bench/out"), "Make its folder"),
    "a name too long": (lambda place: place / ("n" * 300), "Choose a shorter name"),
    "a name too long in the middle": (lambda place: place / ("n" * 300) / "out", "Choose a shorter name"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_folder_that_cannot_be_written_is_refused_first(tmp_path: Path, kind: str) -> None:
    place, advice = BAD[kind]
    path = place(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=f"{advice}, or {INSTEAD}") as caught:
        try_folder(path, instead=INSTEAD)
    assert "\n" not in str(caught.value)
    if kind != "a file":
        with pytest.raises(UserError, match=f"{advice}, or {INSTEAD}"):
            try_file(path / "board.md", instead=INSTEAD)
    assert sorted(tmp_path.rglob("*")) == before
    # trying and doing agree
    with pytest.raises(UserError, match="cannot write it"):
        write_output({path / "board.md": b"x"}, "it", instead=INSTEAD)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    advice = r"Is a directory\. Name a file and not a folder"
    with pytest.raises(UserError, match=advice):
        try_file(tmp_path, instead=INSTEAD)
    with pytest.raises(UserError, match=advice):
        write_output({tmp_path: b"x"}, "it", instead=INSTEAD)


def test_trying_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("as it was")
    for path in (tmp_path / "old", tmp_path / "new", tmp_path / "a" / "b" / "c", Path("/dev/null")):
        try_file(path, instead=INSTEAD)
    for path in (tmp_path, tmp_path / "new", tmp_path / "a" / "b" / "c"):
        try_folder(path, instead=INSTEAD)
    assert [path.name for path in tmp_path.rglob("*")] == ["old"]
    assert (tmp_path / "old").read_text() == "as it was"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("before")
    (tmp_path / "link").symlink_to("target")
    try_file(tmp_path / "link", instead=INSTEAD)
    write_output({tmp_path / "link": b"after"}, "it", instead=INSTEAD)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "after"


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    # as `bench board out --out >(less)` and `--out /dev/stdout` have it
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    try_file(tmp_path / "pipe", instead=INSTEAD)
    write_output({tmp_path / "pipe": b"a board"}, "it", instead=INSTEAD)
    reader.join()
    assert read == [b"a board"]
    assert (tmp_path / "pipe").is_fifo()


def test_a_write_that_is_interrupted_leaves_the_former_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_whole(path, b"before")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert [*tmp_path.iterdir()] == [path]
