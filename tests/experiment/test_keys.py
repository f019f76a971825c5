"""The key of a stage covers every module that can change its result, and no module that cannot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.store import code

ROOT = Path(__file__).resolve().parents[2]
STAGES = {
    "face": "bench.faces.finder",
    "embedding": "bench.recognition.observer",
    "cloak": "bench.release.publisher",
    "perceptual": "bench.metrics.perceptual",
    "attack": "bench.attack.asking",
    "cell": "bench.experiment.pipeline",
}
"""Stage -> the module that its key begins at."""

TRACED = """
import json, sys, threading
from pathlib import Path

ran, stage = {}, []

def called(frame, event, argument):
    if event == "call" and stage:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("bench"):
            ran.setdefault(stage[-1], set()).add(name)

threading.setprofile(called)
sys.setprofile(called)

def within(name, function):
    def wrapped(*given, **more):
        stage.append(name)
        try:
            return function(*given, **more)
        finally:
            stage.pop()
    return wrapped

import bench
from bench.attack import asking
from bench.faces.finder import FaceFinder
from bench.recognition.observer import Observer
from bench.release import costs, publisher
from bench.experiment.pipeline import Pipeline

FaceFinder.detect = within("face", FaceFinder.detect)
Observer._embed = within("embedding", Observer._embed)
publisher.cloak = within("cloak", publisher.cloak)
costs.perceptual.perceptual_cost = within("perceptual", costs.perceptual.perceptual_cost)
asking.ask_clusterer = within("attack", asking.ask_clusterer)
Pipeline._compute = within("cell", Pipeline._compute)
bench.run(
    defense=["none", "advmask:steps=2"], attacker="hdbscan", dataset="synthetic:people=12,photos-each=6",
    encoder="synth-ir", users=2, photos=4, background=2, channel="jpeg:75+tv:0.05", level="adaptive",
    adaptation="adversarial:steps=2",
)
print(json.dumps({name: sorted(modules) for name, modules in ran.items()}))
"""


def test_whatever_runs_in_a_stage_is_in_the_closure_of_its_key(tmp_path: Path) -> None:
    # every call of every thread is written down, so what runs is seen and not believed
    environment = os.environ | {"BENCH_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", TRACED], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    ran = json.loads(done.stdout)
    assert set(ran) == set(STAGES)
    plugins = set.union(*(set(code.closure(f"bench.{name}")) for name in PLUGINS))
    # a network that an attacker trained has a digest of its own, which holds the code that trained it
    plugins |= code.closure("bench.recognition.trained")
    # like a data set it hands on photos, whose content is in every key
    plugins |= {"bench.photos.steady"}
    # hands photos to several workers: while one of them measures, another is on its way to it
    plugins |= {"bench.release.costs"} | code.closure("bench.photos.read_ahead")
    # listens to the progress of a run, for plans of others: nothing of it is in a record
    plugins |= {name for name in code.closure("bench.costs.meter") if name.startswith("bench.costs.")}
    for stage, modules in ran.items():
        covered = code.closure(STAGES[stage]) | plugins
        assert not [name for name in modules if name not in covered and not code.silent(name)], stage
        assert len(modules) > 1


PLUGINS = (
    *("defenses.none", "defenses.noise", "defenses.advmask", "attackers.hdbscan", "datasets.synthetic"),
    "encoders.families.synth",
    "faces.detectors.mtcnn",
)


@pytest.mark.parametrize(
    "module", ["bench.types", "bench.protocols", "bench.release.cloaking", "bench.optim.engine"]
)
def test_what_once_was_forgotten_is_in_the_key_of_cloaks(module: str) -> None:
    assert module in code.closure(STAGES["cloak"])


@pytest.mark.parametrize(
    "module",
    [
        "bench.store.sources",
        "bench.cli.run",
        "bench.plan.axes",
        "bench.board.panel",
        "bench.inventory.doctor",
        "bench.errors",
    ],
)
def test_a_mirror_a_help_text_and_a_board_are_in_no_key(module: str) -> None:
    assert not [stage for stage, start in STAGES.items() if module in code.closure(start)]


PLANTED = """
import json, sys
from pathlib import Path
from bench.store import code

root, stages = Path(sys.argv[1]), json.loads(sys.argv[2])
modules = {
    ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (root / "bench").rglob("*.py")
}
read, changed = code._tree, {}
for stage, start in stages.items():
    before, changed[stage] = code.code_of(start), []
    for name, planted in modules.items():
        code._tree = lambda path, at=planted: read(path) + (path == at) * "!"
        code.code_of.cache_clear()
        if code.code_of(start) != before:
            changed[stage].append(name)
    code._tree = read
    code.code_of.cache_clear()
print(json.dumps(changed))
"""


@pytest.fixture(scope="module")
def changed_by() -> dict[str, set[str]]:
    """Stage -> the modules that change its key when they change; planted in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PLANTED, str(ROOT), json.dumps(STAGES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {stage: set(names) for stage, names in json.loads(done.stdout).items()}


@pytest.mark.parametrize("stage", STAGES)
def test_a_change_of_any_module_of_the_closure_changes_the_key_and_no_other_does(
    stage: str, changed_by: dict[str, set[str]]
) -> None:
    assert changed_by[stage] == code.closure(STAGES[stage])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the code that a test may change."""
    folder = tmp_path / "checkout"
    for name in ("bench", "attackers", "defenses", "datasets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run(checkout: Path, home: Path, *more: str) -> dict[str, dict[str, object]]:
    """The run of a checkout: attacker -> its record for `pgd`."""
    command = [
        sys.executable,
        "-m",
        "bench.cli",
        "run",
        "--defense",
        "pgd:steps=2",
        "--json",
        "--device",
        "cpu",
    ]
    command += ["--dataset", "synthetic:people=12,photos-each=6", "--encoder", "synth-ir", "--users", "2"]
    command += ["--photos", "4", "--background", "2", *(more or ("--attacker", "dbscan"))]
    environment = os.environ | {"BENCH_HOME": str(home), "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=checkout)
    assert done.stdout, done.stderr[-2000:]
    return {cell["attacker"]["name"]: cell for cell in json.loads(done.stdout)["cells"]}


def change(file: Path, old: str, new: str) -> None:
    source = file.read_text("utf-8")
    assert old in source, f"{file} has no {old!r} to change"
    file.write_text(source.replace(old, new), "utf-8")


def test_a_changed_stage_is_computed_anew_and_a_board_is_not(checkout: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = run(checkout, home)["dbscan"]
    assert first["outcomes"]["ok"] >= 7  # type: ignore[index]
    # a mirror's address, a help text, a board
    change(checkout / "bench" / "store" / "sources.py", "https://", "https://mirror.")
    change(checkout / "bench" / "cli" / "run.py", "Parse, run, print.", "Parse, run and print.")
    change(checkout / "bench" / "plan" / "axes.py", "who recognises people", "who recognises a person")
    board = checkout / "bench" / "board" / "__init__.py"
    board.write_text(board.read_text() + "\nNEW = True\n")
    assert run(checkout, home)["dbscan"]["cost"]["reused"]  # type: ignore[index]
    # the defense is handed no faces: the cloaks of the same home must not be found again
    change(checkout / "bench" / "release" / "cloaking.py", "self.faces[i]", "None")
    changed = run(checkout, home)["dbscan"]
    assert changed["outcomes"] == {"cloak_failed": 8}


def test_a_changed_sibling_concerns_the_plugins_that_import_it(checkout: Path, tmp_path: Path) -> None:
    both = ("--attacker", "dbscan", "--attacker", "louvain")
    alone = "bench.attackers._graph.louvain"
    assert alone in code.closure("bench.attackers.louvain") - code.closure("bench.attackers.dbscan")
    run(checkout, tmp_path / "home", *both)
    file = checkout / "attackers" / "_graph" / "louvain.py"
    file.write_text(file.read_text("utf-8") + "\nNEW = True\n", "utf-8")
    again = run(checkout, tmp_path / "home", *both)
    reused = {name: cell["cost"]["reused"] for name, cell in again.items()}  # type: ignore[index]
    assert reused == {"dbscan": True, "louvain": False}
