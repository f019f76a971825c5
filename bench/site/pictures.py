"""What cloaks look like and how embeddings move: of cells that this machine can find again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.board.preview import sheet
from bench.charts.chart import Chart
from bench.charts.embedding import embedding_map
from bench.errors import UserError
from bench.experiment.again import Again, Moved
from bench.machine.progress import Progress
from bench.records.record import CellRecord

DRAWN = "synthetic"
"""The data set whose people do not exist: photos of no other are shown."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What can be shown of some cells.

    Attributes:
        maps: of embeddings.
        sheets: caption and picture, as PNG: before, after and difference.
        lacking: why a cell has none.
    """

    maps: list[Chart] = field(default_factory=list)
    sheets: list[tuple[str, bytes]] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)


def map_of(record: CellRecord, progress: Progress) -> Chart:
    """The map of embeddings of a cell.

    Raises:
        UserError: The cell cannot be found again, see `bench.experiment.again.Again`.
    """
    again = Again(record, progress)
    try:
        return _map(record, again.moved())
    finally:
        again.close()


def pictures(records: Sequence[CellRecord], progress: Progress) -> Pictures:
    """The pictures of some cells, one sheet a cloaking.

    Args:
        records: Of the cells.
        progress: Told of every stage.
    """
    made = Pictures()
    shown: set[str] = set()
    for record in records:
        try:
            again = Again(record, progress)
        except UserError as error:
            made.lacking.append(str(error))
            continue
        try:
            made.maps.append(_map(record, again.moved()))
            caption = (
                f"{record.defense.name} on {'+'.join(s.name for s in record.surrogate)}, {record.budget}"
            )
            if record.dataset.name == DRAWN and record.defense.name != "none" and caption not in shown:
                shown.add(caption)
                made.sheets.append((caption, sheet(again.pairs(), "PNG")))
        finally:
            again.close()
    return made


def _map(record: CellRecord, moved: Moved) -> Chart:
    parts = (("before", moved.clean), ("after", moved.released), ("background", moved.background))
    nobody = {"background": np.full(len(moved.background), -1, np.int64)}
    people = [nobody.get(when, moved.people)[seen.has_face] for when, seen in parts]
    none = np.full(len(moved.clean), -1, np.int64)
    clusters = [none[moved.clean.has_face], moved.clusters[moved.released.has_face], people[2]]
    return embedding_map(
        f"{record.defense.name} against {record.attacker.name} through {record.encoder.name}",
        np.concatenate([seen.of_faces for _, seen in parts]),
        [when for when, seen in parts for _ in range(int(seen.has_face.sum()))],
        np.concatenate(people),
        np.concatenate(clusters),
    )
