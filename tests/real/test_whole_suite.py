"""The suite `paper` on LFW lies in results/ as a whole: no cell that it has today is missing."""

from __future__ import annotations

from pathlib import Path

from bench.faces.finder import detector_parameters
from bench.plan.doors import COMMAND_LINE
from bench.plan.resolve import resolve
from bench.plan.spec import read_options
from bench.plan.suites import load
from bench.records import read
from bench.types import Folders

RESULTS = Path(__file__).resolve().parents[2] / "results"
OPTIONS = {
    "dataset": "lfw",
    "users": 60,
    "background": 400,
    "surrogate": ["insightface_mobilefacenet_y1"],
}
"""What the commands in results/lfw-*/COMMAND ask besides."""


def test_every_cell_of_the_suite_paper_on_lfw_is_committed(real_folders: Folders) -> None:
    asked = {
        cell.digest
        for spec in load("paper", read_options(OPTIONS, COMMAND_LINE))
        for cell in resolve(spec, real_folders, detector_parameters(), "cpu").cells
    }
    folders = [folder for folder in RESULTS.glob("lfw-*") if (folder / "COMMAND").exists()]
    held = {record.cell for folder in folders for record in read(folder) if record.status == "ok"}
    assert asked
    assert len(asked - held) == 0
