"""From the released photos alone follows what the attacker's whole collection would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.attack.corpus import Corpus
from bench.attack.judge import Verdict, judge_clustering
from bench.board.curves import curves
from bench.board.photo_tables import PhotoTable
from bench.board.user_tables import UserTable
from bench.metrics.clustering import PROTOCOL, formation_extremes
from bench.records.record import CellRecord, Metric, Named
from bench.types import Labels, Mask, Outcome


@dataclass(frozen=True)
class Attack:
    """A collection, and an assignment of it."""

    corpus: Corpus
    labels: Labels
    not_ok: Mask
    verdict: Verdict

    def table(self) -> UserTable:
        """The tables as a run writes them."""
        users = [f"user {user}" for user in self.corpus.users]
        photos = {
            "user": [users[owner] for owner in self.corpus.owners[self.corpus.released]],
            "outcome": ["misaligned" if doubtful else Outcome.OK for doubtful in self.not_ok],
            **self.verdict.photos,
        }
        return UserTable.of({"user": users, **self.verdict.users}, photos)

    def rate(self, coverage: float, *, linking: bool) -> float:
        """The share of users with a cluster of their own, counted photo by photo."""
        formed = 0
        for user in self.corpus.users:
            own = [i for i in range(self.labels.size) if self.corpus.owners[i] == user]
            shown = [i for i in own if self.corpus.released[i]]
            for cluster in {int(self.labels[i]) for i in shown} - {-1}:
                size = sum(self.labels == cluster)
                support = sum(self.labels[i] == cluster for i in shown)
                named = sum(self.labels[i] == cluster for i in own) - support
                pure = (support + named if linking else support) / size
                if (
                    support >= 3
                    and pure > 0.5
                    and support / len(shown) >= coverage
                    and (named or not linking)
                ):
                    formed += 1
                    break
        return formed / self.corpus.users.size


@st.composite
def attacks(draw: st.DrawFn) -> Attack:
    """A few users with labelled photos or without, and others, all assigned at random."""
    users, background = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    shown, named = draw(st.integers(3, 7)), draw(st.integers(0, 3))
    sizes = [*[shown] * users, *[named] * users, *[2] * background]
    people = [*range(users), *range(users), *range(users, users + background)]
    owners = np.repeat(people, sizes).astype(np.int64)
    place = np.arange(owners.size)
    released, linked = place < shown * users, (place >= shown * users) & (place < (shown + named) * users)
    corpus = Corpus(owners, released, linked, np.arange(users, dtype=np.int64))
    # mostly the person's own cluster, so that some are formed
    chosen = draw(st.lists(st.integers(-1, 6), min_size=owners.size, max_size=owners.size))
    labels = np.array(
        [owner if pick > 2 else pick for owner, pick in zip(owners, chosen, strict=True)], np.int64
    )
    doubts = draw(st.lists(st.booleans(), min_size=shown * users, max_size=shown * users))
    not_ok = np.array(doubts, bool)
    return Attack(corpus, labels, not_ok, judge_clustering(labels, owners, corpus, not_ok))


def unbounded(attack: Attack, figure: str) -> Metric:
    """What a record says that was made before there were bounds."""
    return Metric.of(replace(attack.verdict.scores[figure], bounds=None))


def record(attack: Attack) -> CellRecord:
    stated: dict[str, Any] = {
        "cell": "c",
        "status": "ok",
        "scenario": Named(name="linked"),
        "surrogate": [],
        "budget": "linf:8",
        "channel": "none",
        "knowledge": "none",
        "seed": 0,
        "metrics": {name: Metric.of(score) for name, score in attack.verdict.scores.items()},
    }
    parts = ("dataset", "defense", "encoder", "attacker", "detector")
    return CellRecord(**(stated | {name: Named(name=name) for name in parts}))


@settings(max_examples=120)
@given(attacks())
def test_a_coverage_curve_counts_all_clusters_and_labelled_photos(attack: Attack) -> None:
    linked = bool(attack.corpus.linked.any())
    found = curves([record(attack)], {"c": attack.table()}, "coverage")
    assert {curve.figure for curve in found} == ({"cfr", "cfr_link"} if linked else {"cfr"})
    for curve in found:
        for point in curve.points:
            assert point.value == attack.rate(point.x, linking=curve.figure == "cfr_link")
            if point.x == PROTOCOL.coverage:
                assert point.value == attack.verdict.scores[curve.figure].value


@settings(max_examples=120)
@given(attacks())
def test_the_worst_case_is_that_of_the_whole_collection(attack: Attack) -> None:
    table, corpus = attack.table(), attack.corpus
    doubtful = np.zeros(attack.labels.size, bool)
    doubtful[corpus.released] = attack.not_ok
    _, worst = formation_extremes(
        attack.labels, corpus.owners, corpus.users, doubtful, released=corpus.released
    )
    at_worst = table.at_worst("cfr", unbounded(attack, "cfr"))
    assert at_worst is not None
    assert at_worst.tolist() == worst.tolist()
    if corpus.linked.any():
        _, worst = formation_extremes(
            attack.labels,
            corpus.owners,
            corpus.users,
            doubtful,
            released=corpus.released,
            linked=corpus.linked,
        )
        at_worst = table.at_worst("cfr_link", unbounded(attack, "cfr_link"))
        assert at_worst is not None
        assert (at_worst >= worst).all()  # an upper bound, see `PhotoTable.formed_at_worst`


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"cluster": [1, 1, -1], "cluster_size": [2, 3, 0]}, "two sizes"),
        ({"cluster": [1, 1, 1], "cluster_size": [2, 2, 2]}, "more photos than its size"),
        ({"cluster": [1, 1, 1], "cluster_size": [3, 3, 3], "cluster_linked": [9, 9, 9]}, "more photos than"),
    ],
)
def test_columns_that_contradict_each_other_are_no_table(columns: Mapping[str, list[int]], said: str) -> None:
    table = PhotoTable.of({"user": ["a"] * 3, "outcome": ["ok"] * 3, **columns}, ["a"])
    with pytest.raises(ValueError, match=said):
        table.formation(linking="cluster_linked" in columns)


def test_a_huge_cluster_takes_no_memory() -> None:
    columns = {"cluster": [1, 1, 1], "cluster_size": [10**12] * 3}
    table = PhotoTable.of({"user": ["a"] * 3, "outcome": ["ok"] * 3, **columns}, ["a"])
    assert table.formation().row_size.max() < 10
