"""A matrix of any size is resolved fast or refused at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.experiment.session import execute
from bench.parameters import Plain
from bench.plan.resolve import MOST_CELLS, check_size
from bench.plan.spec import RunSpec
from bench.plan.suites import load
from bench.store.digests import Canonical, digest

MATRIX = st.fixed_dictionaries(
    {},
    optional={
        "defenses": st.integers(1, 40).map(lambda n: tuple(f"noise:kind=k{i}" for i in range(n))),
        "attackers": st.integers(1, 40).map(lambda n: tuple(f"knn:k={i}" for i in range(n))),
        "channels": st.integers(1, 40).map(lambda n: tuple(f"jpeg:{i + 1}" for i in range(n))),
        "distractors": st.integers(1, 40).map(lambda n: tuple(range(n))),
        "doses": st.integers(1, 9).map(lambda n: tuple((i + 1) / 10 for i in range(n))),
        "draws": st.integers(1, 2000),
    },
)


@given(st.lists(MATRIX, min_size=1, max_size=3))
def test_a_matrix_is_refused_exactly_if_it_has_more_cells_than_a_command_takes(
    runs: list[dict[str, Any]],
) -> None:
    cells = 0
    for run in runs:
        size = run.get("draws", 1)
        for name, values in run.items():
            size *= 1 if name == "draws" else len(values)
        cells += size
    specs = [RunSpec(**run) for run in runs]
    if cells <= MOST_CELLS:
        check_size(specs)
        return
    with pytest.raises(UserError, match="Divide the matrix") as caught:
        check_size(specs)
    assert f"{cells:,} cells" in str(caught.value)


def test_a_suite_of_a_million_cells_is_refused_within_seconds(tmp_path: Path) -> None:
    suite = tmp_path / "huge.toml"
    suite.write_text(
        '[[run]]\ndefense = ["none"]\nattacker = ["dbscan"]\n'
        f"distractors = {list(range(1000))}\ndose = {[(i + 1) / 1000 for i in range(1000)]}\n"
    )
    began = time.process_time()
    with pytest.raises(UserError, match="1,000,000 cells"):
        execute(load(str(suite), {}))
    assert time.process_time() - began < 2


PARTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.tuples(PARTS, st.booleans()), max_size=4))
def test_a_digest_does_not_tell_what_was_written_before(parts: list[tuple[Plain, bool]]) -> None:
    assert digest(*(part for part, _ in parts)) == digest(
        *(Canonical.of(part) if written else part for part, written in parts)
    )
