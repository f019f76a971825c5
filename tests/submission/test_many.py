"""Ten thousand records: a correct board, a report, and a first page that is there at once."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench.board.leaders import leader_rows
from bench.board.loading import load
from bench.machine.progress import Silent
from bench.site.folder import publish
from bench.submission.report import Report
from bench.uncertainty.intervals import wilson

pytestmark = pytest.mark.slow

RESULTS = Path(__file__).resolve().parents[2] / "results"
DEFENSES, ATTACKERS, ENCODERS, BUDGETS = 10, 10, 10, 10
USERS, PHOTOS = 10, 4
SECONDS_TO_FIRST_TABLE = 2.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def rate(hits: int) -> dict[str, Any]:
    low, high = wilson(hits, USERS)
    return {"value": hits / USERS, "low": low, "high": high, "n": USERS, "better": "lower", "bounds": None}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every defense has its own chance to hide a user; defense 0 hides everybody, defense 9 nobody."""
    folder = tmp_path_factory.mktemp("many")
    document = json.loads((RESULTS / "built-in" / "records.json").read_text("utf-8"))
    base = next(cell for cell in document["cells"] if cell["defense"]["name"] == "advmask")
    base |= {"knowledge": "black-box", "perceptual": {}, "controls": {}, "unused": {}, "flags": []}
    base |= {"outcomes": {"ok": USERS * PHOTOS}, "tried": [], "tried_crowd": [], "calibrated": {}}
    rng = np.random.default_rng(0)
    cells: list[dict[str, Any]] = []
    found: list[Any] = []
    for defense, attacker, network, budget in product(
        *(range(n) for n in (DEFENSES, ATTACKERS, ENCODERS, BUDGETS))
    ):
        formed = rng.random(USERS) < defense / (DEFENSES - 1)
        figures = {"cfr": rate(int(formed.sum())), "cfr_strict": rate(int(formed.sum()))}
        digest = hashlib.sha256(f"{defense} {attacker} {network} {budget}".encode()).hexdigest()
        encoder = {"name": f"net{network}", "digest": f"{network}" * 64, "parameters": {}}
        encoder["parameters"] = {"architecture": f"a{network}", "training_set": f"t{network}"}
        cells.append(
            base
            | {"cell": digest, "metrics": figures, "encoder": encoder, "budget": f"linf:{budget + 1}"}
            | {"defense": {"name": f"mask{defense}", "parameters": {}, "digest": None}}
            | {"attacker": {"name": f"finder{attacker}", "parameters": {}, "digest": None}}
        )
        found.append(formed)
    (folder / "records.json").write_text(json.dumps({"schema_version": 2, "cells": cells}), "utf-8")
    whole = np.concatenate(found).astype(float)
    names = [f"{user:016x}" for user in range(USERS)]
    users = pd.DataFrame({"cell": np.repeat([cell["cell"] for cell in cells], USERS)})
    users["user"] = names * len(cells)
    users["support"] = whole * PHOTOS
    for column in ("purity", "coverage"):
        users[column] = whole
    for column in ("formed", "formed_strict"):
        users[column] = whole.astype(bool)
    photos = users[["cell", "user"]].loc[users.index.repeat(PHOTOS)].reset_index(drop=True)
    photos["photo"] = photos["released"] = "0" * 16
    photos["outcome"], photos["photo_linf"], photos["faces"] = "ok", 1.0, 1
    at = np.repeat(whole, PHOTOS)
    photos["cluster"] = np.where(at > 0, np.tile(np.repeat(np.arange(USERS), PHOTOS), len(cells)), -1)
    photos["cluster_size"] = (at * PHOTOS).astype(int)
    users.to_parquet(folder / "users.parquet", index=False)
    photos.to_parquet(folder / "photos.parquet", index=False)
    return folder


def test_ten_thousand_records_validate(many: Path, checked: Callable[..., Report]) -> None:
    report = checked(many)
    assert report.matches, report.to_text()[:2000]
    compared = {check.name: check.compared for check in report.checks}
    assert compared["records"] == 10_000
    assert compared["users"] == 10_000 * USERS * 5


def test_ten_thousand_records_give_a_correct_board(many: Path) -> None:
    rows = leader_rows(*load([many], of_users=True, of_photos=True))
    assert len(rows) == DEFENSES * BUDGETS
    users = pd.read_parquet(many / "users.parquet")
    cells = json.loads((many / "records.json").read_text("utf-8"))["cells"]
    row_of = {cell["cell"]: (cell["defense"]["name"], cell["budget"]) for cell in cells}
    users["row"] = users["cell"].map(row_of)
    of_users = users.groupby(["row", "user"])["formed"].any().groupby("row").mean()
    for row in rows:
        assert row.any is not None
        assert row.any.value == of_users[(row.defense, row.budget)]
        assert row.attackers == row.panel == ATTACKERS * ENCODERS
    hidden = [row for row in rows if row.defense == "mask0"]
    assert {(row.rank_first, row.worst.value if row.worst else None) for row in hidden} == {(1, 0.0)}


@pytest.fixture(scope="module")
def site(many: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("site") / "site"
    publish([many], folder, Silent())
    yield folder
    shutil.rmtree(folder)


def test_the_first_table_of_ten_thousand_records_is_there_at_once(site: Path) -> None:
    driver = pytest.importorskip("playwright.sync_api")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("there is no Chromium here: 'apt-get install chromium', or Chrome")
    with driver.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        chromium.new_page().goto("about:blank")  # the browser itself has started
        page = chromium.new_page()
        began = time.monotonic()
        page.goto((site / "index.html").as_uri(), wait_until="commit")
        page.locator("table[data-rows] tbody tr").first.wait_for(state="visible")
        took = time.monotonic() - began
        count = page.locator("table[data-rows] tbody tr").count()
        chromium.close()
    assert count >= DEFENSES
    assert took < SECONDS_TO_FIRST_TABLE
