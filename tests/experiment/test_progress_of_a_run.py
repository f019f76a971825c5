"""What a run tells while it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bench.experiment.session import execute
from bench.machine.progress import Advance
from bench.plan.spec import RunSpec


def test_cells_of_all_runs_are_counted_together_cached_or_not(small: RunSpec) -> None:
    totals: dict[str, int] = {}
    done: Counter[str] = Counter()

    class Heard:
        @contextmanager
        def stage(self, name: str, total: int) -> Iterator[Advance]:
            totals[name] = total

            def advance(count: int = 1) -> None:
                done[name] += count

            yield advance

    first = replace(small, defenses=("none",), attackers=("dbscan",))
    second = replace(first, attackers=("dbscan", "components"))  # one of them is the first's
    for _ in "cold", "warm":
        done.clear()
        execute([first, second], progress=Heard())
        assert totals["cells"] == done["cells"] == 2
