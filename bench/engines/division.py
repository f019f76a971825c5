"""How the work of a run is divided among workers, before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.engines.names import parse
from bench.engines.schedule import Want
from bench.engines.simulation import simulate
from bench.experiment.forecast import Forecast, forecast
from bench.machine.progress import Progress
from bench.plan.cells import Cell, Plan
from bench.plan.spec import RunSpec

_ANY = 100_000
"""As many workers as there may be tasks."""

USUAL = 100
"""Workers that a cluster is taken to have which nobody can ask."""


@dataclass(frozen=True)
class Division:
    """How the work of a run is divided.

    Attributes:
        engine: As `--engine` takes it.
        workers: How many there are; of a cluster that says it itself, `USUAL`.
        tasks: How many tasks there are.
        most: How many tasks are at work at once, at most.
        seconds: From begin to end, simulated by what stages took; workers that start, and a store that is far
            away, take longer.
        alone: The same with one worker.
        longest: The same with any number of workers: what comes after something else that it
            needs.
        networks: How many networks the view of a cell has, at most: each worker holds so many.
    """

    engine: str
    workers: int
    tasks: int
    most: int
    seconds: float
    alone: float
    longest: float
    networks: int


def divided(
    asked: RunSpec | Sequence[RunSpec], engine: str, progress: Progress | None = None
) -> tuple[Forecast, Division]:
    """Look at a matrix as `forecast` does, and at its division.

    Args:
        asked: The matrix, or several.
        engine: As `--engine` takes it, but not `local`.
        progress: Told of cells.

    Raises:
        UserError: There is no such engine, or anything that `forecast` refuses.
    """
    workers = parse(engine).count or USUAL
    wants: dict[str, Want] = {}
    work: dict[str, Mapping[str, float]] = {}
    networks = 0

    def heed(run: int, cell: Cell, plan: Plan, spent: Mapping[str, float]) -> None:
        nonlocal networks
        wants[cell.digest] = Want.of(cell, run, plan)
        work[cell.digest] = spent
        networks = max(networks, len(cell.view.members))

    made = forecast(asked, progress, heed)
    several, one, all_at_once = (simulate(wants, work, n) for n in (workers, 1, _ANY))
    return made, Division(
        engine,
        workers,
        several.tasks,
        several.most,
        several.seconds,
        one.seconds,
        all_at_once.seconds,
        networks,
    )
