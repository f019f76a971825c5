"""What every verb prints, writes and returns."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pandas as pd
import PIL.Image
import pytest
import typer.main

import bench as library
from bench.board import render, views
from bench.board.cells import cell_rows
from bench.board.curves import AXES
from bench.cli import app
from bench.inventory.doctor import diagnosis
from bench.inventory.kinds import KINDS
from bench.plan.words import either
from bench.records import CellRecord, read
from bench.types import Folders

VIEWS = ("cells", "leaders", "panel", "attackers", "steps", "falls")
Command = Callable[..., Any]
COMMANDS: Any = typer.main.get_command(app)
VERBS = sorted(COMMANDS.commands)
SLOW = ("torch", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "rich.table", "PIL")

_BROKEN = '''
"""A defense with a fault."""
from dataclasses import dataclass
from typing import ClassVar
from bench.types import PluginCard

@dataclass(frozen=True)
class Broken:
    card: ClassVar[PluginCard] = PluginCard(summary="breaks", source="own")
    after: int = 0

    def cloak(self, albums, kit):
        raise RuntimeError("the shutter is stuck")
'''


@pytest.fixture
def made(bench: Command, small: tuple[str, ...], tmp_path: Path) -> Path:
    """The folder that `bench run --out` wrote."""
    defenses = ("--defense", "none", "--defense", "noise")
    done = bench("run", *defenses, "--attacker", "dbscan", *small, "--out", tmp_path / "out")
    assert done.status == 0, done.err
    return tmp_path / "out"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_an_example(bench: Command, verb: str) -> None:
    done = bench(verb, "--help")
    assert done.status == 0
    assert f"Example: bench {verb}" in " ".join(done.out.split())
    assert done.err == ""


def test_without_a_verb_there_is_help(bench: Command) -> None:
    alone, asked = bench(), bench("--help")
    assert alone.status == asked.status == 0
    assert alone.out.strip() == asked.out.strip()
    assert all(verb in asked.out for verb in VERBS)


@pytest.mark.parametrize("line", [["--help"], ["run", "--help"], ["board", "--help"]])
def test_help_loads_nothing_slow(line: list[str]) -> None:
    code = (
        "import sys\nfrom bench.cli import main\n"
        f"sys.argv = ['bench', *{line!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', [m for m in {SLOW!r} if m in sys.modules])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize(
    "line", [["list"], ["doctor"], ["schema"], ["board", "results/built-in"], ["run", "--defense", "nois"]]
)
def test_what_computes_nothing_loads_no_network(line: list[str]) -> None:
    code = (
        "import sys\nfrom bench.cli import main\n"
        f"sys.argv = ['bench', *{line!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('LOADED', [m for m in ('torch', 'sklearn') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert made.stdout.splitlines()[-1] == "LOADED []"


def test_documents_keep_the_schema(bench: Command, small: tuple[str, ...], made: Path) -> None:
    schema = json.loads(bench("schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    for more in (
        ("--defense", "noise", "--attacker", "dbscan"),
        ("--defense", "none", "--attacker", "knn", "--scenario", "linked", "--labelled", "2"),
        ("--defense", "blur", "--attacker", "dbscan", "--channel", "jpeg:75", "--budget", "unbounded"),
    ):
        done = bench("run", *small, *more, "--json")
        assert done.status == 0, done.err
        jsonschema.validate(json.loads(done.out), schema)
    jsonschema.validate(json.loads((made / "records.json").read_text()), schema)
    broken = json.loads((made / "records.json").read_text())
    broken["cells"][0]["surprise"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def test_what_is_printed_is_what_is_written(bench: Command, small: tuple[str, ...], made: Path) -> None:
    line = ("run", "--defense", "none", "--defense", "noise", "--attacker", "dbscan", *small, "--json")
    printed = json.loads(bench(*line).out)
    cells = [CellRecord.model_validate(cell).comparable() for cell in printed["cells"]]
    assert cells == [record.comparable() for record in read(made)]


def test_boards(bench: Command, made: Path, tmp_path: Path) -> None:
    markdown = bench("board", made, "--format", "md").out.splitlines()
    assert [line.count("|") for line in markdown] == [markdown[0].count("|")] * 4  # header, rule, two cells
    assert "none" in markdown[2] + markdown[3]
    rows = list(csv.DictReader(io.StringIO(bench("board", made, "--format", "csv").out)))
    assert sorted(row["defense"] for row in rows) == ["noise", "none"]
    document = json.loads(bench("board", made, "--format", "json").out)
    assert document == json.loads(bench("board", made, "--json").out)
    assert [(row["cell"], row["cfr"]) for row in document] == [
        (row.cell, row.cfr and row.cfr.model_dump(mode="json")) for row in cell_rows(read(made))
    ]
    text = bench("board", made).out
    assert "noise" in text
    done = bench("board", made, "--format", "csv", "--out", tmp_path / "new" / "board.csv")
    assert (done.status, done.out) == (0, "")
    assert list(csv.DictReader((tmp_path / "new" / "board.csv").open())) == rows
    assert bench("board", made, "--out", tmp_path / "board.txt").status == 0
    assert (tmp_path / "board.txt").read_text() == text


def test_the_help_names_every_view_format_and_axis(bench: Command) -> None:
    board, curve = (" ".join(bench(verb, "--help").out.split()) for verb in ("board", "curve"))
    assert either(sorted([*render.names(), "html"])) in board
    assert either(views.names()) in board
    assert "falls" not in board
    assert either(render.names()) in curve
    assert all(axis in curve for axis in AXES)


def test_a_board_of_two_folders_has_each_cell_once(bench: Command, made: Path) -> None:
    assert bench("board", made, made / "records.json", "--format", "csv").out.count("\n") == 3


def test_the_board_says_what_the_records_say(bench: Command, made: Path) -> None:
    (row, _) = csv.DictReader(io.StringIO(bench("board", made, "--format", "csv").out))
    record = next(r for r in read(made) if r.defense.name == row["defense"])
    cfr = record.metrics["cfr"]
    figures = [float(row[name]) for name in ("cfr", "cfr_low", "cfr_high", "cfr_clean")]
    assert figures == [cfr.value, cfr.low, cfr.high, record.metrics["cfr_clean"].value]


def texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def test_what_is_written_names_nobody_and_no_place(made: Path, bench_home: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == [
        "manifest.csv", "photos.parquet", "records.json", "users.parquet",
    ]  # fmt: skip
    tables = [pd.read_parquet(made / f"{name}.parquet") for name in ("users", "photos")]
    assert [len(table) for table in tables] == [2 * 2, 2 * 8]
    assert {"cell", "user", "formed", "support", "purity", "coverage"} <= set(tables[0])
    assert {"cell", "user", "photo", "outcome", "cluster", "face_ssim", "photo_linf"} <= set(tables[1])
    said = list(texts(json.loads((made / "records.json").read_text())))
    said += [str(text) for table in tables for column in table for text in table[column].unique()]
    people = [f"p{i:06d}" for i in range(12)]
    forbidden = [*people, str(bench_home), str(Path.home()), str(Path.cwd()), str(made)]
    for text in said:
        assert not [word for word in forbidden if word in text]
        assert text != socket.gethostname()
        assert not text.startswith("/")
    content = b"".join(path.read_bytes() for path in made.iterdir())
    assert not [word for word in forbidden if word.encode() in content]


def test_a_preview_is_drawn(bench: Command, small: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "preview.png"
    line = ("run", "--defense", "none", "--defense", "noise", "--attacker", "dbscan", *small)
    assert bench(*line, "--preview", path).status == 0
    with PIL.Image.open(path) as sheet:
        assert sheet.width > 2 * 160  # two users
        assert sheet.height > 3 * 160  # before, after, difference


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("defenses", "advmask"),
        ("attackers", "dbscan"),
        ("datasets", "synthetic"),
        ("encoders", "facenet-vggface2"),
        ("scenarios", "linked"),
        ("budgets", "linf:N"),
        ("channels", "jpeg:QUALITY"),
    ],
)
def test_lists(bench: Command, kind: str, name: str) -> None:
    assert name in bench("list", kind).out
    listed = json.loads(bench("list", kind, "--json").out)
    assert list(listed) == [kind]
    assert listed[kind][name]
    assert all("\n" not in about for about in listed[kind].values())


def test_a_list_of_everything(bench: Command) -> None:
    listed = json.loads(bench("list", "--json").out)
    assert set(listed) == set(KINDS)
    assert bench("list").out.count("\n") >= sum(map(len, listed.values()))


def test_the_doctor_says_what_is_missing(bench: Command, tmp_path: Path) -> None:
    done = bench("doctor", "--json", BENCH_HOME=tmp_path / "home", BENCH_REAL_DATA=None)
    assert done.status == 0
    found = {row["subject"]: row for row in json.loads(done.out)}
    assert found["torch"]["state"] != "absent"
    assert found["encoder facenet-casia"]["state"] == "missing"
    assert "casia-webface.pt" in found["encoder facenet-casia"]["remedy"]
    assert found["detector mtcnn"]["state"] == "ready"
    assert found["detector yunet"]["state"] == "missing"
    assert "bench fetch yunet" in found["detector yunet"]["remedy"]
    assert found["dataset lfw"]["state"] == "missing"
    assert "200 people" in found["dataset synthetic"]["state"]
    assert str(tmp_path / "home") in found["BENCH_HOME"]["state"]
    assert "torch" in bench("doctor").out
    assert not (tmp_path / "home").exists()  # looking changes nothing


def test_the_doctor_knows_altered_weights_and_pins_nothing(
    bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    home = tmp_path / "home"
    (home / "weights" / "buffalo_l").mkdir(parents=True)
    pinned, stated = "20180408-102900-casia-webface.pt", "mfn_espdl.onnx"
    for name in (pinned, stated, "20180402-114759-vggface2.pt", "buffalo_l/w600k_r50.onnx"):
        (home / "weights" / name).write_bytes(b"\x08\x80" if name.endswith("onnx") else b"\x80\x02")
    (home / "weights" / "mobileface_v3.onnx").write_bytes(b"<html>log in</html>")
    (home / "weights" / "yunet_n_dynamic.onnx").write_bytes(b"<html>log in</html>")
    (home / "bench.lock.json").write_text(json.dumps({pinned: 64 * "0"}))

    def states() -> dict[str, tuple[str, str]]:
        done = bench("doctor", "--json", BENCH_HOME=home, BENCH_REAL_DATA=None)
        assert done.status == 0
        return {row["subject"]: (row["state"], row["remedy"]) for row in json.loads(done.out)}

    found = states()
    for name, file in (("facenet-casia", pinned), ("mfn_espdl", stated)):
        state, remedy = found[f"encoder {name}"]
        assert state == "altered: its sha256 is another"
        assert f"delete {home / 'weights' / file}" in remedy
    assert found["encoder mobileface_v3"][0] == "altered: it is a web page"
    state, remedy = found["detector yunet"]
    assert state == "altered"
    assert "it has 19 bytes, it should have 322,906" in remedy
    # nothing is known of these yet: the first use will look into them
    assert found["encoder facenet-vggface2"][0] == found["encoder buffalo_l"][0] == "ready"
    assert list(json.loads((home / "bench.lock.json").read_text())) == [pinned]
    (home / "bench.lock.json").write_text("{")
    assert "is damaged" in states()["encoder facenet-casia"][0]


def test_the_doctor_outlives_an_onnxruntime_that_is_half_there(monkeypatch: pytest.MonkeyPatch) -> None:
    # what is left of onnxruntime when its GPU build was unpacked over it and then removed
    monkeypatch.setitem(sys.modules, "onnxruntime", ModuleType("onnxruntime"))
    rows = {subject: (state, remedy) for subject, state, remedy in diagnosis(Folders(home="/nowhere"))}
    state, remedy = rows["onnxruntime providers"]
    assert state.startswith("does not load")
    assert "pip uninstall" in remedy


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A package installed beside this one, with a defense that fails."""
    folder = tmp_path / "site"
    metadata = folder / "somebody_else-1.dist-info"
    metadata.mkdir(parents=True)
    (folder / "somebody_else.py").write_text(_BROKEN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: somebody-else\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[cloakbench.defenses]\nbroken = somebody_else:Broken\n")
    return folder


def test_a_fault_of_one_cell_is_told_and_costs_that_cell(
    process: Command, small: tuple[str, ...], broken: Path, tmp_path: Path
) -> None:
    defenses = ("--defense", "none", "--defense", "broken:after=3", "--defense", "noise")
    line = ("run", *defenses, "--attacker", "dbscan", *small, "--out", tmp_path / "out")
    done = process(*line, PYTHONPATH=broken)
    assert done.status == 1
    assert "RuntimeError: the shutter is stuck" in done.err
    assert "Traceback" in done.err
    assert done.err.splitlines()[-1] == "bench: 1 cells failed; all others are kept."
    assert "failed: RuntimeError: the shutter is stuck" in done.out
    records = read(tmp_path / "out")
    assert [record.status for record in records] == ["ok", "failed", "ok"]
    assert records[1].defense.parameters == {"after": 3}


def test_a_damaged_cache_is_told_and_mended(
    bench: Command, small: tuple[str, ...], made: Path, copied_home: Path, tmp_path: Path
) -> None:
    for path in (copied_home / "cache").glob("rows.sqlite*"):
        path.write_bytes(b"damaged" * 999)
    for path in (copied_home / "cache" / "cell").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1])
    defenses = ("--defense", "none", "--defense", "noise")
    line = ("run", *defenses, "--attacker", "dbscan", *small, "--out", tmp_path / "again")
    done = bench(*line, BENCH_HOME=copied_home)
    assert done.status == 0
    assert "computed again" in done.err
    again, before = read(tmp_path / "again"), read(made)
    assert [r.comparable() for r in again] == [r.comparable() for r in before]


def test_ctrl_c_says_how_to_go_on(small: tuple[str, ...], tmp_path: Path) -> None:
    line = [sys.executable, "-m", "bench.cli", "run", "--defense", "none", "--attacker", "dbscan", *small]
    environment = os.environ | {"BENCH_HOME": str(tmp_path)}
    pipe = subprocess.PIPE
    # tests that run in a shell's background inherit that Ctrl-C is ignored
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        running = subprocess.Popen(line, env=environment, stdout=pipe, stderr=pipe, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    while running.poll() is None and not (tmp_path / "cache" / "rows.sqlite").exists():
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    # a shell calls both 130: Python ends by the signal itself if it struck while a library ran code from C
    assert running.returncode in (130, -signal.SIGINT), err
    assert out == ""
    assert err.splitlines()[-1].startswith("bench: stopped.")
    assert "Traceback" not in err


def test_from_python(encoder: str, made: Path) -> None:
    def upside_down(photos: list[Any]) -> list[Any]:
        return [photo[::-1] for photo in photos]

    arguments: dict[str, Any] = {
        "attacker": "dbscan",
        "dataset": "synthetic:people=12,photos-each=6",
        "encoder": encoder,
        "users": 2,
        "photos": 4,
        "background": 2,
        "device": "cpu",
    }
    records = library.run(defense=upside_down, **arguments)
    table = records.to_pandas()
    assert list(table["defense"]) == ["upside_down"]
    assert list(table["status"]) == ["ok"]
    assert {"cfr", "cfr_low", "cfr_high", "cfr_clean", "ssim", "knowledge"} <= set(table)
    assert table["cfr"].between(0, 1).all()
    both = library.run(defense=["none", "noise"], **arguments)
    assert [record.comparable() for record in both] == [record.comparable() for record in read(made)]
    assert len(both[:1]) == 1
    assert library.__version__


def test_a_suite_prints_the_steps_and_the_panel(
    bench: Command, small: tuple[str, ...], tmp_path: Path
) -> None:
    suite = tmp_path / "mine.toml"
    suite.write_text(
        '[[run]]\ndefense = ["noise", "pgd:steps=2"]\nattacker = ["dbscan", "components"]\n'
        '[[run]]\ndefense = ["pgd:steps=2"]\nattacker = ["dbscan"]\nlevel = ["oblivious", "adaptive"]\n'
    )
    out = tmp_path / "out"
    done = bench("run", "--suite", suite, *small, "--out", out)
    assert done.status == 0, done.err
    assert done.out.startswith("5 cells; ")  # one is in both runs
    assert "thresholds tuned on cloaks" in done.out
    assert "the strongest of the panel stands beside it" in done.out
    boards = {view: json.loads(bench("board", out, "--view", view, "--json").out) for view in VIEWS}
    assert [row["attackers"] for row in boards["panel"]] == [2, 3]
    assert {row["attacker"] for row in boards["attackers"]} == {"dbscan", "components"}
    (step,) = boards["steps"]
    assert step["defense"] == "pgd"
    assert step["another_encoder"] is None
    assert boards["falls"] == boards["steps"]
    assert len(boards["cells"]) == 5
    picture = tmp_path / "coverage.png"
    curves = json.loads(bench("curve", out, "--axis", "coverage", "--out", picture, "--json").out)
    assert {curve["figure"] for curve in curves} == {"cfr"}
    assert picture.stat().st_size > 5_000


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run",), "--defense is missing"),
        (("run", "--defense", "none"), "--attacker is missing"),
        (("run", "--suite", "standart"), "Did you mean 'standard'"),
        (("curve", "nowhere", "--axis", "dose"), "no records at nowhere"),
        (("curve", "nowhere", "--axis", "dose", "--format", "cvs"), "Did you mean 'csv'"),
        (("board", "nowhere", "--format", "jsn"), "Did you mean 'json'"),
        (("board", "nowhere", "--view", "step"), "Did you mean 'steps'"),
        (
            ("run", "--defense", "none", "--attacker", "dbscan", "--level", "adaptiv"),
            "Did you mean 'adaptive'",
        ),
        (("run", "--defense", "none", "--attacker", "dbscan", "--adaptation", "haed"), "Did you mean 'head'"),
        (
            ("run", "--defense", "none", "--attacker", "dbscan", "--adaptation", "head:steps=0"),
            "must be above 0",
        ),
        (("run", "--defense", "none", "--attacker", "dbscan", "--dose", "2"), "at most 1"),
        (("run", "--defense", "none", "--attacker", "dbscan", "--distractors", "-1"), "at least 0"),
        (("run", "--defense", "none", "--attacker", "dbscan", "--draws", "0"), "at least 1"),
        (("run", "--defense", "none", "--attacker", "dbscan", "--encoder", "synth-ir+nobody"), "nobody"),
    ],
)
def test_what_is_new_names_what_to_type(bench: Command, words: tuple[str, ...], says: str) -> None:
    assert says in bench(*words).one_line()
