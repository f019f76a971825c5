"""What a run would be: its cells, what of them is in the store, and what the rest takes on this machine."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from bench.board.coverage import companies, judged_by
from bench.board.tracks import defense, tracks
from bench.costs.carried import carried
from bench.costs.estimate import Estimate, estimate
from bench.costs.measured import kept
from bench.costs.prices import Prices
from bench.costs.work import Work
from bench.experiment.rehearsal import NOT_COMPUTED, Rehearsal
from bench.experiment.session import distinct_cells
from bench.faces.finder import detector_parameters
from bench.machine.devices import device
from bench.machine.hardware import hardware
from bench.machine.progress import Progress, Silent
from bench.plan.cells import Cell, Plan
from bench.plan.resolve import check_size, resolve
from bench.plan.spec import RunSpec
from bench.records.record import CellRecord
from bench.store.cache import Cache
from bench.store.folders import folders
from bench.store.only_reading import only_reading
from bench.uncertainty.power import smallest_detectable_difference


@dataclass(frozen=True)
class Cells:
    """Cells that agree in their scenario, channel and budget.

    Attributes:
        scenario: The scenario's name.
        channel: What lies between a photo and the attacker.
        budget: How far a released photo may be from its original.
        cells: How many there are.
        cached: How many are in the store.
        skipped: How many are skipped, because the attacker does not fit the scenario.
    """

    scenario: str
    channel: str
    budget: str
    cells: int
    cached: int
    skipped: int


@dataclass(frozen=True)
class Detectable:
    """The smallest difference that a run can show.

    Attributes:
        users: The number of users.
        draws: The number of draws.
        pairs: How many pairs of defenses the board compares, over which Holm corrects; at least 1.
        difference: The smallest difference of two rates around one half that is found four times of five;
            None where so few users can show none.
    """

    users: int
    draws: int
    pairs: int
    difference: float | None


@dataclass(frozen=True)
class Forecast:
    """What a run would be.

    Attributes:
        cells: How many records it makes.
        cached: How many of these are in the store already.
        skipped: How many are skipped.
        to_compute: How many are computed.
        tracks: The cells by scenario, channel and budget.
        photos: How many photos an attacker has to look at.
        embeddings: How many embeddings are to be computed.
        embeddings_cached: How many of those that cells to compute need are in the store.
        cloaks: How many photos are to be cloaked.
        cloaks_cached: How many of those that cells to compute need are in the store.
        device: What computes.
        machine: The name that the processor or the card gives itself.
        estimate: What it takes.
        gpu_hours: Hours of a card; None where none computes.
        detectable: What it could show, for each number of users and draws.
    """

    cells: int
    cached: int
    skipped: int
    to_compute: int
    tracks: tuple[Cells, ...]
    photos: int
    embeddings: int
    embeddings_cached: int
    cloaks: int
    cloaks_cached: int
    device: str
    machine: str
    estimate: Estimate
    gpu_hours: float | None
    detectable: tuple[Detectable, ...]


Heed = Callable[[int, Cell, Plan, Mapping[str, float]], None]
"""Is told of each cell that a run would compute: the number of its run, the cell, its plan, and kind of work
-> the seconds of what no cell before it does."""

_Mark = tuple[int, Cell, Plan, dict[str, tuple[Work, int]]]


def forecast(
    asked: RunSpec | Sequence[RunSpec], progress: Progress | None = None, heed: Heed | None = None
) -> Forecast:
    """Look at a matrix, or at several one after another, as `bench.experiment.session.execute` runs them.

    Nothing is computed, and `BENCH_HOME` is left as it is.

    Args:
        asked: The matrix, or several.
        progress: Told of cells.
        heed: Told of cells that are to be computed; None for nobody.

    Raises:
        UserError: for anything that `execute` would refuse before it starts.
    """
    specs = (asked,) if isinstance(asked, RunSpec) else tuple(asked)
    check_size(specs)
    where = folders()
    with only_reading():
        cache = Cache(Path(where.home))
        try:
            plans = [
                resolve(spec, where, detector_parameters(), device(spec.device), progress) for spec in specs
            ]
            rehearsal: Rehearsal | None = None
            records: list[CellRecord] = []
            total = sum(len(plan.cells) for plan in distinct_cells(plans))
            marks: list[_Mark] = []
            with (progress or Silent()).stage("look at cells", total) as advance:
                for number, plan in enumerate(distinct_cells(plans)):
                    rehearsal = Rehearsal(plan, where, cache, rehearsal)
                    for cell in plan.cells:
                        record, _ = rehearsal.run_cell(cell)
                        records.append(record)
                        if heed and record.error == NOT_COMPUTED:
                            marks.append((number, cell, plan, rehearsal.ledger.so_far()))
                        advance()
            computer = plans[0].device
            machine = hardware(computer)
            here = [one for one in kept(cache) if (one.machine, one.device) == (machine, computer)]
        finally:
            cache.close()
    assert rehearsal is not None
    ledger = rehearsal.ledger
    prices = Prices(here, carried(computer))
    costs = estimate(ledger, prices)
    if heed:
        _tell(heed, marks, prices)
    states = Counter(map(_state, records))
    return Forecast(
        len(records),
        states["cached"],
        states["skipped"],
        states["open"],
        _tracks(records),
        rehearsal.photos,
        ledger.count("embed"),
        ledger.held["embed"],
        ledger.count("cloak"),
        ledger.held["cloak"],
        computer,
        machine,
        costs,
        costs.seconds / 3600 if computer.startswith("cuda") else None,
        _detectable(plans, records),
    )


def _tell(heed: Heed, marks: Sequence[_Mark], prices: Prices) -> None:
    """Tell of cells, by how much of each kind of work there was after each."""
    seconds = {
        name: prices.of(work).piece.seconds
        for _, _, _, so_far in marks[-1:]
        for name, (work, _) in so_far.items()
    }
    before: dict[str, tuple[Work, int]] = {}
    for number, cell, plan, so_far in marks:
        spent: dict[str, float] = defaultdict(float)
        for name, (work, n) in so_far.items():
            new = n - before[name][1] if name in before else n
            spent[work.kind] += seconds[name] * new if new else 0.0
        heed(number, cell, plan, spent)
        before = so_far


def _state(record: CellRecord) -> str:
    if record.status == "skipped":
        return "skipped"
    return "open" if record.error == NOT_COMPUTED else "cached"


def _tracks(records: Iterable[CellRecord]) -> tuple[Cells, ...]:
    counts: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for record in records:
        counts[record.scenario.name, record.channel, record.budget][_state(record)] += 1
    return tuple(
        Cells(*key, sum(states.values()), states["cached"], states["skipped"])
        for key, states in counts.items()
    )


def _detectable(plans: Sequence[Plan], records: Sequence[CellRecord]) -> tuple[Detectable, ...]:
    pairs = max(1, _pairs(records))
    sizes = dict.fromkeys((len(plan.splits[0].released), plan.spec.draws) for plan in plans)
    return tuple(Detectable(users, draws, pairs, _least(users, draws, pairs)) for users, draws in sizes)


def _least(users: int, draws: int, pairs: int) -> float | None:
    least = smallest_detectable_difference(users, draws, rate=None, comparisons=pairs)
    return None if math.isnan(least) else least


def _pairs(records: Sequence[CellRecord]) -> int:
    """How many pairs of rows the panel compares, if every row is complete and none is weak."""
    cells = [record for record in records if record.status != "skipped" and record.level != "oracle"]
    places = tracks(cells)
    company = companies(cells, places)
    rows: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for record in cells:
        place, row = places[record.cell], defense(record)
        for figure in judged_by(record):
            rows[figure, place, *company[place, row]].add(row)
    return sum(1 for names in rows.values() for _ in combinations(names, 2))
