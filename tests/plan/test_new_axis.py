"""A new axis is one row in one file: whatever reads the table of axes has it, from help text to board."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.faces.finder import detector_parameters
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.store.folders import folders

ROOT = Path(__file__).resolve().parents[2]

ROW = """
    strictness: tuple[float, ...] = axis(
        (1.0,),
        kind=Number(above=0, most=9),
        of="OF",
        about="how strict somebody is",
        example=(2.5, 1.0),
        track=TRACK,
    )
"""
SMALL = {"dataset": "synthetic:people=12,photos-each=6", "encoder": "synth-ir", "device": "cpu"}
SIZES: dict[str, Any] = {"users": 2, "photos": 4, "background": 2}
WORDS = [word for name, value in (SMALL | SIZES).items() for word in (f"--{name}", str(value))]

Process = subprocess.CompletedProcess[str]
Script = Callable[..., Process]


def copy_with_row(folder: Path, of: str = "attack", *, track: bool = True) -> Path:
    """A copy of the checkout, in which the table of axes has a row more. No other file is touched."""
    checkout = folder / "checkout"
    for name in ("bench", "attackers", "defenses", "datasets", ".ci", "docs"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, checkout)
    file = checkout / "bench" / "plan" / "axes.py"
    rows, rest = file.read_text("utf-8").split("\n\n\n@dataclass(frozen=True, slots=True)\nclass _Command:")
    row = ROW.replace("OF", of).replace("TRACK", str(track))
    file.write_text(f"{rows}{row}\n\n@dataclass(frozen=True, slots=True)\nclass _Command:{rest}", "utf-8")
    return checkout


def python(checkout: Path, *words: str, home: Path | None = None, status: int = 0) -> Process:
    """Python in a copy, which sees the copy's code and no other."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    environment |= {"BENCH_HOME": str(home)} if home else {}
    done = subprocess.run(
        [sys.executable, *words], env=environment, cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr[-2000:]
    return done


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_with_row(tmp_path_factory.mktemp("axis"))


@pytest.fixture(scope="module")
def made(checkout: Path, bench_home: Path) -> Path:
    """The folder of a run of two values, made through the command line."""
    out = checkout / "out"
    words = [*WORDS, "--defense", "none", "--attacker", "dbscan", "--strictness", "1", "--strictness", "2.5"]
    python(checkout, "-m", "bench.cli", "run", *words, "--out", str(out), home=bench_home)
    return out


def usual_digest() -> str:
    """The digest of the same cell where there is no such option."""
    spec = RunSpec(dataset=SMALL["dataset"], encoders=(SMALL["encoder"],), **SIZES)
    (cell,) = resolve(spec, folders(), detector_parameters(), "cpu").cells
    return cell.digest


def test_the_help_the_docs_and_type_checkers_have_it(checkout: Path) -> None:
    said = python(checkout, "-m", "bench.cli", "run", "--help").stdout
    assert "--strictness <list[float]>" in said
    assert "how strict somebody is; else 1" in " ".join(said.split())
    script = (
        "import sys; sys.path.insert(0, '.ci'); import pages, options_table\n"
        "print(pages.printed('options of', 'bench run'), options_table.typed())\n"
        "import bench; help(bench.run)"
    )
    printed = python(checkout, "-c", script).stdout
    example = "`--strictness 2.5 --strictness 1.0`"
    takes = "a number above 0 and at most 9"
    assert f"| `--strictness` | how strict somebody is | {takes} | `1` | yes | {example} |" in printed
    assert "    strictness: float | Sequence[float]\n" in printed
    assert "strictness: How strict somebody is. It takes a number above 0 and at most 9;" in printed


def test_all_three_doors_take_it_and_refuse_a_wrong_type_in_one_line(checkout: Path, tmp_path: Path) -> None:
    script = (
        "import sys, bench, bench.experiment.api as api\n"
        "from bench.errors import UserError\n"
        "from bench.plan.suites import load\n"
        "class Stop(Exception): ...\n"
        "def stop(spec, begin=None): print(spec.strictness); raise Stop\n"
        "api.execute = stop\n"
        "for given in (2.5, [1, 2.5], 'x', True, 10, [None]):\n"
        "    try: bench.run(strictness=given)\n"
        "    except Stop: pass\n"
        "    except UserError as error: print(error)\n"
        "for text in ('[2.5]', '[1, 2.5]', '2.5', '[\"x\"]', '[true]', '[10]'):\n"
        "    path = sys.argv[1]\n"
        '    both = \'[[run]]\\ndefense = ["none"]\\nattacker = ["dbscan"]\\n\'\n'
        "    open(path, 'w').write(f'{both}strictness = {text}\\n')\n"
        "    try: print(load(path, {})[0].strictness)\n"
        "    except UserError as error: print(str(error).replace(path, 'S'))\n"
    )
    takes = "is not a number above 0 and at most 9"
    assert python(checkout, "-c", script, str(tmp_path / "suite.toml")).stdout.splitlines() == [
        "(2.5,)",
        "(1.0, 2.5)",
        f"strictness='x' {takes}. Try strictness=2.5.",
        f"strictness=True {takes}. Try strictness=2.5.",
        f"strictness=10 {takes}. Try strictness=2.5.",
        f"strictness=[None]: None {takes}. Try strictness=2.5.",
        "(2.5,)",
        "(1.0, 2.5)",
        "suite S, run 1: strictness = 2.5 is not a list of at least one value, each a number above 0 and at "
        "most 9. Try strictness = [2.5].",
        f'suite S, run 1: strictness = ["x"]: "x" {takes}. Try strictness = [2.5].',
        f"suite S, run 1: strictness = [true]: true {takes}. Try strictness = [2.5].",
        f"suite S, run 1: strictness = [10]: 10 {takes}. Try strictness = [2.5].",
    ]
    base = ["-m", "bench.cli", "run", "--defense", "none", "--attacker", "dbscan"]
    for text in ("x", "10", "nan", ""):
        (line,) = python(checkout, *base, "--strictness", text, status=2).stderr.splitlines()
        assert line.startswith("bench: ")
        assert "--strictness" in line


@pytest.mark.slow
def test_two_values_are_two_cells_and_the_default_is_the_cell_that_there_was(made: Path) -> None:
    usual, other = json.loads((made / "records.json").read_text("utf-8"))["cells"]
    assert usual["cell"] == usual_digest() != other["cell"]
    assert (usual["status"], other["status"]) == ("ok", "ok")
    assert (usual["options"], other["options"]) == ({}, {"strictness": 2.5})


@pytest.mark.slow
def test_tables_tracks_curves_and_boards_have_it(checkout: Path, made: Path) -> None:
    script = (
        "import json\nfrom pathlib import Path\nfrom bench.records import read\n"
        "from bench.board.tracks import tracks\n"
        "records = read(Path('out'))\n"
        "column = list(records.to_pandas()['strictness'])\n"
        "print(json.dumps([column, len(set(tracks(records).values()))]))"
    )
    column, several = json.loads(python(checkout, "-c", script).stdout)
    assert column == [1.0, 2.5]
    assert several == 2
    for view in ("cells", "panel"):
        rows = json.loads(
            python(checkout, "-m", "bench.cli", "board", "out", "--view", view, "--json").stdout
        )
        assert sorted(row["strictness"] for row in rows) == [1.0, 2.5]
        assert "strictness" in python(checkout, "-m", "bench.cli", "board", "out", "--view", view).stdout
    curve = python(checkout, "-m", "bench.cli", "curve", "out", "--axis", "strictness", "--json").stdout
    assert [point["x"] for point in json.loads(curve)] == [1.0, 2.5]


RESOLVED = """
import json, sys
from bench.board.tracks import conditions, defense, tracks
from bench.experiment.recording import record_of
from bench.faces.finder import detector_parameters
from bench.plan.cells import further_axes
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.records.record import CellRecord
from bench.store.folders import folders

dataset, encoder, sizes = json.loads(sys.argv[1])
spec = RunSpec(dataset=dataset, encoders=(encoder,), strictness=(1.0, 2.5), **sizes)
cells = resolve(spec, folders(), detector_parameters(), "cpu").cells
records = [record_of(cell, status="ok") for cell in cells]
records = [CellRecord.model_validate_json(record.model_dump_json()) for record in records]
of_cell = [[cell.options, cell.cloaking.options, cell.view.options, cell.attack.options] for cell in cells]
places = [tracks(records).values(), conditions(records).values(), map(defense, records)]
places = [len(set(texts)) for texts in places]
print(json.dumps([[cell.digest for cell in cells], of_cell, [r.options for r in records], places]))
"""


@pytest.mark.parametrize(
    ("of", "track", "places"),
    [
        # tracks, conditions of an attacker, rows of a track
        ("cloaking", True, [2, 1, 1]),
        ("cloaking", False, [1, 1, 2]),
        ("view", False, [1, 2, 1]),
        ("attack", False, [1, 2, 1]),
        ("split", True, [2, 1, 1]),
        ("run", False, [1, 2, 1]),
    ],
)
def test_an_axis_of_any_noun_is_told_apart(tmp_path: Path, of: str, track: bool, places: list[int]) -> None:
    checkout = copy_with_row(tmp_path, of, track=track)
    given = json.dumps([SMALL["dataset"], SMALL["encoder"], SIZES])
    digests, of_cell, recorded, told_apart = json.loads(python(checkout, "-c", RESOLVED, given).stdout)
    assert len(set(digests)) == 2
    assert digests[0] == usual_digest()
    assert recorded == [{}, {"strictness": 2.5}]
    assert told_apart == places
    usual, other = of_cell
    place = {"cloaking": 1, "view": 2, "attack": 3}.get(of, 0)
    assert usual == [[], [], [], []]
    assert [bool(options) for options in other] == [i == place for i in range(4)]
    assert other[place] == [["strictness", 2.5]]
