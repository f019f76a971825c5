"""One matrix by every engine gives the same records, and what befalls workers loses nothing."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.engines.processes import Processes
from bench.engines.tasks import Answer, Job, Task, perform
from bench.errors import UserError
from bench.experiment.asked import spec_of
from bench.experiment.pipeline import Pipeline
from bench.experiment.session import execute
from bench.faces.finder import detector_parameters
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.records.files import read
from bench.store.cache import Cache
from bench.types import Folders, Image
from injecting import lost_workers
from injecting.injection import assert_all_right
from injecting.lost_workers import living

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")]

DATA = ("--dataset", "synthetic:people=12,photos-each=6", "--encoder", "synth-ir", "--users", "2")
SIZES = ("--photos", "4", "--background", "2", "--device", "cpu")
MATRIX = ("--defense", "none", "--defense", "pgd:steps=2", "--attacker", "dbscan", "--attacker", "louvain")

Bench = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Start `bench` in a process of its own, with a home of the test's own; it does not outlive the test."""
    started = []

    def go(*arguments: str, home: str = "home") -> subprocess.Popen[str]:
        environment = os.environ | {"BENCH_HOME": str(tmp_path / home), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.cli", *arguments],
            cwd=tmp_path,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield go
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def run(bench: Bench, *more: str, home: str = "home", out: str = "out") -> tuple[int, str]:
    """Run the small matrix to its end: status, and what it said on stderr."""
    process = bench("run", *DATA, *SIZES, *(more or MATRIX), "--out", out, home=home)
    said = process.communicate(timeout=600)[1]
    return process.returncode, said


def comparable(folder: Path) -> list[dict[str, Any]]:
    return [record.comparable() for record in read(folder)]


def busy(worker: psutil.Process) -> bool:
    """Whether a worker has begun to work: it has loaded what it needs."""
    return bool(worker.cpu_times().user > 2)


def until(true: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Wait until something holds; what it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = true()
        if value:
            return value
        time.sleep(0.05)
    pytest.fail("it did not come about in time")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The records of the matrix as one process makes them."""
    folder = tmp_path_factory.mktemp("local")
    environment = os.environ | {"BENCH_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "bench.cli", "run", *DATA, *SIZES, *MATRIX, "--out", str(folder / "out")]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=600)
    return comparable(folder / "out")


@pytest.mark.parametrize("engine", ["processes:2", "dask:2", "slurm:local"])
def test_every_engine_gives_the_records_of_one_process(
    engine: str, bench: Bench, local: list[dict[str, Any]], tmp_path: Path
) -> None:
    needed = {"dask:2": "distributed", "slurm:local": "submitit"}
    if engine in needed:
        pytest.importorskip(needed[engine])
    status, said = run(bench, *MATRIX, "--engine", engine)
    assert status == 0, said
    records = read(tmp_path / "out")
    assert [record.comparable() for record in records] == local
    assert [(record.status, record.cost.reused) for record in records] == [("ok", True)] * 4
    assert {record.cost.attempts for record in records} == {1}


IN_PARTS = """
import sys
from bench.experiment import shares
shares.SLICE = 10
from bench.engines.processes import Processes
submit, kinds = Processes.submit, []
def spied(self, tasks):
    kinds.extend(task.share.kind for task in tasks if task.share)
    submit(self, tasks)
Processes.submit = spied
from bench.cli import main
try:
    main()
finally:
    print("shares:", sorted(set(kinds)), len(kinds), file=sys.stderr)
"""


def test_what_is_made_in_parts_gives_the_same_records_too(
    local: list[dict[str, Any]], tmp_path: Path
) -> None:
    environment = os.environ | {"BENCH_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", IN_PARTS, "run", *DATA, *SIZES, *MATRIX]
    done = subprocess.run(
        [*command, "--engine", "processes:2", "--out", str(tmp_path / "out")],
        env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "shares: ['look']" in done.stderr
    records = read(tmp_path / "out")
    assert [record.comparable() for record in records] == local
    assert {record.cost.attempts for record in records} == {1}


def test_workers_that_are_killed_are_replaced_and_the_records_are_the_same(
    bench: Bench, local: list[dict[str, Any]], tmp_path: Path
) -> None:
    process = bench("run", *DATA, *SIZES, *MATRIX, "--engine", "processes:2", "--out", "out")
    killed: set[int] = set()
    for _ in range(2):  # each while it works, so that two cells are tried twice
        worker = until(lambda: [w for w in living(process.pid) if w.pid not in killed])[0]
        until(partial(busy, worker))
        worker.kill()
        killed.add(worker.pid)
    said = process.communicate(timeout=600)[1]
    assert process.returncode == 0, said
    assert "signal SIGKILL ended it" in said
    records = read(tmp_path / "out")
    assert [record.comparable() for record in records] == local
    assert max(record.cost.attempts for record in records) > 1


def test_a_cell_that_kills_its_worker_is_set_aside_and_the_others_are_there(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "bad.sh").write_text("kill -9 $PPID\n")
    command = json.dumps(["sh", "{here}/bad.sh", "{manifest}", "{input}", "{output}"])
    (tmp_path / "bad.toml").write_text(f'command = {command}\nversion = "1"\nfiles = ["bad.sh"]\n')
    status, said = run(
        bench,
        "--defense",
        "none",
        "--defense",
        "command:bad.toml",
        "--attacker",
        "dbscan",
        "--engine",
        "processes:1",
    )
    assert status == 1
    good, bad = read(tmp_path / "out")
    assert good.status == "ok" and bad.status == "failed"
    assert bad.error == "3 workers were lost that computed it; the last one: signal SIGKILL ended it"
    assert "1 cells failed; all others are kept" in said
    before = (tmp_path / "out" / "records.json").read_bytes()
    process = bench("collect", "out")  # what failed is in no store, and must not leave the records
    assert "out has records of cells that failed, and is left as it is" in process.communicate(timeout=120)[1]
    assert process.returncode == 0
    assert (tmp_path / "out" / "records.json").read_bytes() == before


def test_a_worker_that_hangs_is_taken_for_lost(
    small_job: tuple[Job, Sequence[str]], bench_home: Path
) -> None:
    pool = Processes(1, [{}], bench_home, silence=1.0)
    try:
        task = Task(small_job[0], {})
        pool.submit([task])
        (worker,) = until(lambda: living(os.getpid()))
        worker.suspend()
        (ended,) = pool.wait()
        assert ended.answer is None and ended.lost == "it said nothing for 1 seconds"
        assert not worker.is_running()
        pool.submit([task])  # another one does it
        pool._silence = 600.0
        (ended,) = pool.wait()
        assert ended.answer is not None and not ended.answer.refused
    finally:
        pool.close()
    assert not living(os.getpid())


def test_a_worker_that_ends_while_it_has_nothing_to_do_is_replaced(
    small_job: tuple[Job, Sequence[str]], bench_home: Path
) -> None:
    pool = Processes(1, [{}], bench_home)
    try:
        pool.submit([Task(small_job[0], {})])
        assert pool.wait()[0].answer == Answer()
        (worker,) = living(os.getpid())
        worker.kill()
        worker.wait()
        pool.submit([Task(small_job[0], {})])
        assert pool.wait()[0].answer == Answer()
    finally:
        pool.close()


def test_a_worker_with_other_code_is_refused(small_job: tuple[Job, Sequence[str]], bench_home: Path) -> None:
    job, cells = small_job
    pool = Processes(1, [{}], bench_home)
    try:
        pool.submit([Task(job, {cells[0]: "the key that other code has"})])
        (ended,) = pool.wait()
    finally:
        pool.close()
    assert ended.answer is not None
    assert ended.answer.refused.startswith(f"a worker would compute cell {cells[0][:12]} from other code")


def test_a_worker_on_another_machine_is_refused(small_job: tuple[Job, Sequence[str]]) -> None:
    job, cells = small_job
    answer = Answer.from_text(perform(Task(replace(job, machine="elsewhere"), {cells[0]: "key"}).to_text()))
    assert answer.refused.startswith(f"a worker is on {platform.node()}, and the store in")
    assert "on elsewhere" in answer.refused


def test_a_worker_on_another_machine_shares_a_store_and_has_a_home_of_its_own(
    small_job: tuple[Job, Sequence[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, _ = small_job
    monkeypatch.setenv("BENCH_STORE", str(tmp_path / "store"))
    here = Folders(home=str(tmp_path / "here"), real_data=None)
    spec = spec_of(job.specs[0])
    plan = resolve(spec, here, detector_parameters(), "cpu")
    pipeline = Pipeline(plan, here, Cache(tmp_path / "here"))
    (cell,) = plan.cells
    elsewhere = replace(job, home="/nowhere", machine="elsewhere", store=str(tmp_path / "store"))
    pool = Processes(1, [{"BENCH_HOME": str(tmp_path / "there"), "BENCH_REAL_DATA": ""}], tmp_path)
    try:
        pool.submit([Task(elsewhere, {cell.digest: pipeline.key(cell)})])
        (ended,) = pool.wait()
    finally:
        pool.close()
    assert ended.answer == Answer()
    assert pipeline.is_stored(cell)
    assert (tmp_path / "there" / "cache").is_dir()


def test_the_tasks_of_a_process_with_many_threads_are_done_one_by_one(
    small_job: tuple[Job, Sequence[str]], tmp_path: Path
) -> None:
    job = replace(small_job[0], home=str(tmp_path / "home"))
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(perform, [Task(job, {}).to_text()] * 8))
    assert {
        Answer.from_text(text) for text in map(str, answers) if Answer.from_text(text) != Answer()
    } == set()
    assert not list((tmp_path / "home" / "cache").glob("*damaged*"))


@pytest.fixture
def small_job(bench_home: Path) -> tuple[Job, Sequence[str]]:
    spec = RunSpec(
        dataset="synthetic:people=12,photos-each=6",
        defenses=("none",),
        attackers=("dbscan",),
        encoders=("synth-ir",),
        users=2,
        photos=4,
        background=2,
        device="cpu",
    )
    folders = Folders(home=str(bench_home), real_data=None)
    plan = resolve(spec, folders, detector_parameters(), "cpu")
    return Job.of([spec], folders, 1), [cell.digest for cell in plan.cells]


def test_a_function_of_this_program_is_refused_in_one_line(bench_home: Path) -> None:
    from bench.engines.ahead import engine

    def mine(photos: list[Image]) -> list[Image]:
        return photos

    spec = RunSpec(defenses=(mine,), attackers=("dbscan",), encoders=("synth-ir",), users=2, photos=4)
    with pytest.raises(UserError, match="function of this program"):
        execute(spec, ahead=engine("processes:1"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_the_command(number: signal.Signals, bench: Bench) -> None:
    process = bench("run", *DATA, *SIZES, *MATRIX, "--engine", "processes:2", "--out", "out")
    (worker, *_) = until(lambda: living(process.pid))
    until(partial(busy, worker))
    left = living(process.pid)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
    if number != signal.SIGKILL:
        assert said.splitlines()[-1].startswith("bench: stopped. What was computed is kept")
    gone, alive = psutil.wait_procs(left, timeout=10)
    assert gone and not alive


def test_a_run_that_is_refused_is_not_collected(bench: Bench, tmp_path: Path) -> None:
    small = ("--defense", "none", "--attacker", "dbscan")
    assert run(bench, *small)[0] == 0
    assert run(bench, *small, "--seed", "1")[0] == 2  # out has other cells
    process = bench("collect", "out")
    assert "0 of 1 cells are not there yet" in process.communicate(timeout=120)[1]
    assert process.returncode == 0


def test_what_is_done_is_collected_while_the_rest_is_not(
    bench: Bench, local: list[dict[str, Any]], tmp_path: Path
) -> None:
    process = bench("collect", "out")
    assert process.communicate()[1].startswith("bench: no run was begun for out")
    assert process.returncode == 2
    process = bench("run", *DATA, *SIZES, *MATRIX, "--engine", "processes:1", "--out", "out")
    until(lambda: list((tmp_path / "home" / "cache" / "cell").rglob("*/*")))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert not (tmp_path / "out" / "records.json").exists()
    process = bench("collect", "out", "--json")
    printed, said = process.communicate(timeout=120)
    cells = json.loads(printed)["cells"]
    assert process.returncode == 0 and 1 <= len(cells) < 4
    assert said.splitlines()[-1] == f"bench: {4 - len(cells)} of 4 cells are not there yet."
    assert all(record in local for record in comparable(tmp_path / "out"))
    status, said = run(bench, *MATRIX)  # goes on, in one process
    assert status == 0, said
    assert comparable(tmp_path / "out") == local


def test_workers_killed_at_any_moment_change_no_byte(tmp_path: Path) -> None:
    assert_all_right(lost_workers.WORKERS, 2, 7, tmp_path)


def test_a_command_killed_at_any_moment_leaves_no_worker_and_goes_on(tmp_path: Path) -> None:
    assert_all_right(lost_workers.COMMANDS, 1, 7, tmp_path)
