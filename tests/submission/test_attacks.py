"""Somebody else's attack on released cloaks: judged by our metrics, in its row's track."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.board.loading import load
from bench.board.panel import PanelRow, panel_rows
from bench.errors import UserError
from bench.experiment.files import tables_as_files, write
from bench.experiment.session import execute
from bench.plan.spec import RunSpec
from bench.records.files import CELLS, Records
from bench.records.record import CellRecord
from bench.submission.attacks import ForeignAttack, blank, judge_attack, target_of
from bench.submission.contents import Contents, open_contents

pytestmark = pytest.mark.slow

Wrong = Callable[..., set[tuple[str, str]]]
SMALL: dict[str, Any] = {
    "dataset": "synthetic:people=60,photos-each=6",
    "users": 3,
    "photos": 4,
    "background": 6,
    "encoders": ("synth-inc",),
    "device": "cpu",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, bench_home: Path) -> Contents:
    """`none`, and a defense that knows another network, each met by two clusterers."""
    out = tmp_path_factory.mktemp("run")
    spec = RunSpec(
        **SMALL,
        defenses=("none", "noise", "pgd:steps=1"),
        surrogates=("synth-ir",),
        attackers=("dbscan", "hdbscan"),
    )
    write(execute(spec), out)
    return open_contents(out)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory, bench_home: Path) -> Contents:
    """Noise, where photos of users are named."""
    out = tmp_path_factory.mktemp("named")
    spec = RunSpec(
        **(SMALL | {"photos": 3}), defenses=("noise",), attackers=("knn",), scenario="linked", labelled=2
    )
    write(execute(spec), out)
    return open_contents(out)


def cell(contents: Contents, defense: str, attacker: str = "dbscan") -> CellRecord:
    return next(r for r in contents.records if (r.defense.name, r.attacker.name) == (defense, attacker))


def truth(contents: Contents, record: CellRecord) -> dict[str, int]:
    """Photo of the collection -> the number of its person in the manifest: what no attacker knows."""
    rows = list(csv.DictReader(contents.files["manifest.csv"].decode().splitlines()))
    people = {row["sha256"][:16]: int(row["person"]) for row in rows}
    table = contents.photos[record.cell]
    of_released = {str(r): people[str(p)] for r, p in zip(table["released"], table["photo"], strict=True)}
    return people | of_released


def attack(contents: Contents, record: CellRecord, **stated: Any) -> ForeignAttack:
    empty = blank(contents, record, target_of(contents, record))
    network = {
        "name": "theirs",
        "architecture": "another",
        "training_set": "other people",
        "sha256": "a" * 64,
    }
    return ForeignAttack.model_validate(
        empty | {"by": {"name": "Ann", "url": "https://example.org"}, "encoder": network} | stated
    )


def whole(contents: Contents, record: CellRecord, **stated: Any) -> ForeignAttack:
    """An attack that finds everybody."""
    people = truth(contents, record)
    photos = target_of(contents, record).photos
    return attack(contents, record, assignment={photo: people[photo] for photo in photos}, **stated)


def handed_in(contents: Contents, made: ForeignAttack, record: CellRecord, out: Path) -> Path:
    """The folder that `bench judge --out` writes."""
    judged, tables = judge_attack(made, contents, record)
    out.mkdir()
    files = {
        CELLS.file: Records([judged]).to_json().encode(),
        "attack.json": json.dumps(made.model_dump(mode="json")).encode(),
        "manifest.csv": contents.files["manifest.csv"],
        **tables_as_files({judged.cell: tables}),
    }
    for name, content in files.items():
        (out / name).write_bytes(content)
    return out


def test_whoever_finds_everybody_has_a_rate_of_one(run: Contents) -> None:
    record = cell(run, "pgd")
    judged, tables = judge_attack(whole(run, record), run, record)
    assert {
        name: judged.metrics[name].value for name in ("cfr", "cfr_strict", "bcubed_f", "v_measure")
    } == dict.fromkeys(("cfr", "cfr_strict", "bcubed_f", "v_measure"), 1.0)
    assert tables["users"]["support"] == [4, 4, 4]
    assert judged.metrics["clusters"].value == 3 + 6
    assert (judged.knowledge, judged.by and judged.by.name) == ("black-box", "Ann")
    assert "contamination" not in judged.metrics


def test_whoever_puts_all_photos_together_finds_nobody(run: Contents) -> None:
    record = cell(run, "pgd")
    photos = target_of(run, record).photos
    judged, tables = judge_attack(attack(run, record, assignment=dict.fromkeys(photos, 0)), run, record)
    # 4 of a user's photos in a cluster of 12 released ones and those of 6 other people
    assert tables["users"]["purity"] == [4 / len(photos)] * 3
    assert judged.metrics["cfr"].value == 0


def test_what_our_metrics_give_of_our_own_clusters_is_what_our_record_says(run: Contents) -> None:
    record = cell(run, "none")
    table = run.photos[record.cell]
    # released photos have the clusters of the table; every other photo is noise, which changes no support
    ours = dict(zip(map(str, table["released"]), table["cluster"].astype(int).tolist(), strict=True))
    photos = target_of(run, record).photos
    made = attack(run, record, assignment={photo: ours.get(photo, -1) for photo in photos})
    _, tables = judge_attack(made, run, record)
    assert tables["users"]["support"] == run.users[record.cell]["support"].tolist()
    assert tables["users"]["coverage"] == run.users[record.cell]["coverage"].tolist()


def test_names_are_judged_where_people_are_named(named: Contents, wrong: Wrong, tmp_path: Path) -> None:
    record = cell(named, "noise", "knn")
    made = whole(named, record)
    assert len(made.assignment) == 3 * 3
    judged, _ = judge_attack(made, named, record)
    assert {name: metric.value for name, metric in judged.metrics.items()} == {"psr1": 0.0}
    nobody = attack(named, record)
    assert judge_attack(nobody, named, record)[0].metrics["psr1"].value == 1
    assert wrong(handed_in(named, made, record, tmp_path / "theirs")) == set()


def wrong_photos(contents: Contents, record: CellRecord, change: Callable[[dict[str, int]], object]) -> str:
    assignment = dict.fromkeys(target_of(contents, record).photos, 0)
    change(assignment)
    with pytest.raises(UserError) as refused:
        judge_attack(attack(contents, record, assignment=assignment), contents, record)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_an_attack_that_does_not_fit_is_refused_in_one_line(run: Contents) -> None:
    record, other = cell(run, "pgd"), cell(run, "noise")
    assert "misses photos: 1 of" in wrong_photos(run, record, lambda photos: photos.popitem())
    assert "names unknown photos: 1 of" in wrong_photos(
        run, record, lambda photos: photos.update({"f" * 16: 1})
    )
    with pytest.raises(UserError, match="on other cloaks"):
        judge_attack(whole(run, other), run, record)
    surrogate = record.surrogate[0].digest
    with pytest.raises(UserError, match=r"is white-box to the defense .* is black-box"):
        judge_attack(attack(run, record, encoder={"name": "x", "sha256": surrogate}), run, record)
    with pytest.raises(UserError, match="is grey-box to the defense"):
        judge_attack(attack(run, record, encoder={"name": "not stated"}), run, record)


def test_a_forged_record_of_an_attack_is_named(run: Contents, wrong: Wrong, tmp_path: Path) -> None:
    record = cell(run, "pgd")
    folder = handed_in(run, whole(run, record), record, tmp_path / "theirs")
    assert wrong(folder) == set()
    document = json.loads((folder / "records.json").read_text())
    document["cells"][0]["metrics"]["v_measure"]["value"] = 0.5
    (folder / "records.json").write_text(json.dumps(document))
    assert wrong(folder) == {("attack", "metrics")}
    (folder / "attack.json").unlink()
    assert wrong(folder) == {("attack", "assignment")}


def rows(*folders: Path) -> dict[tuple[str, str], PanelRow]:
    records, users = load(folders, of_users=True, of_photos=True)
    return {(row.defense, row.knowledge): row for row in panel_rows(records, users)}


def test_an_attack_stands_in_the_track_of_its_cell_and_no_other_row_misses_it(
    run: Contents, tmp_path: Path
) -> None:
    record = cell(run, "pgd")
    strong = handed_in(run, whole(run, record), record, tmp_path / "strong")
    before, after = rows(run.path), rows(run.path, strong)
    row = after["pgd", "black-box"]
    assert (before["pgd", "black-box"].attackers, row.attackers, row.missing) == (2, 3, ())
    assert row.any is not None
    assert row.any.value == 1
    assert {key: r for key, r in after.items() if key[0] != "pgd"} == {
        key: r for key, r in before.items() if key[0] != "pgd"
    }


def test_a_weak_attack_changes_no_rate(run: Contents, tmp_path: Path) -> None:
    record = cell(run, "none")
    weak = handed_in(run, attack(run, record, encoder={"name": "guess"}), record, tmp_path / "weak")
    before, after = (
        next(row for (name, _), row in rows(*folders).items() if name == "none")
        for folders in ((run.path,), (run.path, weak))
    )
    assert (after.strongest, after.largest, after.any) == (before.strongest, before.largest, before.any)


def test_an_attack_on_a_row_whose_records_are_not_there_makes_no_row(run: Contents, tmp_path: Path) -> None:
    record = cell(run, "pgd")
    alone = handed_in(run, whole(run, record), record, tmp_path / "alone")
    assert rows(alone) == {}


def test_an_attack_that_was_tuned_on_the_users_is_never_ranked(run: Contents, tmp_path: Path) -> None:
    record = cell(run, "pgd")
    told = handed_in(run, whole(run, record, tuned_on="oracle"), record, tmp_path / "told")
    assert rows(run.path, told) == rows(run.path)
