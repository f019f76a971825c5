"""A cell again: from its record to its photos and embeddings, which no record holds.

The options are read off the record. The cell is the same one if its digest is the same. Last digits may
differ from machine to machine; if a main rate differs, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench import adaptations, registry
from bench.errors import UserError
from bench.experiment.pipeline import Pipeline, Tables
from bench.faces.finder import detector_parameters
from bench.machine.devices import device
from bench.machine.progress import Progress
from bench.plan.cells import Cell, Plan
from bench.plan.doors import PYTHON
from bench.plan.resolve import resolve
from bench.plan.scenarios import PROTOCOL
from bench.plan.spec import RunSpec, read_options
from bench.recognition.embedded import Embedded
from bench.records.columns import FURTHER
from bench.records.record import CLEAN_TOO as MAIN
from bench.records.record import CellRecord, Named
from bench.store.cache import Cache
from bench.store.folders import folders
from bench.types import Image, Labels


@dataclass(frozen=True)
class Moved:
    """The embeddings of a cell's photos.

    Attributes:
        clean: of the users' photos as they were.
        released: of the same photos as they were published, after the channel.
        background: of everybody else's photos.
        people: int64 [photo]: who is on each of the users' photos, from 0.
        clusters: the attacker's cluster of each released photo; -1 for none, and for all photos where the
            attacker forms no clusters.
    """

    clean: Embedded
    released: Embedded
    background: Embedded
    people: Labels
    clusters: Labels


class OtherCellError(UserError):
    """Everything that a record names is here, and makes a cell of another digest."""


class Again:
    """A cell that was found again, and computed again from what the store has of it."""

    def __init__(self, record: CellRecord, progress: Progress) -> None:
        """Find the cell of a record, and see that it gives the same figures.

        Args:
            record: Of the cell.
            progress: Told of every stage.

        Raises:
            UserError: It is of another protocol, its options cannot be read off it, what it needs is not
                here, or this machine computes other figures.
        """
        where = folders()
        self._cache = Cache(Path(where.home))
        plan, self._cell = find_cell(record, progress)
        self._pipeline = Pipeline(replace(plan, cells=(self._cell,)), where, self._cache, progress)
        tables: list[Tables] = []
        (again,) = self._pipeline.run(lambda _, rows: tables.append(rows))
        for name, stated in record.metrics.items():
            computed = again.metrics.get(name)
            if name in MAIN and (computed is None or computed.value != stated.value):
                raise UserError(
                    f"cell {record.cell[:12]} has {name} {stated.value}, and this machine computes "
                    f"{computed and computed.value}: threads, libraries or the processor differ."
                )
        self._tables = tables[0]

    def close(self) -> None:
        """Close the store."""
        self._cache.close()

    def pairs(self, users: int = 3) -> list[tuple[str, Image, Image]]:
        """One photo each of a few users, before and after, see `Pipeline.pairs`."""
        return self._pipeline.pairs(users)

    def moved(self) -> Moved:
        """The embeddings of the cell's photos before and after."""
        stages = self._pipeline.stages(self._cell)
        seen = stages.look(stages.publish())
        held = stages.view.embed(stages.repetition.attackers_clean, "background", again=True)
        name = self._cell.view.encoder.name
        corpus = stages.repetition.corpus
        people = corpus.owners[corpus.released]
        clusters = self._tables["photos"].get("cluster", [-1] * len(people))
        return Moved(
            seen.clean.embeddings[name],
            seen.released.embeddings[name],
            held,
            np.unique(people, return_inverse=True)[1].astype(np.int64),
            np.array([-1 if cluster is None else cluster for cluster in clusters], np.int64),
        )


def find_cell(record: CellRecord, progress: Progress) -> tuple[Plan, Cell]:
    """Resolve the options that stand in a record, until its digest comes out. Nothing is run.

    Args:
        record: Of the cell.
        progress: Told of every stage.

    Raises:
        OtherCellError: Its options and this program give a cell of another digest.
        UserError: It is of another protocol, or what it needs is not here.
    """
    if record.protocol != PROTOCOL:
        raise UserError(
            f"cell {record.cell[:12]} is of {record.protocol}, and this program computes {PROTOCOL}."
        )
    for options in _candidates(record):
        spec = RunSpec(**read_options(options, PYTHON))
        plan = resolve(spec, folders(), detector_parameters(), device(spec.device), progress)
        for cell in plan.cells:
            if cell.digest == record.cell:
                return plan, cell
    raise OtherCellError(
        f"cell {record.cell[:12]} cannot be found again: its record does not hold all options, or "
        "this program or its data has changed since."
    )


def _candidates(record: CellRecord) -> Iterator[dict[str, Any]]:
    """The options that a record may have come from: sizes that nobody asked for stand in it, too."""
    sizes = record.scenario.parameters
    own = record.encoder.parameters.get("detector")
    options: dict[str, Any] = {
        "defense": [written(record.defense, "defenses")],
        "attacker": [written(record.attacker, "attackers")],
        "dataset": written(record.dataset, "datasets"),
        "scenario": record.scenario.name,
        "encoder": [record.encoder.name],
        "detector": ["own" if record.detector.name == own else record.detector.name],
        "surrogate": ["+".join(named.name for named in record.surrogate)] if record.surrogate else [],
        "budget": [record.budget],
        "channel": [record.channel],
        "dose": [record.dose],
        "level": [record.level],
        "adaptation": [written(record.adaptation, None)],
        "distractors": [record.distractors],
        "seed": record.seed,
        "draws": record.draw + 1,
        **{name: sizes[name] for name in ("users", "photos", "labelled") if sizes.get(name)},
        **{
            row.option: [record.options[row.name]] if row.repeatable else record.options[row.name]
            for row in FURTHER
            if row.name in record.options
        },
    }
    for asked in ((), ("background",), ("calibration",), ("background", "calibration")):
        if set(asked) <= sizes.keys():
            yield options | {name: sizes[name] for name in asked}


def written(named: Named, kind: registry.Kind | None) -> str:
    """A plug-in as the command line names it, with the parameters that are not at their default.

    Args:
        named: What a record says of it.
        kind: Of plug-in; None for an adaptation.
    """
    if kind == "defenses" and "+" in named.name:
        return "+".join(written(part, kind) for part in _parts(named))
    try:
        usual = (registry.make(kind, named.name) if kind else adaptations.make(named.name))[1]
    except UserError:
        return named.name
    changed = {
        name: value
        for name, value in named.parameters.items()
        if hasattr(usual, name) and getattr(usual, name) != value and isinstance(value, int | float | str)
    }
    return named.name + (":" if changed else "") + ",".join(f"{k}={v}" for k, v in changed.items())


def _parts(composition: Named) -> Iterator[Named]:
    """The defenses that act one after another, as a record would name each."""
    for name in composition.name.split("+"):
        own = f"{name}."
        given = {k.removeprefix(own): v for k, v in composition.parameters.items() if k.startswith(own)}
        yield Named(name=name, parameters=given)
