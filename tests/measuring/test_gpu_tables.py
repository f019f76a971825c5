"""The page shows a card's record, names the card, and takes no dry run for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gpu_tables
import pages
import performance
import pytest

from measuring.record import Figure, Record, StepResult
from measuring.setting import Setting


def cloaking(who: str, speed: float, success: float) -> StepResult:
    figures = (Figure("synth-ir", "cloaking", speed, "photos/s"), Figure("synth-ir", "success", success))
    return StepResult(f"cloaking by {who}", "speed", "measured", figures=figures)


MACHINE: dict[str, Any] = {
    "card": "Z80 Turbo 64 KB",
    "memory_gib": 79.6,
    "capability": "9.0",
    "cuda": "13.0",
    "python": "3.12.3",
    "system": "Linux",
    "packages": {"torch": "2.11.0"},
    "commit": "abc",
    "dirty": True,
    "faces": "drawn",
}
RECORD = Record(
    dry=False,
    machine=MACHINE,
    setting=Setting("cuda").plain(),
    limit_seconds=460,
    seconds=61.4,
    steps=(
        StepResult(
            "embeddings",
            "parity",
            "failed",
            figures=(
                Figure("synth-ir", "fp32 embedding, least cosine", 0.9999999, "1", "≥", 0.99999),
                Figure("synth-vit", "fp32 embedding, least cosine", 0.5, "1", "≥", 0.99999),
                Figure("synth-ir", "embeddings that depend on their batch", 0, "photos", "≤", 0),
                Figure("synth-vit", "embeddings that depend on their batch", 3, "photos", "≤", 0),
            ),
        ),
        StepResult(
            "embedding",
            "speed",
            "measured",
            figures=(
                Figure("synth-ir", "arithmetic of a crop", 0.1, "GFLOP"),
                Figure("synth-ir", "bf16 embedding", 100_000.0, "crops/s"),
                Figure("synth-ir", "bf16 arithmetic", 10.0, "TFLOP/s"),
                Figure("synth-ir", "bf16 arithmetic limit", 40.0, "TFLOP/s"),
                Figure("synth-ir", "bf16 share of the limit", 0.25),
            ),
        ),
        cloaking("engine", 900, 1.0),
        cloaking("torchattacks", 300, 1.0),
        cloaking("foolbox", 200, 1.0),
        StepResult(
            "memory", "memory", "measured", figures=(Figure("synth-ir", "cloaking, engine", 1234.5, "MiB"),)
        ),
        StepResult("tests", "parity", "skipped", "needs pytest"),
    ),
)


def written(record: Record, folder: Path) -> dict[str, Any]:
    record.write(folder / record.file_name)
    document: dict[str, Any] = json.loads((folder / record.file_name).read_text("utf-8"))
    return document


def test_without_a_record_the_page_says_so_and_what_to_type(tmp_path: Path) -> None:
    assert gpu_tables.printed(tmp_path) == gpu_tables.UNMEASURED
    assert "Unmeasured" in gpu_tables.UNMEASURED
    assert "`make gpu-check`" in gpu_tables.UNMEASURED


def test_a_record_is_shown_under_the_name_of_its_card(tmp_path: Path) -> None:
    written(RECORD, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["gpu-z80-turbo-64-kb.json"]
    lines = gpu_tables.printed(tmp_path).splitlines()
    assert lines[0] == "### Z80 Turbo 64 KB"
    assert "| GPU | 80 GiB, compute capability 9.0 |" in lines
    assert "| code | abc, with changes |" in lines
    # the worst encoder of each limit stands for all
    assert "| embeddings | fp32 embedding, least cosine | 0.5 | ≥ 0.99999 | no |" in lines
    assert "| embeddings | embeddings that depend on their batch | 3 | ≤ 0 | no |" in lines
    # 256 crops at 100,000 a second, .1 GFLOP each: 10,000 of 40,000 GFLOP/s
    assert "| `synth-ir` | GPU, bf16, batch 256 | 0.1 | 100,000 | 10,000 | 40,000 | 0.25 |" in lines
    # 900 photos a second beside 300 of the faster of the other two
    assert "| `synth-ir` | 900 (1.00) |  |  | 300 (1.00) | 200 (1.00) | 3.00 | nan |" in lines
    assert "| `synth-ir` | cloaking, engine | 1,234 |" in lines
    assert "| tests | skipped | needs pytest |" in lines
    assert (
        "| embeddings | failed | synth-vit: fp32 embedding, least cosine 0.5, not ≥ 0.99999; "
        "synth-vit: embeddings that depend on their batch 3, not ≤ 0 |" in lines
    )
    goals = [line for line in lines if line.startswith(("| cloaking", "| embedding in"))]
    assert goals == [
        "| cloaking, as many steps, beside the faster of torchattacks and Foolbox | ≥ 3 | 3 | yes |",
        "| cloaking with photos leaving at the goal, beside the same | ≥ 3 | not measured |  |",
        "| embedding in fp32, share of the arithmetic limit | ≥ 0.6 | not measured |  |",
        "| embedding in bf16, share of the arithmetic limit | ≥ 0.6 | 0.25 | no |",
    ]


def test_a_dry_run_is_no_record_of_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dry = replace(RECORD, dry=True, machine={**MACHINE, "card": None})
    written(dry, tmp_path)
    monkeypatch.setattr(performance, "RECORD", tmp_path / "results" / "benchmarks.json")
    with pytest.raises(SystemExit, match=r"dry-run\.json is of a dry run on a CPU"):
        performance.main([str(tmp_path / "dry-run.json")])
    assert not (tmp_path / "results").exists()


def test_a_record_is_put_among_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = written(RECORD, tmp_path)
    monkeypatch.setattr(performance, "RECORD", tmp_path / "results" / "benchmarks.json")
    monkeypatch.setattr(pages, "main", lambda check: 0)
    assert performance.main([str(tmp_path / RECORD.file_name)]) == 0
    (put,) = (tmp_path / "results").iterdir()
    assert put.name == "gpu-z80-turbo-64-kb.json"
    assert json.loads(put.read_text("utf-8")) == document
