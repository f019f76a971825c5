"""Whatever becomes of workers: what is lost is tried again, and who loses workers is set aside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from bench.engines import drive as drive_file
from bench.engines.drive import TRIES, drive
from bench.engines.pool import Ended
from bench.engines.schedule import Want
from bench.engines.tasks import Answer, Fault, Job, Task
from bench.errors import RefusedError, UserError
from bench.experiment.elsewhere import Elsewhere, FaultElsewhere, reason_of
from bench.experiment.shares import Share
from bench.machine.progress import Silent

JOB = Job((), "home", None, 1)


@dataclass
class Scripted:
    """A pool whose tasks end as a function says, one after another."""

    ends: Callable[[Task], Ended]
    places: int = 2
    handed: list[list[str]] = field(default_factory=list)
    waiting: list[Task] = field(default_factory=list)

    def submit(self, tasks: Sequence[Task]) -> None:
        self.handed += [list(task.cells) for task in tasks]
        self.waiting += tasks

    def wait(self) -> list[Ended]:
        return [self.ends(self.waiting.pop(0))]

    def close(self) -> None:
        pass


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Elsewhere, Scripted]]:
    """Drive cells that all need the same view, `view`, with a scripted pool."""
    monkeypatch.setattr(
        drive_file, "misfit", lambda cell: "" if cell.digest != "misfit" else "it does not fit"
    )

    def go(
        names: Sequence[str],
        ends: Callable[[Task], Ended],
        stored: Sequence[str] = (),
        kinds: Sequence[tuple[str, int]] = (),
        places: int = 2,
    ) -> tuple[Elsewhere, Scripted]:
        cells = [SimpleNamespace(digest=name) for name in names]
        want = Want(("view",), (list(kinds),), as_it_is=True)
        monkeypatch.setattr(Want, "of", lambda cell, run, plan: want)
        pipeline: Any = SimpleNamespace(
            plan=SimpleNamespace(cells=cells),
            key=lambda cell: f"key of {cell.digest}",
            is_stored=lambda cell: cell.digest in stored,
        )
        pool = Scripted(ends, places)
        return drive(JOB, [pipeline], pool, Silent()), pool

    return go


def well(task: Task) -> Ended:
    return Ended(task, Answer())


def test_only_what_the_store_lacks_is_handed_over(driven: Any) -> None:
    elsewhere, pool = driven(["a", "b", "misfit", "c"], well, stored=["b"])
    assert pool.handed == [["a"], ["c"]]
    assert elsewhere == Elsewhere()


def test_who_was_lost_together_is_tried_alone_and_the_guilty_one_is_set_aside(driven: Any) -> None:
    def ends(task: Task) -> Ended:
        return Ended(task, None, "signal SIGKILL ended it") if "bad" in task.cells else well(task)

    elsewhere, pool = driven(["first", "good", "bad", "fine"], ends)
    assert pool.handed[:2] == [["first"], ["good", "bad", "fine"]]
    assert sorted(map(str, pool.handed[2:])) == sorted(map(str, [["good"], ["fine"], *[["bad"]] * TRIES]))
    (fault,) = elsewhere.faults.values()
    assert elsewhere.faults.keys() == {"bad"}
    assert (
        reason_of(fault)
        == f"{TRIES} workers were lost that computed it; the last one: signal SIGKILL ended it"
    )
    assert elsewhere.attempts == {"good": 2, "fine": 2, "bad": 2 + TRIES}


def test_a_cell_that_comes_back_tells_at_which_try(driven: Any) -> None:
    tries: list[str] = []

    def ends(task: Task) -> Ended:
        tries.extend(task.cells)
        lost = list(task.cells) == ["a"] and tries.count("a") < TRIES
        return Ended(task, None, "gone") if lost else well(task)

    elsewhere, _ = driven(["a", "b"], ends)
    assert elsewhere.attempts == {"a": TRIES} and not elsewhere.faults


def test_what_was_stored_before_a_worker_was_lost_is_done(driven: Any) -> None:
    stored: list[str] = []

    def ends(task: Task) -> Ended:
        if len(task.cells) == 3 and not stored:
            stored.append("b")  # and then the worker is lost
            return Ended(task, None, "gone")
        return well(task)

    elsewhere, pool = driven(["a", "b", "c", "d"], ends, stored=stored)
    assert pool.handed == [["a"], ["b", "c", "d"], ["c"], ["d"]]
    assert elsewhere.attempts == {"c": 2, "d": 2}


def test_a_fault_of_a_cell_is_told_and_the_others_go_on(driven: Any) -> None:
    said = Answer(
        {
            "b": Fault("ValueError", "no good", "Traceback…"),
            "c": Fault("RefusedError", "too few", refused=True),
        }
    )
    elsewhere, _ = driven(
        ["a", "b", "c", "d"], lambda task: Ended(task, said if "b" in task.cells else Answer())
    )
    assert reason_of(elsewhere.faults["b"]) == "ValueError: no good"
    assert isinstance(elsewhere.faults["b"], FaultElsewhere)
    assert elsewhere.faults["b"].__notes__ == ["Traceback…"]
    assert isinstance(elsewhere.faults["c"], RefusedError) and reason_of(elsewhere.faults["c"]) == "too few"


def test_what_concerns_all_cells_ends_the_run(driven: Any) -> None:
    with pytest.raises(UserError, match="the disk is full"):
        driven(["a", "b"], lambda task: Ended(task, Answer(refused="the disk is full")))


def test_tasks_and_answers_survive_as_text() -> None:
    task = Task(Job(({"defense": ["none"]},), "home", None, 2), {"a": "key"})
    assert Task.from_text(task.to_text()) == task
    answer = Answer({"a": Fault("ValueError", "no\ngood", "trace")}, "")
    assert Answer.from_text(answer.to_text()) == answer
    assert "\n" not in task.to_text() + answer.to_text()


def test_parts_are_handed_over_before_the_cell_that_needs_them(driven: Any) -> None:
    shares: list[Share | None] = []

    def ends(task: Task) -> Ended:
        shares.append(task.share)
        return well(Task.from_text(task.to_text()))

    elsewhere, pool = driven(["a", "b"], ends, kinds=[("cloak", 2), ("look", 1)])
    assert shares == [Share("cloak", 0, 2), Share("cloak", 1, 2), Share("look", 0, 1), None, None]
    assert pool.handed == [["a"], ["a"], ["a"], ["a"], ["b"]]
    assert elsewhere == Elsewhere()


def test_one_worker_makes_no_parts(driven: Any) -> None:
    _, pool = driven(["a"], well, kinds=[("cloak", 2)], places=1)
    assert pool.handed == [["a"]]


def test_a_part_that_is_lost_with_its_worker_is_left_to_the_cell(
    driven: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def ends(task: Task) -> Ended:
        return Ended(task, None, "gone") if task.share else well(task)

    elsewhere, pool = driven(["a"], ends, kinds=[("cloak", 2)])
    assert pool.handed == [["a"], ["a"], ["a"]]
    assert elsewhere == Elsewhere()  # nothing is counted against the cell
    assert "a worker was lost (gone) with a part of what a cell needs" in caplog.text


def test_a_part_with_an_error_is_told_and_left_to_the_cell(
    driven: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def ends(task: Task) -> Ended:
        return Ended(task, Answer({"a": Fault("ValueError", "no good")} if task.share else {}))

    elsewhere, pool = driven(["a"], ends, kinds=[("cloak", 2)])
    assert pool.handed == [["a"], ["a"], ["a"]]
    assert elsewhere == Elsewhere()
    assert "a part of what cell a needs: ValueError: no good" in caplog.text


def test_a_part_that_cannot_be_made_for_a_reason_of_all_ends_the_run(driven: Any) -> None:
    with pytest.raises(UserError, match="other code"):
        driven(["a"], lambda task: Ended(task, Answer(refused="other code")), kinds=[("cloak", 2)])
