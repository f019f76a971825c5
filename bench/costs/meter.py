"""Measures what stages take while they run, from outside: no stage knows of it.

Every stage tells its progress, and asks the store for results and puts results there. The time between two
such moments is the time of what is put at the second. So nothing that decides a result has to be touched to
measure it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import takewhile

from bench.costs import work
from bench.costs.company import Shared, collection_size, looking_together, names, tuning_key, view_key
from bench.costs.measured import Measured, Spent
from bench.costs.work import Work
from bench.machine.hardware import hardware
from bench.machine.memory import peak_memory
from bench.machine.progress import Advance, Progress
from bench.plan.cells import Cell, Plan
from bench.plan.chosen import Chosen
from bench.plan.nouns import Cloaking
from bench.records.record import CellRecord

AS_THEY_ARE = "publish photos as they are"
"""What progress says where nothing is cloaked."""

_DECODED = ("detect photos to cloak", "detect reference people")
"""What progress says where faces are found in photos that are in memory already."""

_KEYED = ("cell", "cloak")
"""Stages of the store whose keys hold the code of much else, which is read for the first of them."""

_KEY = "key"

_COUNTED = {"perceptual": "measure", "residuals": "residuals"}
"""Stage of the store -> the kind of work, where it depends on the data set alone."""


@dataclass
class _Lap:
    """The time until something was put into the store.

    Attributes:
        stage: The stage of the store.
        during: The stage that progress is told of; empty for none.
        spent: The time, and how many results were put.
    """

    stage: str
    during: str
    spent: Spent


class Meter:
    """Listens to the progress and to the store of a run.

    Attributes:
        measured: What was measured so far.
    """

    def __init__(self, listener: Progress, plans: Sequence[Plan], control: Chosen, strangers: int) -> None:
        """Start the clock.

        Args:
            listener: Is told of all progress.
            plans: What is run, all on one device.
            control: The defense that cells are compared with.
            strangers: The number of photos of a simulated stranger.
        """
        self._listener, self._control, self._strangers = listener, control, strangers
        self._device = plans[0].device
        self._numbers = {cell.digest: number for number, plan in enumerate(plans) for cell in plan.cells}
        self._splits = {cell.digest: plan.splits[cell.repetition] for plan in plans for cell in plan.cells}
        self._cells = {cell.digest: cell for plan in plans for cell in plan.cells}
        self._together = {
            cell.digest: together[cell.view.detector_name]
            for plan in plans
            for together in [looking_together(plan.cells)]
            for cell in plan.cells
        }
        self._machine = hardware(self._device)
        self._laps: list[_Lap] = []
        self._group: _Lap | None = None
        self._open: list[str] = []
        self._last_lookup = self._last_stage = ""
        self._shared = Shared()
        self._tallies: dict[str, Measured] = {}
        self._mark = self._began = _now()

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Advance]:
        """See `bench.machine.progress.Progress`."""
        self._open.append(name)
        try:
            with self._listener.stage(name, total) as advance:

                def told(count: int = 1) -> None:
                    self._advanced(count)
                    advance(count)

                yield told
        finally:
            self._last_stage = self._open.pop()

    def asked(self, stage: str) -> None:
        """See `bench.store.cache.Listener`. What was done since the last moment led to no result.

        But keys are made before cells and cloaks are looked up, and photos are read after that.
        """
        if stage in _KEYED:
            self._lap(_KEY, 0)
        elif self._last_lookup == "cloak" and stage == "face":
            self._lap("read", 0)
        self._last_lookup = stage
        self._mark = _now()

    def stored(self, stage: str, count: int) -> None:
        """See `bench.store.cache.Listener`."""
        self._last_lookup = ""
        self._lap(stage, count)

    def finish(self, record: CellRecord) -> None:
        """Add what was measured since the last cell; of a cell that was not computed there is nothing.

        Args:
            record: Of the cell.
        """
        laps, self._laps = self._laps, []
        began, self._began = self._began, _now()
        if record.status != "ok" or record.cost.reused:
            return
        cell = self._cells[record.cell]
        whole = Spent(1, self._began.seconds - began.seconds, self._began.core_seconds - began.core_seconds)
        keys = (lap.spent for lap in laps if lap.stage == _KEY)
        for what, spent in ((work.starting(), sum(keys, Spent(1))), *self._named(cell, laps)):
            if spent.times:
                self._add(what, spent)
                whole = Spent(1, whole.seconds - spent.seconds, whole.core_seconds - spent.core_seconds)
        tuned = self._shared.meet("tuned", self._numbers[cell.digest], tuning_key(cell))
        met = self._shared.meet("view", self._numbers[cell.digest], view_key(cell))
        calibration = sum(map(len, self._splits[cell.digest].calibration))
        rest = work.attacking(cell, self._size(cell) + calibration, tuned=tuned, met=met)
        self._add(rest, Spent(1, max(whole.seconds, 0.0), max(whole.core_seconds, 0.0)))

    def finish_part(self, digest: str) -> None:
        """Add what was measured since the last cell: a part of what a cell needs, made ahead of it.

        Args:
            digest: Of the cell.
        """
        laps, self._laps = self._laps, []
        self._began = _now()
        for what, spent in self._named(self._cells[digest], laps):
            if spent.times:
                self._add(what, spent)

    def _named(self, cell: Cell, laps: Sequence[_Lap]) -> Iterator[tuple[Work, Spent]]:
        control = replace(cell.cloaking, defense=self._control, surrogates=())
        return _named(cell, control, laps, self._together[cell.digest], self._size(cell))

    @property
    def measured(self) -> list[Measured]:
        """What was measured so far, one for each kind of work."""
        return list(self._tallies.values())

    def _size(self, cell: Cell) -> int:
        return collection_size(cell, self._splits[cell.digest], self._strangers)

    def _lap(self, stage: str, count: int) -> None:
        now = _now()
        during = self._open[-1] if self._open else self._last_stage
        took = Spent(count, now.seconds - self._mark.seconds, now.core_seconds - self._mark.core_seconds)
        self._laps.append(_Lap(stage, during, took))
        if stage == "cloak":
            self._group = self._laps[-1]
        self._mark = now

    def _advanced(self, count: int) -> None:
        """Say of a group of photos, which is stored as one, how many photos it has."""
        if self._group is not None and self._group.during == self._open[-1]:
            self._group.spent = replace(self._group.spent, times=count)
            self._group = None

    def _add(self, what: Work, spent: Spent) -> None:
        key = json.dumps([what.kind, what.noun, what.size], sort_keys=True)
        before = self._tallies.get(key)
        if before is None:
            self._tallies[key] = Measured(what, Spent(), spent, peak_memory(), self._device, self._machine)
        else:
            self._tallies[key] = replace(before, spent=before.spent + spent, peak_memory_mib=peak_memory())


def _now() -> Spent:
    return Spent(0, time.monotonic(), time.process_time())


def _named(
    cell: Cell, control: Cloaking, laps: Sequence[_Lap], together: Sequence[str], size: int
) -> Iterator[tuple[Work, Spent]]:
    """The laps of a cell by what was done in them; one whose work cannot be told is left out.

    Args:
        cell: The cell.
        control: The cloaking of the cell's control.
        laps: In their order.
        together: The encoders that may have looked together.
        size: How many photos the attacker looks through.
    """
    dataset, view = str(cell.dataset["name"]), cell.view
    own = names(view)
    every = tuple(dict.fromkeys((*own, *together)))
    read = Spent()
    for place, lap in enumerate(laps):
        if lap.stage in ("read", _KEY):
            read = lap.spent if lap.stage == "read" else Spent()
        elif lap.stage == "cloak":
            ours = lap.during in (f"cloak {cell.cloaking}", AS_THEY_ARE)
            yield work.cloaking(cell.cloaking if ours else control, dataset), lap.spent + read
            read = Spent()
        elif lap.stage == "face":
            through = list(takewhile(lambda later: later.stage == "embedding", laps[place + 1 :]))
            if lap.spent.times:
                decoded = lap.during in _DECODED
                yield work.detecting(dataset, view.detector_name, view.channel, decoded=decoded), lap.spent
            elif photos := max((other.spent.times for other in through), default=0):
                yield work.reading(dataset, view.channel), replace(lap.spent, times=photos)
            encoders = {len(every): every, len(own): own}.get(len(through), ())
            for encoder, embedded in zip(encoders, through, strict=False):
                yield work.embedding(encoder, view), embedded.spent
        elif lap.stage == "told":
            yield work.training(lap.during.removeprefix("train "), view), lap.spent
        elif lap.stage == "denoiser":
            yield work.denoising(view), lap.spent
        elif lap.stage == "attack":
            yield work.answering(cell, size), lap.spent
        elif lap.stage in _COUNTED:
            yield Work(_COUNTED[lap.stage], {"dataset": dataset}), lap.spent
