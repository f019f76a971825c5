"""What was computed is never computed again, and a run that is killed ends where an undisturbed one does."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UserError
from bench.experiment.session import RunResult
from bench.plan.spec import RunSpec
from bench.records import CellRecord, Records, read
from bench.store.cache import Cache
from injecting import ended_runs
from injecting.injection import assert_all_right

pytestmark = pytest.mark.slow

Run = Callable[..., RunResult]

MATRIX = {
    "defenses": ("none", "pgd:steps=2"),
    "attackers": ("dbscan", "knn"),
    "scenario": "linked",
}
"""With a defense that takes gradients; the controls bring in noise."""


def comparable(records: Records) -> list[dict[str, Any]]:
    return [record.comparable() for record in records]


def bench_run(small: RunSpec, home: Path, *more: str) -> subprocess.Popen[str]:
    """The command of MATRIX, in a process of its own."""
    command = [sys.executable, "-m", "bench.cli", "run", "--defense", "none", "--defense", "pgd:steps=2"]
    command += ["--attacker", "dbscan", "--attacker", "knn", "--scenario", "linked", "--device", "cpu"]
    command += ["--dataset", small.dataset, "--encoder", small.encoders[0], "--users", str(small.users)]
    command += ["--photos", str(small.photos), "--labelled", str(small.labelled)]
    command += ["--background", str(small.background), *more]
    environment = os.environ | {"BENCH_HOME": str(home)}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, text=True, stdout=pipe, stderr=pipe)


def rows(home: Path) -> int:
    """How many small results there are: what shows how far a run has come."""
    path = home / "cache" / "rows.sqlite"
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as open_rows:
            results = "SELECT count(*) FROM row WHERE stage NOT IN ('use', 'batch')"
            found: int = open_rows.execute(results).fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # not there yet
    open_rows.close()
    return found


@pytest.fixture(scope="module")
def undisturbed(small: RunSpec, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Home, records and printed document of a run that nobody disturbed, in a fresh BENCH_HOME."""
    home, out = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("out")
    process = bench_run(small, home, "--json", "--out", str(out))
    printed, said = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return {"home": home, "records": read(out), "printed": printed, "rows": rows(home)}


def test_a_run_killed_again_and_again_ends_the_same(tmp_path: Path) -> None:
    assert_all_right(ended_runs.KILL, 3, 5, tmp_path)


def test_the_document_holds_the_records(undisturbed: dict[str, Any]) -> None:
    document = json.loads(undisturbed["printed"])
    cells = [CellRecord.model_validate(cell) for cell in document["cells"]]
    assert comparable(Records(cells)) == comparable(undisturbed["records"])
    assert [cell.status for cell in cells] == ["ok"] * 4


def test_another_home_gives_the_same_bytes(undisturbed: dict[str, Any], run: Run) -> None:
    here = run(**MATRIX).records  # in this process, in the home that all tests share
    texts = [json.dumps(comparable(records), sort_keys=True) for records in (here, undisturbed["records"])]
    assert texts[0] == texts[1]


def test_a_second_run_computes_nothing(
    undisturbed: dict[str, Any], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a network was loaded")

    monkeypatch.setattr("bench.faces.detect.Detector", never)
    monkeypatch.setattr("bench.encoders.load", never)
    before = rows(undisturbed["home"])
    result = run(home=undisturbed["home"], **MATRIX)
    assert [record.cost.reused for record in result.records] == [True] * 4
    assert comparable(result.records) == comparable(undisturbed["records"])
    assert rows(undisturbed["home"]) == before
    cache = result.pipeline._cache
    assert cache.hits == {"cell": 4}
    assert not any(cache.misses.values())


def test_a_second_run_prints_the_same(small: RunSpec, undisturbed: dict[str, Any]) -> None:
    boards = []
    for _ in range(2):
        process = bench_run(small, undisturbed["home"])
        board, told = process.communicate(timeout=600)
        boards.append(board)
        # nothing to wait for, nothing to say but which photos there are; a busy machine may show its progress
        told_twice = r"^[^:]+: \d+/\d+|^bench: photos of data set 'synthetic': "
        assert not [line for line in told.splitlines() if not re.search(told_twice, line)]
    assert boards[0] == boards[1]
    assert len(boards[0].splitlines()) > 4
    process = bench_run(small, undisturbed["home"], "--json")
    printed = json.loads(process.communicate(timeout=600)[0])
    first = json.loads(undisturbed["printed"])
    for cell in (*printed["cells"], *first["cells"]):
        del cell["cost"], cell["environment"]
    assert json.dumps(printed) == json.dumps(first)


def test_another_attacker_sees_nothing_anew(run: Run) -> None:
    run(attackers=("dbscan",))
    result = run(attackers=("dbscan:min-samples=2",))
    (record,) = result.records
    assert not record.cost.reused
    misses = result.pipeline._cache.misses
    assert {stage: n for stage, n in misses.items() if n and stage not in ("cell", "attack")} == {}
    assert record.cost.cache_hits["embedding"] > 0


def test_another_defense_embeds_its_own_photos_only(run: Run, tmp_path: Path) -> None:
    run(home=tmp_path, defenses=("none",))
    result = run(defenses=("noise:kind=uniform",))
    misses = result.pipeline._cache.misses
    assert (misses["face"], misses["embedding"], misses["cloak"]) == (8, 8, 1)


def test_a_function_is_called_anew_in_every_run(run: Run, tmp_path: Path) -> None:
    calls = tmp_path / "calls"  # what a function holds is in its digest, so it holds no list that grows

    def counts(photos: list[Any]) -> list[Any]:
        with calls.open("a") as file:
            file.write(str(len(photos)))
        return photos

    first, second = run(defenses=(counts,)), run(defenses=(counts,))
    assert calls.read_text() == "4444"  # two users, two runs
    assert comparable(first.records) == comparable(second.records)


def test_functions_that_share_a_source_are_told_apart(run: Run) -> None:
    def darker(by: int) -> Callable[[list[Any]], list[Any]]:
        def darkened(photos: list[Any]) -> list[Any]:
            return [photo - (photo >= by).astype(photo.dtype) * by for photo in photos]

        return darkened

    records = run(defenses=(darker(2), darker(6))).records
    assert [record.perceptual["photo"]["linf"]["worst"] for record in records] == [2.0, 6.0]
    assert records[0].cell != records[1].cell


def test_a_full_disk_costs_nothing_that_was_computed(
    small: RunSpec, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    home = tmp_path / "disk"
    home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(home)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        out, err = bench_run(small, home).communicate(timeout=600)
        assert out == ""
        (line,) = [text for text in err.splitlines() if text.startswith("bench: ")]
        assert "cannot write results" in line
        assert "Traceback" not in err
        kept = rows(home)
        assert kept > 0
        subprocess.run(["mount", "-o", "remount,size=64m", str(home)], check=True)
        process = bench_run(small, home, "--out", str(tmp_path / "out"))
        _, said = process.communicate(timeout=600)
        assert process.returncode == 0, said
        assert comparable(read(tmp_path / "out")) == comparable(undisturbed["records"])
        first = read(tmp_path / "out")[0].cost.cache_hits
        assert sum(first.values()) > 0
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


def test_two_runs_at_once_share_a_home(small: RunSpec, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    outs = [tmp_path / "one", tmp_path / "two"]
    both = [bench_run(small, tmp_path / "home", "--out", str(out)) for out in outs]
    for process, out in zip(both, outs, strict=True):
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
        assert comparable(read(out)) == comparable(undisturbed["records"])


def test_damage_to_the_cache_costs_time_only(run: Run, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    home = tmp_path / "damaged"
    shutil.copytree(undisturbed["home"], home)
    for path in (home / "cache").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2])
    result = run(home=home, **MATRIX)
    assert comparable(result.records) == comparable(undisturbed["records"])
    assert not any(record.cost.reused for record in result.records)


def exchanged(values: list[Any]) -> list[Any]:
    """The same values, none of them in its place."""
    return [*values[1:], values[0]]


def test_results_in_one_anothers_places_cost_time_only(
    run: Run, undisturbed: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "moved"
    shutil.copytree(undisturbed["home"], home)
    files = sorted(path for path in (home / "cache").rglob("*") if path.is_file() and len(path.name) == 64)
    assert {path.parts[-3] for path in files} == {"asked", "cell", "cloak"}
    for path, content in zip(files, exchanged([path.read_bytes() for path in files]), strict=True):
        path.write_bytes(content)
    with closing(sqlite3.connect(home / "cache" / "rows.sqlite")) as base, base:
        stored = base.execute("SELECT stage, key, value FROM row").fetchall()
        assert {"face", "embedding", "perceptual", "attack"} <= {stage for stage, *_ in stored}
        places = [(stage, key) for stage, key, _ in stored]
        moved = zip(exchanged([value for *_, value in stored]), places, strict=True)
        base.executemany(
            "UPDATE row SET value = ? WHERE stage = ? AND key = ?", [(value, *at) for value, at in moved]
        )
    result = run(home=home, **MATRIX)
    assert comparable(result.records) == comparable(undisturbed["records"])
    assert not any(record.cost.reused for record in result.records)
    assert len([line for line in caplog.messages if "computed again" in line]) == 1


def test_the_record_of_another_cell_is_refused(
    run: Run, undisturbed: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # with a right seal: whoever can write into a cache can make one
    home = tmp_path / "home"
    shutil.copytree(undisturbed["home"], home)
    cache = Cache(home)
    keys = sorted(path.name for path in (home / "cache" / "cell").rglob("*") if path.is_file())
    contents = [content for key in keys if (content := cache.file("cell", key))]
    for key, content in zip(keys, exchanged(contents), strict=True):
        cache.put_file("cell", key, content)
    result = run(home=home, **MATRIX)
    assert comparable(result.records) == comparable(undisturbed["records"])
    assert result.pipeline._cache.misses["cell"] == len(keys) == 4
    (line,) = [line for line in caplog.messages if "computed again" in line]
    assert line.startswith("4 stored results (cell)")
    for field, other in {
        "cell": "0" * 64,
        "seed": 1,
        "dose": 0.5,
        "budget": "linf:4",
        "knowledge": "black",
        "channel": "jpeg:75",
    }.items():
        document = json.loads(contents[0])
        document["record"][field] = other
        cache.put_file("cell", keys[0], json.dumps(document).encode())
        assert comparable(run(home=home, **MATRIX).records) == comparable(undisturbed["records"])
        assert "damaged or moved" in caplog.messages[-1], field
    for content in (b"", b"{", b"[]", b'{"record": 1, "tables": {}}', b'{"record": {}}', b"\xff"):
        cache.put_file("cell", keys[0], content)
        assert comparable(run(home=home, **MATRIX).records) == comparable(undisturbed["records"])
    cache.close()


def test_a_home_that_cannot_be_written_serves_what_it_has(
    run: Run, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    home = tmp_path / "disk"
    home.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(home)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        shutil.copytree(undisturbed["home"], home, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True)
        result = run(home=home, **MATRIX)
        assert [record.cost.reused for record in result.records] == [True] * 4
        assert comparable(result.records) == comparable(undisturbed["records"])
        with pytest.raises(UserError, match=r"cannot write results .*Make that disk writable"):
            run(home=home, **MATRIX | {"defenses": ("blur",)})
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)
