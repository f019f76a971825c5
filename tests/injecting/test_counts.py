"""Every injection has committed counts that belong to it, and no outcome of them is wrong."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pages
import pytest
import reliability

from injecting import counts
from injecting.injection import (
    CannotInjectError,
    Injection,
    Outcome,
    assert_all_right,
    counts_of,
    draws,
    known,
)

RIGHT, WRONG = Outcome("went well", True), Outcome("went badly", False)


def coin(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    assert not any(folder.iterdir())
    return Counter(rng.choice([RIGHT, WRONG]) for rng in draws(times, seed))


COIN = Injection("coin", "a coin", "heads", 20, coin)


def test_every_injection_has_its_committed_counts_and_none_is_wrong() -> None:
    assert counts.differences(known(), counts.read()) == []


def test_committed_counts_name_no_place() -> None:
    for path in counts.FOLDER.glob("*.json"):
        assert not re.search(r'"/|/tmp|/home|[a-z]:\\\\', path.read_text("utf-8")), path.name


def test_what_does_not_belong_together_is_told(tmp_path: Path) -> None:
    counts.write(COIN, 3, Counter({RIGHT: 20}), tmp_path)
    held = counts.read(tmp_path)
    assert counts.differences({"coin": COIN}, held) == []
    assert counts.differences({}, held) == ["the injection coin is gone: remove its counts"]
    assert counts.differences({"coin": COIN}, {}) == ["coin has no counts: python .ci/reliability.py coin"]
    for changed in (replace(COIN, injected="dice"), replace(COIN, right="tails"), replace(COIN, times=21)):
        (line,) = counts.differences({"coin": changed}, held)
        assert "differ" in line
    counts.write(COIN, 3, Counter({RIGHT: 19, WRONG: 1}), tmp_path)
    assert counts.differences({"coin": COIN}, counts.read(tmp_path)) == ["coin: wrong: went badly"]


def test_counts_of_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / "coin.json").write_text(json.dumps({"schema": counts.SCHEMA, "schema_version": 0}))
    with pytest.raises(SystemExit, match=r"coin\.json holds no counts, version 1"):
        counts.read(tmp_path)


def test_a_wrong_outcome_fails_a_test_with_its_seed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"coin, 20 times, seed 5: \d+ x went badly"):
        assert_all_right(COIN, 20, 5, tmp_path)
    always = replace(COIN, inject=lambda times, *_: Counter({RIGHT: times}))
    assert assert_all_right(always, 20, 5, tmp_path) == {RIGHT: 20}


def test_an_injection_that_looks_away_is_refused(tmp_path: Path) -> None:
    blind = replace(COIN, inject=lambda *_: Counter({RIGHT: 1}))
    with pytest.raises(RuntimeError, match="1 outcomes of 2 times"):
        counts_of(blind, 2, 0, tmp_path)


def test_a_seed_draws_the_same_however_often() -> None:
    def numbers(times: int, seed: int) -> list[int]:
        return [rng.randrange(10**9) for rng in draws(times, seed)]

    assert numbers(5, 1) == numbers(9, 1)[:5]
    assert len({*numbers(9, 1), *numbers(9, 2)}) == 18


def test_the_command_says_which_outcomes_were_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def cannot(*_: Any) -> Counter[Outcome]:
        raise CannotInjectError("no coin")

    fine = replace(COIN, name="fine", inject=lambda times, *_: Counter({RIGHT: times}))
    made = {"coin": COIN, "fine": fine, "none": replace(COIN, name="none", inject=cannot)}
    written: list[str] = []
    monkeypatch.setattr(reliability, "known", lambda: made)
    monkeypatch.setattr(pages, "main", lambda check: 0)
    monkeypatch.setattr(counts, "write", lambda injection, *_: written.append(injection.name))
    assert reliability.main([]) == 1
    assert (reliability.main(["fine"]), reliability.main(["fine", "none"])) == (0, 2)
    assert written == ["coin", "fine", "fine", "fine"]
    told = capsys.readouterr().err
    assert "x WRONG: went badly" in told
    assert "none: cannot be run here: no coin; its former counts stay" in told
    with pytest.raises(SystemExit):
        reliability.main(["dice"])
    assert "there is no dice; there are: coin, fine, none" in capsys.readouterr().err


def test_two_injections_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from injecting import stored_results

    monkeypatch.setattr(stored_results, "INJECTIONS", stored_results.INJECTIONS * 2)
    with pytest.raises(RuntimeError, match=f"one name: {stored_results.INJECTIONS[0].name}"):
        known()
