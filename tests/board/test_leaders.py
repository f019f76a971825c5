"""The leaderboard: one row a defense, its figures side by side, and references in every track."""

from __future__ import annotations

from typing import Any

import pytest

from bench.board.leaders import LeaderRow, leader_rows
from bench.board.user_tables import UserTable
from bench.board.views.leaders import VIEW
from bench.records.record import CellRecord, Cost, Named
from tests.board.test_panel import cell

Cells = tuple[CellRecord, dict[str, list[Any]]]


def leaders(*cells: Cells) -> list[LeaderRow]:
    tables = {record.cell: UserTable.of(table) for record, table in cells if record.status == "ok"}
    return leader_rows([record for record, _ in cells], tables)


def linked(defense: str, formed: int) -> Cells:
    record, table = cell(defense, "dbscan", formed, figure="cfr_link", scenario=Named(name="linked"))
    return record, {"user": table["user"], "formed_linked": table["cfr_link"]}


def clustered_beside_labels(defense: str, formed: int) -> Cells:
    return cell(defense, "dbscan", formed, scenario=Named(name="linked"))


def uninformed(defense: str, formed: int) -> Cells:
    return cell(defense, "dbscan", formed, knowledge="none", surrogate=[])


def shown(rows: list[LeaderRow]) -> list[tuple[str, str, bool]]:
    return [(row.knowledge, row.defense, row.reference) for row in rows]


def notes(*cells: Cells) -> str:
    return " ".join(VIEW.notes(leaders(*cells)))


def test_the_figures_of_one_defense_stand_in_one_row() -> None:
    (row,) = leaders(
        cell("mask", "dbscan", 3),
        cell("mask", "hdbscan", 12),
        linked("mask", 5),
        cell("mask", "knn", 14, figure="psr1", scenario=Named(name="evasion")),
        cell("mask", "svm", 8, figure="psr1", scenario=Named(name="evasion")),
        cell("mask", "svm", 2, figure="protection_rate", scenario=Named(name="poisoning")),
    )
    assert row.any is not None
    assert row.link_max is not None
    assert row.psr_min is not None
    assert row.protection_min is not None
    assert (row.any.value, row.link_max.value) == (12 / 20, 5 / 20)
    assert row.psr_min.value == pytest.approx(8 / 20, abs=0.01)  # without the bias of a minimum
    assert row.protection_min.value == pytest.approx(2 / 20)
    assert row.broken_by == "hdbscan through net"
    assert (row.attackers, row.panel, row.users) == (6, 6, 20)


def test_clusters_beside_labels_are_no_row_of_their_own() -> None:
    (row,) = leaders(clustered_beside_labels("mask", 19), cell("mask", "dbscan", 3), linked("mask", 5))
    assert row.any is not None and row.link_max is not None
    assert (row.any.value, row.link_max.value) == (3 / 20, 5 / 20)
    (alone,) = leaders(clustered_beside_labels("mask", 19))
    assert alone.any is not None and alone.any.value == 19 / 20


def test_references_stand_below_every_track_and_have_no_rank() -> None:
    rows = leaders(
        uninformed("none", 20),
        uninformed("noise", 19),
        cell("strong", "dbscan", 0),
        cell("weak", "dbscan", 20),
        cell("strong", "dbscan", 0, encoder="its", knowledge="white-box"),
        cell("weak", "dbscan", 9, encoder="its", knowledge="white-box"),
    )
    references = {("none", True), ("noise", True)}
    for knowledge in ("black-box", "white-box"):
        track = [row for row in rows if row.knowledge == knowledge]
        assert {(row.defense, row.reference) for row in track[-2:]} == references
        assert [row.defense for row in track][:2] == ["strong", "weak"]
        assert [(row.rank_first, row.rank_last) for row in track] == [
            (1, 1),
            (2, 2),
            (None, None),
            (None, None),
        ]
    assert "none" not in {row.knowledge for row in rows}


def test_alone_they_are_a_track() -> None:
    rows = shown(leaders(uninformed("none", 20), uninformed("noise", 19)))
    assert sorted(rows) == [("none", "noise", False), ("none", "none", False)]


def test_two_of_one_name_are_told_apart_by_their_parameters() -> None:
    def pgd(formed: int, **parameters: str) -> Cells:
        named = Named(name="pgd", parameters={"steps": 10, **parameters})
        record, table = cell("pgd", "dbscan", formed, cell=str(parameters))
        return record.model_copy(update={"defense": named}), table

    rows = leaders(pgd(15, descent="plain"), pgd(1, descent="diverse"))
    assert [(row.defense, row.any.value) for row in rows if row.any] == [
        ("pgd:descent=diverse", 1 / 20),
        ("pgd:descent=plain", 15 / 20),
    ]
    assert "no row of none, noise, without" in " ".join(VIEW.notes(rows))


def test_what_differs_in_budget_or_protocol_or_dose_shares_no_track() -> None:
    for change in ({"budget": "linf:4"}, {"protocol": "cloakbench/1"}, {"dose": 0.7}, {"distractors": 100}):
        rows = leaders(cell("mask", "dbscan", 3), cell("mask", "dbscan", 4, cell="other", **change))
        assert len(rows) == 2
        assert len({(row.budget, row.protocol, row.dose, row.distractors) for row in rows}) == 2


def test_a_reference_of_another_budget_is_none() -> None:
    assert shown(
        leaders(cell("mask", "dbscan", 3), cell("none", "dbscan", 4, knowledge="none", budget="linf:4"))
    ) == [
        ("black-box", "mask", False),
        ("none", "none", False),
    ]


def test_missing_references_are_named_with_what_to_type() -> None:
    assert "no row of none, noise, pgd" in notes(cell("mask", "dbscan", 3))
    assert "--defense none --defense noise --defense pgd" in notes(cell("mask", "dbscan", 3))
    there = [uninformed("none", 20), uninformed("noise", 20), cell("pgd", "dbscan", 9)]
    assert "no row of" not in notes(*there, cell("mask", "dbscan", 3))


def test_a_failed_cell_is_missing_and_its_row_unranked() -> None:
    rows = leaders(
        *(cell(name, attacker, 3) for name in ("one", "two") for attacker in ("dbscan", "hdbscan")),
        cell("gap", "dbscan", 0),
        cell("gap", "hdbscan", None),
    )
    assert [(row.attackers, row.panel) for row in rows] == [(2, 2), (2, 2), (1, 2)]
    assert [row.rank_last for row in rows] == [2, 2, None]
    assert rows[-1].defense == "gap"


def test_cost_is_that_of_the_runs_that_cloaked() -> None:
    def measured(speed: float | None, ssim: float) -> dict[str, Any]:
        return {
            "cost": Cost(seconds={}, photos_per_second=speed),
            "perceptual": {"photo": {"ssim": {"mean": ssim, "worst": 0.5}}},
        }

    (row,) = leaders(
        cell("mask", "dbscan", 3, **measured(4.0, 0.9)),
        cell("mask", "hdbscan", 3, **measured(None, 0.9)),
        cell("mask", "infomap", 3, **measured(2.0, 0.9)),
        cell("mask", "louvain", 3, **measured(8.0, 0.9)),
    )
    assert row.seconds == 1 / 4
    assert row.ssim is not None
    assert abs(row.ssim - 0.9) < 1e-12
