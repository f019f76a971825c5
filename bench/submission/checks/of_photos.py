"""From the cluster or the rank of each released photo to what became of users, and to figures of photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from bench.board.photo_tables import Collection, PhotoTable
from bench.metrics import clustering, identification
from bench.records.record import CellRecord, Metric
from bench.submission.checks.of_users import figures, place
from bench.submission.contents import Contents, columns
from bench.submission.report import Check
from bench.types import Floats, Score

_LABELLED: Final = "the table does not count labelled photos in clusters"
_CLEAN_PROBES: Final = "the table has no ranks of clean probes"
_LEFT: Final = {
    "contamination": "assignments of other people's photos are in no table",
    "clusters": "assignments of other people's photos are in no table",
    "noise_share": "assignments of other people's photos are in no table",
    "v_measure": "assignments of other people's photos are in no table",
    "bcubed": "assignments of other people's or labelled photos are in no table",
    "pairwise": "assignments of other people's or labelled photos are in no table",
    "best_match": "assignments of other people's or labelled photos are in no table",
    "encoder_auc": "embeddings are in no submission",
    "map_": "embeddings are in no submission",
    "rank": "embeddings are in no submission",
    "tar_far": "embeddings are in no submission",
    "psr1_single": "embeddings are in no submission",
    "psr5_single": "embeddings are in no submission",
}
"""How a figure's name begins -> why it is not recomputed, where it is not."""


def check_photos(contents: Contents) -> tuple[Check, Check]:
    """What became of users, and figures, from the photos' clusters and ranks."""
    of_users, of_figures = Check("users", "values of users"), Check("photos", "figures from photos")
    for record in contents.records:
        users, photos = contents.users.get(record.cell), contents.photos.get(record.cell)
        if record.status != "ok" or users is None:
            continue
        where = place(record)
        if photos is None:
            of_users.compare(where, "photos", "none", "a table of photos")
            continue
        try:
            cell = _Cell(PhotoTable.of(photos, list(users["user"])), columns(users, "formed_linked"))
            computed, scores = dict(cell.users()), list(cell.scores())
            bounds = dict(cell.bounds())
        except ValueError as error:
            of_users.compare(where, "photos", str(error), "a table whose columns fit each other")
            continue
        _compare_users(of_users, where, users, computed, cell)
        for score in scores:
            _compare_score(of_figures, where, record, score)
        for name, ends in bounds.items():
            if name in record.metrics:
                said = record.metrics[name].bounds
                of_figures.compare(where, f"metrics.{name}.bounds", said and list(said), ends)
        done = {score.name for score in scores} | {name for name, *_ in figures(record.metrics, users)}
        _count_left(of_figures, record.metrics, done)
    return of_users, of_figures


class _Cell:
    """The released photos of one cell, laid out as its attacker had them."""

    def __init__(self, table: PhotoTable, linked: bool) -> None:
        self.table = table
        self.linked = linked
        self.counted = "cluster_linked" in table.columns
        self._plain = table.collection(linking=False, whole=True) if table.clustered else None

    def users(self) -> Iterator[tuple[str, Floats]]:
        """Each column of users that photos decide."""
        if self._plain is not None:
            plain = self._formation(self._plain)
            yield "formed", clustering.formed(plain).astype(np.float64)
            if not self.linked or self.counted:
                laid = self.table.collection(linking=True, whole=True) if self.linked else self._plain
                whole = self._formation(laid)
                yield "support", whole.support.astype(np.float64)
                yield "purity", whole.purity
                yield "coverage", whole.coverage
                yield "formed_strict", clustering.formed(whole, clustering.STRICT).astype(np.float64)
                if self.linked:
                    yield "formed_linked", clustering.formed(whole).astype(np.float64)
        for k in (1, 5) if "rank" in self.table.columns else ():
            each = identification.protection_by_user(self._ranked(), self.table.user, k)
            yield f"psr{k}", np.array(list(each.values()), np.float64)

    def scores(self) -> Iterator[Score]:
        """Figures that the released photos decide; with labelled photos in the collection there are none."""
        laid = self._plain
        if laid is None or self.linked:
            return
        shown = laid.masks["released"]
        yield from clustering.bcubed(laid.owners, laid.labels, of=shown)
        yield from clustering.pairwise(laid.owners, laid.labels, of=shown)
        yield clustering.mean_best_match_f1(laid.labels, laid.owners, self.table.users)

    def bounds(self) -> Iterator[tuple[str, list[float] | None]]:
        """Bounds of rates; None where every photo is ok."""
        sure = self.table.sure
        if self._plain is not None:
            laid = self._plain
            unsure = np.zeros(laid.labels.size, bool)
            unsure[: sure.size] = ~sure
            criteria = {"cfr": clustering.PROTOCOL} | (
                {} if self.linked else {"cfr_strict": clustering.STRICT}
            )
            for name, criterion in criteria.items():
                ends = clustering.formation_bounds(
                    laid.labels, laid.owners, self.table.users, unsure, **laid.masks, criterion=criterion
                )
                yield name, None if sure.all() else list(ends)
        for k in (1, 5) if "rank" in self.table.columns else ():
            both = identification.protection_bounds(self._ranked(), self.table.user, k, ~sure)
            yield f"psr{k}", None if sure.all() else list(both)

    def _formation(self, laid: Collection) -> clustering.FormationTable:
        return clustering.cluster_formation(laid.labels, laid.owners, self.table.users, **laid.masks)

    def _ranked(self) -> Any:
        """Int [photo, 5]: the person at the rank that the table says; -1 elsewhere."""
        rank = self.table.columns["rank"].astype(np.int64)
        at = rank[:, None] == np.arange(1, 6)
        return np.where(at, self.table.user[:, None], -1)


def _compare_users(
    check: Check, where: str, users: Mapping[str, Any], computed: Mapping[str, Floats], cell: _Cell
) -> None:
    """Compare the columns of users, and name each user who fared otherwise."""
    for name, values in computed.items():
        if name not in users:  # figures that rest on it are compared with it, see `check_users`
            continue
        said = users[name]
        differ = np.flatnonzero(~np.isclose(said, values, rtol=1e-9, atol=1e-9))
        check.compared += len(values) - len(differ)
        for i in differ:
            check.compare(f"{where}, user {users['user'][i]}", name, said[i], values[i])
    left = {name: values for name, values in users.items() if name != "user" and name not in computed}
    for values in left.values():
        if not np.isnan(values).all():
            check.left[_LABELLED if cell.table.clustered else _CLEAN_PROBES] += len(values)


def _compare_score(check: Check, where: str, record: CellRecord, score: Score) -> None:
    metric = record.metrics.get(score.name)
    if metric is None:  # a record need not say all figures
        return
    for part in ("value", "low", "high", "n"):
        check.compare(where, f"metrics.{score.name}.{part}", getattr(metric, part), getattr(score, part))


def _count_left(check: Check, metrics: Mapping[str, Metric], done: set[str]) -> None:
    for name in metrics:
        if name not in done and not name.endswith("_clean"):
            reason = next((why for start, why in _LEFT.items() if name.startswith(start)), "")
            check.left[reason or "no table says it"] += 1
