"""Runs from what was asked to records: what the command line and `bench.run` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import registry
from bench.costs.measured import Measured
from bench.costs.measured import keep as keep_costs
from bench.costs.meter import Meter
from bench.errors import UserError
from bench.experiment.elsewhere import Elsewhere
from bench.experiment.pipeline import Pipeline, Tables
from bench.experiment.stages import CONTROL, DISTRACTOR_PHOTOS
from bench.experiment.unused import told
from bench.faces.finder import detector_parameters
from bench.machine.devices import device
from bench.machine.progress import Progress, Silent
from bench.photos.reasons import kind_of
from bench.plan.cells import Plan
from bench.plan.chosen import Chosen
from bench.plan.manifest import taken
from bench.plan.resolve import check_size, resolve
from bench.plan.spec import RunSpec
from bench.protocols import Dataset
from bench.records.files import Records
from bench.records.record import CellRecord
from bench.store.cache import Cache
from bench.store.folders import folders
from bench.types import Folders

Ahead = Callable[[Sequence[RunSpec], Sequence[Pipeline], Folders, Progress], Elsewhere]
"""What has the cells of runs computed ahead of them: by specs and pipelines, one of each a run."""


@dataclass(frozen=True)
class RunResult:
    """What came of a run, or of several.

    Attributes:
        records: of all cells, in order.
        tables: cell digest -> its per-user and per-photo tables.
        faults: what made cells fail, if any did.
        pipelines: one a run, with which released photos can be looked at again.
        notes: what the user should know besides.
        costs: what its stages took, by kind of work; of cells that came from the cache there is nothing.
        asked: how many cells were asked for, those that were left out among them.
    """

    records: Records
    tables: dict[str, Tables]
    faults: list[BaseException]
    pipelines: tuple[Pipeline, ...]
    notes: list[str]
    costs: list[Measured]
    asked: int

    @property
    def pipeline(self) -> Pipeline:
        """Of the first run."""
        return self.pipelines[0]


def execute(
    asked: RunSpec | Sequence[RunSpec],
    progress: Progress | None = None,
    done: Callable[[CellRecord], None] | None = None,
    begin: Callable[[Sequence[str]], None] | None = None,
    ahead: Ahead | None = None,
    *,
    stored_only: bool = False,
) -> RunResult:
    """Run a matrix, or several one after another. What was computed before a fault or a kill is kept.

    All of them are resolved before the first one starts; a cell that two of them have is run once.

    Args:
        asked: The matrix, or several.
        progress: Told of every stage.
        done: Is handed each record as soon as it is there.
        begin: Is handed the digests of all cells before the work starts, and may refuse them.
        ahead: Has the cells computed by other processes, into the same store; None for this process alone.
        stored_only: Whether cells that are not in the store are left out, and nothing is computed.

    Raises:
        UserError: for anything the user can mend. Where some cells were refused and others went well, it is
            among the run's faults instead.
    """
    specs = (asked,) if isinstance(asked, RunSpec) else tuple(asked)
    check_size(specs)
    where = folders()
    cache = Cache(Path(where.home))
    try:
        plans = [resolve(spec, where, detector_parameters(), device(spec.device), progress) for spec in specs]
        distinct = distinct_cells(plans)
        meter = cache.listener = metered(distinct, progress)
        pipelines = tuple(Pipeline(each, where, cache, meter) for each in distinct)
        tables: dict[str, Tables] = {}
        if begin:
            begin([cell.digest for each in pipelines for cell in each.plan.cells])
        asked_for = sum(len(each.plan.cells) for each in pipelines)
        if stored_only:
            for each in pipelines:
                each.leave_out()
        if ahead:
            elsewhere = ahead(specs, pipelines, where, progress or Silent())
            for each in pipelines:
                each.elsewhere = elsewhere

        total = sum(len(each.plan.cells) for each in pipelines)
        teller = progress if progress and total > 1 else Silent()
        with teller.stage("cells", total) as advance:

            def keep(record: CellRecord, rows: Tables) -> None:
                tables[record.cell] = rows
                meter.finish(record)
                advance()
                if done:
                    done(record)

            try:
                records = Records(record for pipeline in pipelines for record in pipeline.run(keep))
            finally:
                cache.listener = None
                keep_costs(meter.measured, cache)
        faults = [fault for pipeline in pipelines for fault in pipeline.faults]
        if faults and isinstance(faults[0], UserError) and not any(r.status == "ok" for r in records):
            raise faults[0]
        notes = [taken(each.data.card.name, each.splits[0]) for each in plans]
        notes += [note for each in plans for note in left_out(each.data)]
        notes += told((rows["unused"] for rows in tables.values() if rows), _names(plans))
        return RunResult(
            records, tables, faults, pipelines, list(dict.fromkeys(notes)), meter.measured, asked_for
        )
    finally:
        cache.close()


def metered(plans: Sequence[Plan], progress: Progress | None) -> Meter:
    """What measures the cost of a run, in the place of its progress.

    Args:
        plans: What is run.
        progress: Is told of every stage.
    """
    control = Chosen(*registry.make("defenses", CONTROL))
    return Meter(progress or Silent(), plans, control, DISTRACTOR_PHOTOS)


def distinct_cells(plans: Sequence[Plan]) -> list[Plan]:
    """The same plans, each without the cells of those before."""
    seen: set[str] = set()
    out = []
    for each in plans:
        out.append(replace(each, cells=tuple(cell for cell in each.cells if cell.digest not in seen)))
        seen |= {cell.digest for cell in each.cells}
    return out


def _names(plans: Sequence[Plan]) -> dict[str, str]:
    """The digest of each photo that plays a part -> its name."""
    return {
        each.data.digest(photo): photo for each in plans for split in each.splits for photo in split.photos
    }


def left_out(data: Dataset) -> list[str]:
    """One line for each kind of reason why files of a data set are not used, with one of them by its name."""
    kinds: dict[str, list[str]] = {}
    for name, why in data.catalogue().left_out.items():
        kinds.setdefault(kind_of(why), []).append(name)
    return [
        f"data set {data.card.name!r}: {len(names)} not used: {kind} (such as {names[0]}; "
        "'bench manifest --left-out' names all)"
        for kind, names in kinds.items()
    ]
