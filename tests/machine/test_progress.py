"""Time left is said for what takes longer than two seconds, and for nothing else."""

from __future__ import annotations

import sys

import pytest

from bench.machine.progress import Silent, Terminal, duration


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """`time.monotonic` of the progress module; a test moves its only element on."""
    now = [100.0]
    monkeypatch.setattr("bench.machine.progress.time.monotonic", lambda: now[0])
    return now


def test_what_is_quick_says_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal().stage("draw", 10) as advance:
        for _ in range(10):
            clock[0] += 0.19
            advance()
    assert capsys.readouterr() == ("", "")


def test_a_log_gets_a_line_every_ten_seconds(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal().stage("draw", 40) as advance:
        for _ in range(40):
            clock[0] += 1
            advance()
    out, err = capsys.readouterr()
    assert out == ""
    # 2 s: 38 of 40 left at one a second
    assert err.splitlines() == [
        "draw: 2/40, 38 s left",
        "draw: 12/40, 28 s left",
        "draw: 22/40, 18 s left",
        "draw: 32/40, 8 s left",
        "draw: 40/40 in 40 s",
    ]


def test_a_terminal_is_redrawn_and_left_clean(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Terminal().stage("draw", 3) as advance:
        for _ in range(3):
            clock[0] += 2
            advance()
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.endswith("draw: 3/3 in 6 s\n")
    assert err.count("\r\x1b[2K") == 4


def test_a_stage_that_breaks_off_says_how_far_it_came(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="stop"), Terminal().stage("draw", 9) as advance:
        clock[0] += 3
        advance(4)
        raise ValueError("stop")
    assert capsys.readouterr().err.splitlines()[-1] == "draw: 4/9 in 3 s"


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with Silent().stage("draw", 1) as advance:
        advance()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
