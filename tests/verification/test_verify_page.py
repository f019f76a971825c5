"""The page on verification, the cards and the committed records say the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.encoders.families.onnx_file.cards import CARDS
from bench.encoders.measured import FILE, with_figures
from bench.errors import UserError
from bench.metrics.verification import SEPARATES
from bench.verification.__main__ import figures, main, page
from bench.verification.records import VerificationRecord, read
from bench.verification.table import to_markdown

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "results" / "encoders"
PAGE = (ROOT / "docs" / "verification.md").read_text("utf-8")
RECORDS = read(FOLDER)
ONNX = {card.name: card for card in CARDS}


def test_the_table_on_the_page_is_what_the_records_give() -> None:
    made = re.search(r"<!-- made by .*-->\n\n(.*?)\n*<!-- /made -->", PAGE, re.S)
    assert made is not None
    assert made[1].strip() == to_markdown(RECORDS).strip()
    assert (FOLDER / "verification.md").read_text("utf-8") == to_markdown(RECORDS)


def test_the_cards_have_the_records_figures() -> None:
    assert json.loads(FILE.read_text("utf-8")) == figures(RECORDS)
    for record in RECORDS:
        if record.encoder.name in ONNX:
            measured = with_figures(ONNX[record.encoder.name]).measured
            assert measured["accuracy"] == record.metrics["accuracy"].value
            assert (measured["dataset"], measured["pairs"]) == ("lfw", record.pairs)


def test_figures_are_of_these_weights_and_of_no_others() -> None:
    for record in RECORDS:
        if record.encoder.name in ONNX:
            assert record.encoder.digest == ONNX[record.encoder.name].sha256
    unknown = replace(next(iter(ONNX.values())), sha256="0" * 64)
    assert with_figures(unknown) is unknown


def test_figures_are_written_where_cards_and_page_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.verification.__main__.FILE", tmp_path / "measured.json")
    copy = tmp_path / "page.md"
    copy.write_text(re.sub(r"(<!-- made by .*-->\n).*(<!-- /made -->)", r"\1\2", PAGE, flags=re.S), "utf-8")
    assert copy.read_text("utf-8") != PAGE
    assert main([str(FOLDER), "--page", str(copy)]) == 0
    assert (tmp_path / "measured.json").read_bytes() == FILE.read_bytes()
    assert copy.read_text("utf-8") == PAGE
    assert page(PAGE, RECORDS) == PAGE
    with pytest.raises(UserError, match="no lines"):
        page("no table here", RECORDS)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.encoder.name)
def test_a_committed_record_is_consistent(record: VerificationRecord) -> None:
    values = {name: metric.value or 0.0 for name, metric in record.metrics.items()}
    assert values["accuracy"] == pytest.approx(sum(record.fold_accuracy) / 10)
    assert values["tar_far_1e3"] <= values["tar_far_1e2"]
    assert values["far_1e3"] <= values["far_1e2"]
    assert all((m.low or 0) <= (m.value or 0) <= (m.high or 0) for m in record.metrics.values())
    assert bool(record.flags) == (values["auc_detected"] < SEPARATES)
    assert record.environment["dirty"] is False
    assert record.speed is not None
    assert (record.clustering is None) == (RECORDS[0].clustering is None)


def test_every_encoder_of_the_project_that_could_be_had_is_there() -> None:
    names = {record.encoder.name for record in RECORDS}
    assert names == {"synth-inc", "synth-ir", "synth-vit", "dlib", *ONNX}
    for data in ("lfw", "synthetic"):
        assert len({r.pairs_digest for r in RECORDS if r.dataset.name == data}) == 1


def test_the_example_on_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    [block] = re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)
    exec(compile(block, "verification.md", "exec"), {})
    assert re.fullmatch(r"[01]\.\d{3} \[0\.\d{3}, [01]\.\d{3}\] \d+\n", capsys.readouterr().out)
