"""From a run to the board: the attack that is best on its own cloaks is the first figure of a row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.board import views
from bench.board.loading import load
from bench.experiment.files import write
from bench.experiment.session import RunResult
from bench.records.record import CellRecord


def test_a_run_with_level_adaptive_has_a_chosen_attack_on_its_board(
    run: Callable[..., RunResult], tmp_path: Path
) -> None:
    write(
        run(defenses=("noise",), attackers=("dbscan", "agglomerative"), levels=("oblivious", "adaptive")),
        tmp_path,
    )
    panel = views.view("panel")
    records, users = load([tmp_path], of_users=True, of_photos=True)
    (row,) = panel.table(records, users).rows
    tried = [record for record in records if record.level == "adaptive"]

    def strength(record: CellRecord) -> tuple[float, float]:
        cfr, crowd = (record.own_cloaks[name].value or 0.0 for name in ("cfr", "bcubed_f"))
        return cfr, crowd

    best = max(tried, key=strength)  # the first of equals
    assert row.chosen.attacker == f"{best.attacker.name} / synth-ir / adaptive"
    assert row.chosen.rate.value == best.metrics["cfr"].value
    assert row.chosen.own == best.own_cloaks["cfr"].value
    assert panel.notes([row]) == []
