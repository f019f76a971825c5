"""The composite action: the workflow of the page names its inputs, and its script does what the gate says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Plant = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / ".github/actions/gate/action.yml").read_text("utf-8"))
OWN: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/gate.yml").read_text("utf-8"))
PAGE = (ROOT / "docs" / "gate-a-defense.md").read_text("utf-8")


def documented() -> dict[str, Any]:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.S | re.M)
    workflow: dict[str, Any] = yaml.safe_load(text)
    return workflow


def gating(workflow: dict[str, Any]) -> dict[str, Any]:
    (step,) = [s for s in workflow["jobs"]["gate"]["steps"] if "actions/gate" in s.get("uses", "")]
    given: dict[str, Any] = step["with"]
    return given


@pytest.mark.parametrize("workflow", [documented(), OWN], ids=["page", "own"])
def test_a_workflow_gives_what_the_action_takes(workflow: dict[str, Any]) -> None:
    given, inputs = gating(workflow), ACTION["inputs"]
    assert set(given) <= set(inputs)
    assert {name for name, one in inputs.items() if one.get("required")} <= set(given)
    assert workflow["permissions"] == {"contents": "read"}
    assert all(isinstance(value, str) for value in given.values())
    actions = [s["uses"] for s in workflow["jobs"]["gate"]["steps"] if "uses" in s]
    assert all(
        re.fullmatch(r"actions/[a-z-]+@v\d+|(\.|OWNER/cloakbench)/\.github/actions/gate(@v.+)?", a)
        for a in actions
    )


def test_our_own_gates_the_demo() -> None:
    given = gating(OWN)
    assert (given["defenses"], given["baseline"]) == ("advmask", "results/built-in")
    (run,) = [s["run"] for s in OWN["jobs"]["gate"]["steps"] if s.get("run", "").startswith("bench run")]
    command = (ROOT / "results/built-in/COMMAND").read_text("utf-8").split()
    asked = [word for word in command[2:] if word not in ("none", "noise")]
    words = run.split()[2:]
    assert [w for w in words if w not in asked] == ["out/fresh"]
    assert words.count("--encoder") == command.count("--encoder")


def test_no_input_reaches_the_shell_as_text() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
@pytest.mark.parametrize(("now", "status"), [(10, 0), (40, 1), (None, 2), (14, 3)])
def test_its_script_ends_as_the_gate_does_and_keeps_the_reports(
    plant: Plant, tmp_path: Path, now: int | None, status: int
) -> None:
    def cell(count: int | None) -> dict[str, Any]:
        return {"found": None if count is None else [i < count for i in range(60)]}

    before, after = plant("before", cell(10)), plant("after it", cell(now))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "bench").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m bench.cli "$@"\n', "utf-8"
    )
    (tmp_path / "bin" / "bench").chmod(0o755)
    gate = ACTION["runs"]["steps"][0]
    given = {"records": str(after), "baseline": str(before), "max-drop": "0.1", "defenses": "mask"}
    inputs = {name: given.get(name, one.get("default", "")) for name, one in ACTION["inputs"].items()}
    named = {
        variable: inputs[re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", text)[1]]  # type: ignore[index]
        for variable, text in gate["env"].items()
    }
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", gate["run"]],
        cwd=tmp_path,
        env=os.environ
        | named
        | files
        | {"PATH": path, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert (tmp_path / "GITHUB_OUTPUT").read_text("utf-8") == f"status={status}\n"
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text("utf-8").startswith("## bench gate: ")
    assert (tmp_path / inputs["reports"] / "junit.xml").is_file()
    annotated = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert 1 <= len(annotated) <= 10
