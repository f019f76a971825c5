"""What somebody who cheats may change, and what says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.submission.report import Report

Cells = list[dict[str, Any]]
Change = Callable[[Cells, pd.DataFrame, pd.DataFrame], object]
Forge = Callable[[Change], Path]
Wrong = Callable[..., set[tuple[str, str]]]
Checked = Callable[..., Report]


def test_what_nobody_changed_matches(folder: Path, checked: Checked) -> None:
    report = checked(folder, digests=1)
    assert report.matches
    compared = {check.name: check.compared for check in report.checks}
    # two cells: cfr and cfr_strict with value, low, high, n and better, and the number of users
    assert compared["rates"] == 2 * (2 * 5 + 1)
    assert compared["users"] == 2 * 20 * 5  # support, purity, coverage, formed, formed_strict
    assert compared["digests"] == 1
    assert "everything that can be recomputed matches" in report.to_text()


def metric(name: str, part: str, value: object) -> Change:
    def change(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
        cells[0]["metrics"][name][part] = value

    return change


def field(name: str, value: object) -> Change:
    return lambda cells, users, photos: cells[0].update({name: value})


def user(column: str, value: Any) -> Change:
    def change(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
        row = users.index[users[column] != value][0]
        users.loc[row, column] = value

    return change


def photo(column: str, value: Any) -> Change:
    def change(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
        row = photos.index[photos[column] != value][0]
        photos.loc[row, column] = value

    return change


def over_budget(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
    """A photo that breaks the budget of 8/255 and is said to be ok."""
    photos.loc[photos.index[photos["outcome"] == "ok"][0], "photo_linf"] = 30.0


def cost(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
    cells[0]["perceptual"]["photo"]["ssim"]["mean"] = 0.99


def clean(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
    cells[0]["controls"]["clean"]["cfr"]["value"] = 0.9


def surrogate(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
    """advmask optimised against synth-ir, and says that its network was the one that was attacked with."""
    cells[1]["surrogate"][0]["digest"] = cells[1]["encoder"]["digest"]


FORGED: dict[str, tuple[Change, set[tuple[str, str]]]] = {
    "a rate": (metric("cfr", "value", 0.9), {("rates", "metrics.cfr.value")}),
    "the end of an interval": (metric("cfr", "low", 0.0), {("rates", "metrics.cfr.low")}),
    "how many users there are": (metric("cfr_strict", "n", 400), {("rates", "metrics.cfr_strict.n")}),
    "which direction protects": (metric("cfr", "better", "higher"), {("rates", "metrics.cfr.better")}),
    "a figure of photos": (metric("bcubed_f", "value", 0.1), {("photos", "metrics.bcubed_f.value")}),
    "a bound": (metric("cfr", "bounds", [0.0, 0.1]), set()),
    "a user's purity": (user("purity", 0.25), {("users", "purity")}),
    "a photo's measure": (over_budget, {("outcomes", "outcome")}),
    "the visible change": (cost, {("visible change", "perceptual.photo.ssim.mean")}),
    "a rate on clean photos": (clean, {("controls", "metrics.cfr_clean")}),
    "what the defense knew": (field("knowledge", "black-box"), {("knowledge", "knowledge")}),
    "an encoder's digest": (surrogate, {("knowledge", "knowledge")}),
    "the count of outcomes": (field("outcomes", {"ok": 200}), set()),
    "a flag that is not due": (
        field("flags", [{"code": "weak_encoder", "reason": "it is"}]),
        {("flags", "flags.weak_encoder")},
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_value_is_named(forge: Forge, wrong: Wrong, name: str) -> None:
    change, expected = FORGED[name]
    found = wrong(forge(change))
    assert found
    assert expected <= found


def test_a_users_outcome_cannot_be_forged_with_the_rate(forge: Forge, wrong: Wrong) -> None:
    def change(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
        mine = users["cell"] == cells[0]["cell"]
        row = users.index[mine & users["formed"].astype(bool)][0]
        users.loc[row, ["formed", "formed_strict"]] = False
        said = cells[0]["metrics"]["cfr"]
        said["value"] = float(users.loc[mine, "formed"].mean())

    found = wrong(forge(change))
    assert {("users", "formed"), ("rates", "metrics.cfr.low")} <= found
    assert ("rates", "metrics.cfr.value") not in found


def test_a_forged_outcome_of_a_photo_is_told_by_its_measures(forge: Forge, wrong: Wrong) -> None:
    found = wrong(forge(photo("outcome", "out_of_budget")))
    assert {("outcomes", "outcome"), ("outcomes", "outcomes")} <= found


def test_a_cell_with_the_digest_of_another_is_found_out(forge: Forge, wrong: Wrong) -> None:
    def change(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
        first = cells[0]["cell"]
        forged = "f" * 64
        cells[0]["cell"] = forged
        for table in (users, photos):
            table.loc[table["cell"] == first, "cell"] = forged

    assert wrong(forge(change), digests=1) == {("digests", "cell")}


def test_a_parameter_that_the_digest_covers_is_found_out(forge: Forge, wrong: Wrong) -> None:
    def change(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
        cells[0]["attacker"]["parameters"]["min_samples"] = 4

    assert wrong(forge(change), digests=1) == {("digests", "cell")}


def test_a_strangers_record_opens_no_file_that_it_names(
    forge: Forge, checked: Checked, tmp_path: Path
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"nothing")

    def change(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
        cells[0]["encoder"]["name"] = f"onnx:{tmp_path / 'net.onnx'}"
        cells[1]["dataset"]["parameters"]["people"] = 10**6

    (digests,) = (c for c in checked(forge(change), digests=5).checks if c.name == "digests")
    assert (digests.compared, sum(digests.left.values())) == (0, 2)


def test_a_cell_that_stands_there_twice_is_named(forge: Forge, wrong: Wrong) -> None:
    found = wrong(forge(lambda cells, users, photos: cells.append(cells[0])))
    assert ("records", "cell") in found


def test_a_forged_board_is_named_by_its_line(folder: Path, wrong: Wrong) -> None:
    from bench.board import render, views
    from bench.board.loading import load

    made = render.render("md", views.view("panel").table(*load([folder], of_users=True, of_photos=True)))
    (folder / "panel.md").write_text(made, "utf-8")
    assert wrong(folder) == set()
    (folder / "panel.md").write_text(made.replace("noise", "mine", 1), "utf-8")
    ((check, line),) = wrong(folder)
    assert check == "boards"
    assert line.startswith("line ")


def test_a_cell_that_needs_what_is_not_here_is_no_forgery(forge: Forge, checked: Checked) -> None:
    def change(cells: Cells, users: pd.DataFrame, photos: pd.DataFrame) -> None:
        cells[0]["encoder"]["name"] = "my-net"

    report = checked(forge(change), digests=1)
    (digests,) = (check for check in report.checks if check.name == "digests")
    assert (digests.mismatches, digests.compared) == ([], 0)
    assert digests.left["they need what is not here, such as the file of an encoder"] == 1
