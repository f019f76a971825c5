"""The gate on `advmask`: a fresh run of the demo passes, and half its steps fail in a line that says why."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import bench
from bench.gate.verdict import Verdict, gate

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/gate.yml").read_text("utf-8"))
PAGE = (ROOT / "docs" / "gate-a-defense.md").read_text("utf-8")


def gated(defense: str, out: Path) -> Verdict:
    """The demo's cells of a defense against the committed ones, with what the workflow allows."""
    given = WORKFLOW["jobs"]["gate"]["steps"][-1]["with"]
    bench.run(
        defense=defense,
        attacker="dbscan",
        encoder=["synth-ir", "synth-inc", "synth-vit"],
        surrogate="synth-ir",
        budget="linf:8",
        out=out,
    )
    return gate(out, ROOT / given["baseline"], float(given["max-drop"]), [given["defenses"]])


@pytest.mark.slow
def test_advmask_is_as_strong_as_the_demo_s_records(tmp_path: Path) -> None:
    verdict = gated("advmask", tmp_path)
    assert verdict.verdict == "passed", verdict.headline


@pytest.mark.slow
def test_half_the_steps_of_advmask_fail_with_one_line_that_says_why(tmp_path: Path) -> None:
    verdict = gated("advmask:steps=10", tmp_path)
    assert verdict.status != 0
    assert "defense advmask: steps 20 -> 10" in verdict.headline
    assert "\n" not in verdict.headline
