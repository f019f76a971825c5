"""A remark of one kind is one line, and a count."""

from __future__ import annotations

import logging

import pytest

from bench.cli.remarks import Remarks


@pytest.mark.parametrize("times", [1, 2, 1500])
def test_the_first_remark_of_a_kind_is_told_and_the_others_are_counted(
    times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    log, remarks = logging.Logger("bench.a_test"), Remarks()
    log.addHandler(remarks)
    for number in range(times):
        log.warning("photo %s lacks %.1f of its end", f"{number}\x1b", 0.5)
        log.info("nothing that anybody asked for")
    log.warning("another thing")
    other = logging.Logger("fonts")
    other.addHandler(remarks)
    other.warning("a font is missing")
    remarks.rest()
    remarks.rest()
    first, second, *rest = capsys.readouterr().err.splitlines()
    assert first == "bench: photo 0\\x1b lacks 0.5 of its end"
    assert second == "bench: another thing"
    assert rest == [f"bench: {times - 1:,} more like this: photo … lacks … of its end"] * (times > 1)
