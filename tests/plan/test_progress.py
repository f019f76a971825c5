"""A large matrix is not planned in silence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.faces.finder import detector_parameters
from bench.machine.progress import Advance
from bench.plan.resolve import resolve
from bench.plan.spec import RunSpec
from bench.types import Folders


def test_planned_cells_are_counted(folders: Folders) -> None:
    stages: dict[str, list[int]] = {}

    class Counted:
        @contextmanager
        def stage(self, name: str, total: int) -> Iterator[Advance]:
            done = stages.setdefault(name, [total, 0])

            def advance(count: int = 1) -> None:
                done[1] += count

            yield advance

    spec = RunSpec(
        defenses=("none", "noise"), attackers=("dbscan", "hdbscan", "louvain"), encoders=("synth-ir",),
        users=2, photos=4, doses=(0.5, 1.0), dataset="synthetic:people=12,photos-each=6",
    )  # fmt: skip
    plan = resolve(spec, folders, detector_parameters(), "cpu", Counted())
    # `none` at half a dose is `none`: the matrix has 12 cells, or fewer where two are one
    assert stages["plan cells"] == [12, 12]
    assert len(plan.cells) <= 12
