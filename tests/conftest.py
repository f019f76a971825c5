"""What every test may rely on: a BENCH_HOME of its own, and the real photos where there are any.

Tests run in several workers (pytest-xdist, `make test`). Workers share compiled modules, what was computed of
real photos, and nothing else: each has its own BENCH_HOME, its own temporary folders and its own part of the
cores.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import branches
import pytest

if TYPE_CHECKING:  # a worker knows its threads before numpy is loaded
    from bench.types import Folders

BRANCHES = pytest.StashKey[dict[str, float]]()
"""Room -> per cent of its branches that were taken."""

LONG = 60.0
"""Tests that took fewer seconds in all do not say which files took most of them."""


def pytest_configure(config: pytest.Config) -> None:
    """Give a worker, and the processes that its tests start, as many threads as it has cores.

    A slow machine is no fault of an example of hypothesis, so there is no deadline.
    """
    del config
    if find_spec("hypothesis"):
        from hypothesis import settings

        settings.register_profile("patient", settings(), deadline=None)
        settings.load_profile("patient")
    workers = os.environ.get("PYTEST_XDIST_WORKER_COUNT")
    if workers:
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // int(workers))))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Count branches in the tests of few rooms; where workers share the files, start the long ones first."""
    if config.pluginmanager.hasplugin("_cov"):
        for item in items:
            if item.get_closest_marker("slow") or item.path.parent.name not in branches.TESTS:
                item.add_marker("no_cover")  # a traced test takes a third longer
    if hasattr(config, "workerinput"):
        order = {"real": 0, "slow": 1}
        rank: dict[Path, int] = {}
        for item in items:
            own = min((order[mark.name] for mark in item.iter_markers() if mark.name in order), default=2)
            rank[item.path] = min(own, rank.get(item.path, 2))
        items.sort(key=lambda item: rank[item.path])  # the last file to end is then a short one


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Fail where branches were counted (`--cov`) and a room is below the floor of `.ci/branches.py`."""
    result = yield
    config = session.config
    if config.pluginmanager.hasplugin("_cov") and not hasattr(config, "workerinput"):
        percent = branches.shares(branches.measured())
        config.stash[BRANCHES] = percent
        session.testsfailed += len(branches.below(percent))
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which files took longest, and which share of each room's branches was taken."""
    seconds: dict[str, float] = defaultdict(float)
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if isinstance(report, pytest.TestReport):
            seconds[report.location[0]] += report.duration  # of set-up, call and tear-down
    total = sum(seconds.values())
    if total > LONG:
        slowest = sorted(seconds.items(), key=lambda item: -item[1])[:25]
        told = ", ".join(f"{file} {spent:.0f}" for file, spent in slowest)
        terminalreporter.write_line(f"seconds of the slowest files, of {total:.0f} in all: {told}")
    percent = config.stash.get(BRANCHES, {})
    for room, share in percent.items():
        low = room in branches.below(percent)
        remark = f", below the floor of {branches.FLOOR:g} %" if low else ""
        terminalreporter.write_line(f"branches of bench/{room}: {share:.1f} %{remark}", red=low)


@pytest.fixture(scope="session", autouse=True)
def bench_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """BENCH_HOME of this worker, also for child processes: no test touches the user's cache."""
    home = tmp_path_factory.mktemp("bench-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_HOME", str(home))
        yield home


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real photos and encoders; mark its tests `@pytest.mark.real`."""
    asked = os.environ.get("BENCH_REAL_DATA")
    if not asked:
        pytest.skip("BENCH_REAL_DATA is not set: no real photos, no real encoders")
    folder = Path(asked)
    if not folder.is_dir():
        pytest.fail(f"BENCH_REAL_DATA is {asked!r}, which is not a folder", pytrace=False)
    return folder.resolve()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests marked `cuda` where there is no CUDA device."""
    if item.get_closest_marker("cuda"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """A command that runs in this process heeds signals; after it the tests do as before."""
    usual = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, action in usual.items():
        signal.signal(number, action)


@pytest.fixture(scope="module")
def real_folders(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folders]:
    """The real photos and a BENCH_HOME for them; a module's runs find both, also in child processes.

    All modules of all workers share the home: a face that one has found is not looked for by another.
    """
    from bench.types import Folders

    home = session_folder(tmp_path_factory) / "real-home"
    home.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_HOME", str(home))
        patch.setenv("BENCH_REAL_DATA", str(real_data))
        yield Folders(home=str(home), real_data=str(real_data))


@pytest.fixture
def every_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    """No detector's file has to be here, for tests in which nothing is detected."""
    from bench.faces.detector_model import DetectorModel

    monkeypatch.setattr(DetectorModel, "check", lambda model, folders: None)


@pytest.fixture(scope="session")
def real_or_none(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A fresh BENCH_HOME, and the real data where there are any: for what needs no photo of a person."""
    from bench.types import Folders

    home = tmp_path_factory.mktemp("home")
    return Folders(home=str(home), real_data=os.environ.get("BENCH_REAL_DATA"))


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """A home and a folder of real data of the test's own, both still empty."""
    from bench.types import Folders

    return Folders(home=str(tmp_path / "home"), real_data=str(tmp_path / "real"))


@pytest.fixture(scope="session", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Child processes share compiled modules, also where nothing compiled is kept: loading torch halves."""
    compiled_here = session_folder(tmp_path_factory) / "compiled"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(compiled_here))
        yield


def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder that all workers of a session share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


_PEAK = """
from pathlib import Path
from typing import TYPE_CHECKING
print(*(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line))
"""


@pytest.fixture(scope="session")
def peak_of() -> Callable[..., tuple[int, str]]:
    """Runs a script with arguments in a process of its own -> its peak of memory in MiB, what it printed.

    The peak is of that program alone: `ru_maxrss` would begin with what this process has held.
    """
    if sys.platform != "linux":
        pytest.skip("/proc/self/status is Linux's")

    def run(script: str, *arguments: object) -> tuple[int, str]:
        command = [sys.executable, "-c", script + _PEAK, *map(str, arguments)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=3600)
        *said, peak = done.stdout.splitlines()
        return int(peak) // 1024, "\n".join(said)

    return run


@pytest.fixture
def plant(tmp_path: Path) -> Callable[..., Path]:
    """Writes a folder as `bench run --out` does, with cells that a test makes up.

    A cell is a dictionary of fields of its record, and `found`: for each user (and draw by draw, a cell each)
    whether the attacker clustered this user; None for a cell that failed. `users` names the users, `outcome`
    is that of each user's photo.
    """
    import pandas as pd

    from bench.records import CellRecord, Metric, Named, Records

    def cell(number: int, **stated: Any) -> tuple[CellRecord, dict[str, list[Any]]]:
        found: Sequence[float] | None = stated.pop("found")
        figure = stated.pop("figure", "cfr")
        users = stated.pop("users", [f"user {i:04}" for i in range(len(found or ()))])
        outcome = stated.pop("outcome", "ok")
        digest = hashlib.sha256(json.dumps([number, str(stated), list(found or ())]).encode()).hexdigest()
        fields: dict[str, Any] = {
            "cell": digest,
            "status": "failed" if found is None else "ok",
            "error": "the machine is on fire" if found is None else None,
            "dataset": Named(name="synthetic", digest="d" * 64),
            "scenario": Named(name="introduced", parameters={"users": len(users), "photos": 1}),
            "defense": Named(name="mask"),
            "surrogate": [Named(name="net")],
            "budget": "linf:8",
            "channel": "none",
            "encoder": Named(name="net", digest="e" * 64),
            "attacker": Named(name="dbscan"),
            "detector": Named(name="mtcnn"),
            "knowledge": "black-box",
            "seed": 0,
        }
        if found is not None:
            rate = sum(found) / len(found)
            fields["metrics"] = {figure: Metric(value=rate, low=0, high=1, n=len(found), better="none")}
        column = "formed" if figure == "cfr" else figure
        record = CellRecord(**(fields | stated))
        rows = {
            "cell": [record.cell] * len(users),
            "user": users,
            column: [float(one) for one in found or ()],
        }
        return record, {**rows, "outcome": [outcome] * len(users)}

    def written(name: str, *cells: dict[str, Any]) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        made = [cell(number, **stated) for number, stated in enumerate(cells)]
        (folder / "records.json").write_text(Records(record for record, _ in made).to_json(), "utf-8")
        table = pd.concat(
            [pd.DataFrame(rows) for record, rows in made if record.status == "ok"]
            or [pd.DataFrame({name: pd.Series(dtype=str) for name in ("cell", "user", "outcome")})]
        )
        table.drop(columns="outcome").to_parquet(folder / "users.parquet")
        table[["cell", "user", "outcome"]].to_parquet(folder / "photos.parquet")
        return folder

    return written


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    if made.returncode:
        pytest.skip(f"no small disk can be mounted here: {made.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
