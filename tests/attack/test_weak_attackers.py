"""Rows in which the attacker fails without a cloak too, or fails at everybody's photos, are no evidence."""

from __future__ import annotations

import pytest

from bench.attack.judge import flags
from bench.types import Flag, FlagCode, Score


def rate(name: str, value: float) -> dict[str, Score]:
    return {name: Score(name, value, 0.0, 1.0, 20, "lower")}


@pytest.mark.parametrize(
    ("name", "enough", "short", "said"),
    [
        ("cfr", 0.8, 0.79, "clean CFR below 0.8"),
        ("cfr_link", 0.8, 0.79, "clean CFR-link below 0.8"),
        ("psr1", 0.2, 0.21, "clean rank-1 rate below 0.8"),
        ("protection_rate", 0.2, 0.21, "clean rank-1 rate below 0.8"),
    ],
)
def test_an_attacker_must_succeed_on_clean_photos(name: str, enough: float, short: float, said: str) -> None:
    assert flags({}, rate(name, enough)) == []
    (flag,) = flags({}, rate(name, short))
    assert flag == Flag(FlagCode.WEAK_ATTACKER, f"no evidence of protection ({said})")


def test_an_attacker_must_not_give_up_everybody_else() -> None:
    clean = rate("bcubed_f_background", 0.9)
    assert flags(rate("bcubed_f_background", 0.82), clean) == []
    (flag,) = flags(rate("bcubed_f_background", 0.80), clean)
    assert flag.reason == "no evidence of protection (background BCubed F below 0.9 of its clean value)"


def test_a_reason_takes_its_numbers_from_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.attack.judge.WEAK", 0.55)
    monkeypatch.setattr("bench.attack.judge.KEPT", 0.65)
    clean = rate("cfr", 0.5) | rate("bcubed_f_background", 0.9)
    first, second = flags(rate("bcubed_f_background", 0.5), clean)
    assert "below 0.55" in first.reason
    assert "below 0.65" in second.reason


def test_every_reason_is_told() -> None:
    assert len(flags({}, rate("cfr", 0.5) | rate("cfr_link", 0.5) | rate("psr1", 0.9))) == 3
