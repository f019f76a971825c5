"""Steps run while there is time; what they lack, break or do not reach is told, and is the exit status."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import gpu_check
import pytest

from measuring import setting, steps
from measuring.record import SCHEMA, VERSION, Figure, Record, StepResult, read
from measuring.running import MissingError, Step, run

SMALL = setting.small()


def kept(_: Any) -> Iterator[Figure]:
    yield Figure("net", "least cosine", 1.0, "1", "≥", 0.5)


def broken(_: Any) -> Iterator[Figure]:
    yield Figure("net", "least cosine", 0.25, "1", "≥", 0.5)


def undefined(_: Any) -> Iterator[Figure]:
    yield Figure("net", "error", math.nan, "1", "≤", 0.5)


def timed(_: Any) -> Iterator[Figure]:
    yield Figure("net", "embedding", 3.0, "crops/s")


def in_need(_: Any) -> Iterator[Figure]:
    yield Figure("net", "embedding", 3.0, "crops/s")
    raise MissingError("a CUDA device")


def broken_and_in_need(_: Any) -> Iterator[Figure]:
    yield Figure("net", "least cosine", 0.25, "1", "≥", 0.5)
    raise MissingError("a CUDA device")


def without_package(_: Any) -> Iterator[Figure]:
    importlib.import_module("a_package_that_nobody_has.inside")
    yield from ()


def without_module_of_ours(_: Any) -> Iterator[Figure]:
    importlib.import_module("bench.a_module_that_was_moved")
    yield from ()


def crashing(_: Any) -> Iterator[Figure]:
    yield Figure("net", "embedding", 3.0, "crops/s")
    raise ValueError("/home/somebody/secret")


def of(work: Callable[[Any], Iterator[Figure]], budget: float = 1) -> Step:
    return Step(work.__name__, "parity", budget, work)


def ran(*works: Callable[[Any], Iterator[Figure]], path: Path) -> Record:
    return run([of(work) for work in works], SMALL, Record(True, {}, {}, 100), path, lambda line: None)


@pytest.mark.parametrize(
    ("work", "status", "reason", "figures"),
    [
        (kept, "passed", "", 1),
        (broken, "failed", "", 1),
        (undefined, "failed", "", 1),
        (timed, "measured", "", 1),
        (in_need, "skipped", "needs a CUDA device", 1),
        (broken_and_in_need, "failed", "needs a CUDA device", 1),
        (without_package, "skipped", "needs a_package_that_nobody_has", 0),
        (without_module_of_ours, "crashed", "ModuleNotFoundError", 0),
        (crashing, "crashed", "ValueError", 1),
    ],
)
def test_how_a_step_ends(
    work: Callable[[Any], Iterator[Figure]], status: str, reason: str, figures: int, tmp_path: Path
) -> None:
    (result,) = ran(work, path=tmp_path / "r.json").steps
    assert (result.status, result.reason, len(result.figures)) == (status, reason, figures)
    assert "secret" not in (tmp_path / "r.json").read_text("utf-8")


def test_a_step_that_might_end_too_late_is_not_started(tmp_path: Path) -> None:
    # 10 s in all. The first step takes 4 of its 5; 6 are left: not enough for 7, enough for 6
    now = [0.0]

    def slow(_: Any) -> Iterator[Figure]:
        now[0] += 4
        yield Figure("net", "embedding", 3.0, "crops/s")

    plan = [Step("first", "speed", 5, slow), Step("long", "speed", 7, slow), Step("short", "speed", 6, slow)]
    lines: list[str] = []
    record = run(plan, SMALL, Record(True, {}, {}, 10), tmp_path / "r.json", lines.append, lambda: now[0])
    assert [step.status for step in record.steps] == ["measured", "not started", "measured"]
    assert record.steps[1].reason == "6 s were left, and it may take 7"
    assert [step.seconds for step in record.steps] == [4, 0, 4]
    assert record.seconds == 8
    assert lines[1] == "long: not started (0.0 s): 6 s were left, and it may take 7"


def test_the_record_is_whole_after_every_step(tmp_path: Path) -> None:
    path = tmp_path / "out" / "r.json"
    counts: list[int] = []

    def look(_: str) -> None:
        counts.append(len(json.loads(path.read_text("utf-8"))["steps"]))

    run([of(kept), of(timed), of(broken)], SMALL, Record(True, {}, {}, 100), path, look)
    assert counts == [1, 2, 3]
    assert [p.name for p in path.parent.iterdir()] == ["r.json"]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = ran(kept, broken, timed, undefined, in_need, path=tmp_path / "r.json")
    document = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert (document["schema"], document["schema_version"]) == (SCHEMA, VERSION)
    assert set(document) == {"schema", "schema_version", *(field.name for field in fields(Record))}
    for step in document["steps"]:
        assert set(step) == {field.name for field in fields(StepResult)}
        for figure in step["figures"]:
            assert set(figure) == {"passed", *(field.name for field in fields(Figure))}
    assert [f["passed"] for step in document["steps"] for f in step["figures"]] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert document["steps"][3]["figures"][0]["value"] is None
    again = read(document, "r.json")
    assert again.steps[:3] == record.steps[:3]
    assert math.isnan(again.steps[3].figures[0].value)
    with pytest.raises(SystemExit, match=r"r\.json is no record of gpu-check, version 1"):
        read(document | {"schema_version": 0}, "r.json")


@pytest.mark.parametrize(
    ("works", "seconds", "status"),
    [
        ([kept, timed, in_need, without_package], 100, 0),
        ([kept, broken], 100, 1),
        ([crashing], 100, 1),
        ([kept], 0, 3),
    ],
)
def test_exit_status(
    works: list[Callable[[Any], Iterator[Figure]]],
    seconds: int,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(steps, "STEPS", tuple(of(work) for work in works))
    path = tmp_path / "r.json"
    assert (
        gpu_check.main(["--dry", "--seconds", str(seconds), "--out", str(path), "--commit", "abc"]) == status
    )
    *_, last = capsys.readouterr().err.splitlines()
    assert last.endswith(f"{path} says nothing about a GPU")
    document = json.loads(path.read_text("utf-8"))
    assert document["dry"] is True
    assert document["machine"]["card"] is None
    assert document["machine"]["commit"] == "abc"
    assert document["limit_seconds"] == seconds


def test_without_a_gpu_one_line_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "STEPS", ())
    monkeypatch.setattr("bench.machine.devices._no_driver", lambda: True)
    assert gpu_check.main(["--out", str(tmp_path / "r.json")]) == 0
    first, *_ = capsys.readouterr().err.splitlines()
    assert first == "gpu-check: no CUDA device is here. The steps run small on the CPU, as with --dry."


def test_a_device_that_is_not_there_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu_check.main(["--device", "cuda:99"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "'cuda:99' asked for" in line


def test_the_plan_fits_into_eight_minutes_and_has_no_name_twice() -> None:
    names = [step.name for step in steps.STEPS]
    assert len(names) == len(set(names))
    first = [step for step in steps.STEPS if "," not in step.name]  # built-in encoders, which need no package
    assert sum(step.budget for step in first) <= gpu_check.SECONDS < 480
    assert steps.STEPS[: len(first)] == tuple(first)
