"""Runs steps one after another while there is time, and writes the record after each."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from measuring.record import Figure, Kind, Record, Status, StepResult
from measuring.setting import Setting

_OWN = ("bench", "measuring")
"""A module of ours that is not found is a fault, and no package that is missing."""


class MissingError(Exception):
    """What a step cannot do without, and this machine lacks."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a check.

    Attributes:
        name: in the record; unique.
        kind: what its figures are.
        budget: seconds that it is expected to take at most; it is not started when fewer are left.
        work: yields the figures one by one. A module that cannot be found, or `MissingError`, skips the step.
    """

    name: str
    kind: Kind
    budget: float
    work: Callable[[Setting], Iterable[Figure]]


def run(
    steps: Sequence[Step],
    setting: Setting,
    record: Record,
    path: Path,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Record:
    """Run the steps, each only if its budget fits into the time that is left.

    Args:
        steps: in order.
        setting: how large they are, and on which device.
        record: without steps; its limit counts from now.
        path: where the record is written, anew after every step.
        say: is given a line for each step as it ends.
        clock: seconds that only grow.
    """
    began = clock()
    record.write(path)
    for step in steps:
        left = record.limit_seconds - (clock() - began)
        result = _result(step, setting, clock) if step.budget <= left else _not_started(step, left)
        record = replace(record, seconds=clock() - began, steps=(*record.steps, result))
        record.write(path)
        say(told(result))
    return record


def told(result: StepResult) -> str:
    """One line about one step: its status, why, and every figure that breaks its limit."""
    more = "; ".join(filter(None, [result.reason, *broken(result)]))
    return f"{result.name}: {result.status} ({result.seconds:.1f} s){': ' if more else ''}{more}"


def broken(result: StepResult) -> list[str]:
    """Every figure of a step that breaks its limit, in words."""
    return [
        f"{f.subject}: {f.what} {f.value:.6g}, not {f.sign} {f.limit:g}"
        for f in result.figures
        if f.limit is not None and not f.passed
    ]


def _not_started(step: Step, left: float) -> StepResult:
    reason = f"{max(left, 0):.0f} s were left, and it may take {step.budget:.0f}"
    return StepResult(step.name, step.kind, "not started", reason, step.budget)


def _result(step: Step, setting: Setting, clock: Callable[[], float]) -> StepResult:
    began = clock()
    figures: list[Figure] = []
    ended: Status | None = None
    reason = ""
    try:
        figures.extend(step.work(setting))  # keeps what came before an error
    except MissingError as error:
        ended, reason = "skipped", f"needs {error}"
    except Exception as error:  # noqa: BLE001 - a step must not take the others with it; the status says so
        module = (getattr(error, "name", None) or "").partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and module not in _OWN:
            ended, reason = "skipped", f"needs {module}"
        else:
            traceback.print_exc()
            ended, reason = "crashed", type(error).__name__
    return StepResult(
        step.name, step.kind, _status(ended, figures), reason, step.budget, clock() - began, tuple(figures)
    )


def _status(ended: Status | None, figures: Sequence[Figure]) -> Status:
    """A figure that breaks its limit fails a step even if the rest of the step is skipped."""
    if ended == "crashed":
        return ended
    if not all(figure.passed for figure in figures):
        return "failed"
    return ended or ("passed" if any(figure.limit is not None for figure in figures) else "measured")
