"""A cell is stored whole under the version of every library that any of its stages stands on."""

from __future__ import annotations

import pytest

from bench import channels
from bench.attack import arena
from bench.machine.environment import LIBRARIES, environment
from bench.recognition import observer, recogniser
from bench.release import publisher

STAGES = {
    "attack": arena._LIBRARIES,
    "observe": observer._LIBRARIES,
    "recognise": recogniser._LIBRARIES,
    "release": publisher._LIBRARIES,
    "platform": channels.parse("messenger").libraries,
    "screenshot": channels.parse("screenshot").libraries,
    "purifier tv": channels.parse("tv:0.1").libraries,
    "purifier nlm": channels.parse("nlm:3").libraries,
    "purifier denoiser": channels.parse("denoiser:10").libraries,
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_new_version_of_a_library_of_any_stage_is_another_cell(stage: str) -> None:
    assert set(STAGES[stage]) <= set(LIBRARIES)


def test_a_record_says_with_what_it_was_clustered() -> None:
    packages = environment()["packages"]
    assert isinstance(packages, dict)
    assert packages["faiss-cpu"] != "absent"
