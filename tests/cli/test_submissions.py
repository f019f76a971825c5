"""`bench submit`, `bench validate`, `bench judge`: exit status, and one line for mistakes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command

Plant = Callable[..., Path]
RESULTS = Path(__file__).resolve().parents[2] / "results"


@pytest.mark.slow
def test_what_is_packed_validates_and_what_is_forged_does_not(bench: Command, tmp_path: Path) -> None:
    pack = tmp_path / "mine.zip"
    done = bench(
        "submit", RESULTS / "built-in", "--out", pack, "--by", "Ann\x1b[31m", "--url", "https://a.org"
    )
    assert (done.status, done.out) == (0, f"{pack}\n")
    done = bench("validate", pack)
    assert done.status == 0
    assert "\x1b" not in done.out
    assert "by Ann\\x1b[31m (https://a.org)" in done.out
    assert done.out.endswith("everything that can be recomputed matches\n")
    forged = tmp_path / "forged"
    shutil.copytree(RESULTS / "built-in", forged)
    for board in (*forged.glob("board.*"), forged / "leaders.md"):
        board.unlink()
    text = (forged / "records.json").read_text("utf-8")
    (forged / "records.json").write_text(text.replace('"knowledge": "none"', '"knowledge": "black-box"'))
    done = bench("validate", forged, "--json")
    assert done.status == 1
    (report,) = json.loads(done.out)["submissions"]
    fields = {m["field"] for check in report["checks"] for m in check["mismatches"]}
    assert not report["matches"]
    assert "knowledge" in fields


def test_mistakes_are_one_line(bench: Command, plant: Plant, tmp_path: Path) -> None:
    folder, empty = plant("run", {"found": [1.0, 0.0]}), tmp_path / "empty"
    empty.mkdir()
    assert "photos.parquet is damaged: it has no columns 'photo'" in bench("validate", folder).one_line()
    assert "no submission at" in bench("validate", tmp_path / "nowhere").one_line()
    assert "has no records" in bench("validate", empty).one_line()
    assert "no format 'xml'" in bench("validate", empty, "--format", "xml").one_line()
    (empty / "mine.zip").write_bytes(b"PK")
    assert "no whole zip file" in bench("validate", empty / "mine.zip").one_line()
    pack = tmp_path / "mine.zip"
    assert "has no records" in bench("submit", empty, "--out", pack).one_line()
    assert (
        "no address of the web"
        in bench("submit", folder, "--out", pack, "--by", "Ann", "--url", "javascript:1").one_line()
    )
    assert "Type --by NAME" in bench("submit", folder, "--out", pack, "--url", "https://a.org").one_line()
    assert not pack.exists()
    assert "nothing to judge" in bench("judge", folder).one_line()
    assert "which --cell names" in bench("judge", folder, "--blank", tmp_path / "attack.json").one_line()
    file = tmp_path / "attack.json"
    file.write_text('{"format": 2}')
    line = bench("judge", folder, "--attack", file, "--out", tmp_path / "out").one_line()
    assert "attack.json: format" in line
    assert (
        "no cells whose digest begins with 'zz'"
        in bench("judge", RESULTS / "built-in", "--cell", "zz", "--blank", file).one_line()
    )
    cell = json.loads((RESULTS / "built-in" / "records.json").read_text("utf-8"))["cells"][0]["cell"]
    line = bench("judge", RESULTS / "built-in", "--cell", cell, "--blank", file).one_line()
    assert "has no manifest.csv of these users" in line
