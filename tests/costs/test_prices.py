"""What a piece of work costs: measured here, or similar, or of another machine, and never guessed."""

from __future__ import annotations

import pytest

from bench.costs.estimate import estimate
from bench.costs.ledger import Ledger
from bench.costs.measured import Measured, Spent
from bench.costs.prices import Prices
from bench.costs.work import Work


def cloak(dataset: str = "synthetic", defense: str = "pgd", **parameters: int) -> Work:
    return Work("cloak", {"defense": defense, "parameters": dict(parameters), "dataset": dataset})


def ask(photos: int) -> Work:
    return Work("answer", {"attacker": "dbscan"}, photos)


def measured(work: Work, each: float, times: int = 10, first: float = 0.0, peak: float = 1.0) -> Measured:
    spent, start = Spent(times, times * each, 2 * times * each), Spent(1, each + first, 2 * (each + first))
    return Measured(work, spent, start, peak, "cpu", "a processor")


def test_what_was_measured_costs_what_it_cost() -> None:
    price = Prices([measured(cloak(steps=40), 0.5, first=3.0)]).of(cloak(steps=40))
    assert (price.source, price.piece.seconds, price.piece.core_seconds) == ("measured here", 0.5, 1.0)
    assert price.start.seconds == pytest.approx(3.0)  # the first one took 3 s longer than the others


def test_twice_the_steps_take_twice_as_long() -> None:
    price = Prices([measured(cloak(steps=40), 0.5)]).of(cloak(steps=80))
    assert (price.source, price.piece.seconds) == ("similar work, measured here", 1.0)


def test_steps_that_one_side_does_not_state_are_no_proportion() -> None:
    assert Prices([measured(cloak(), 0.5)]).of(cloak(steps=80)).piece.seconds == 0.5


def test_the_nearest_measurement_counts() -> None:
    here = [measured(cloak("lfw", steps=40), 4.0), measured(cloak("synthetic", steps=40), 0.5)]
    assert Prices(here).of(cloak("lfw", steps=20)).piece.seconds == 2.0


def test_another_defense_says_nothing() -> None:
    assert Prices([measured(cloak(defense="advmask"), 0.5)]).of(cloak()).source == "unknown"


def test_this_machine_goes_before_another() -> None:
    here, elsewhere = [measured(cloak(steps=40), 0.5)], [measured(cloak(steps=80), 9.0)]
    assert Prices(here, elsewhere).of(cloak(steps=80)).piece.seconds == 1.0
    price = Prices([], elsewhere).of(cloak(steps=40))
    assert (price.source, price.piece.seconds) == ("of another machine", 4.5)


def test_the_median_photo_counts() -> None:
    here = [measured(cloak(), each, times) for each, times in ((9.0, 10), (1.0, 100), (0.1, 20))]
    assert Prices(here).of(cloak()).piece.seconds == 1.0


def test_costs_grow_as_they_were_seen_to_grow() -> None:
    # 100 photos take 1 s, 1,000 take 100 s: the power is 2
    prices = Prices([measured(ask(100), 1.0), measured(ask(1000), 100.0)])
    assert prices.of(ask(10_000)).piece.seconds == pytest.approx(10_000)
    assert prices.of(ask(1000)).piece.seconds == pytest.approx(100)
    assert Prices([measured(ask(100), 1.0)]).of(ask(300)).piece.seconds == pytest.approx(3)


def test_a_first_piece_alone_is_all_that_is_known() -> None:
    only = Measured(cloak(), Spent(), Spent(4, 8.0, 8.0), 1.0, "cpu", "a processor")
    price = Prices([only]).of(cloak())
    assert (price.piece.seconds, price.start.seconds) == (2.0, 0.0)


def test_an_estimate_adds_up_and_says_what_it_does_not_know() -> None:
    ledger = Ledger()
    ledger.add(cloak(), 10)
    ledger.add(cloak(), 10)
    ledger.add(ask(100), 0)
    known = estimate(ledger, Prices([measured(cloak(), 0.5, first=3.0, peak=700.0)]))
    assert (known.seconds, known.core_seconds) == pytest.approx((13.0, 26.0))
    assert (known.complete, known.peak_memory_mib) == (True, 700.0)
    ledger.add(ask(100))
    partly = estimate(ledger, Prices([measured(cloak(), 0.5)]))
    assert (partly.seconds, partly.complete) == (pytest.approx(10.0), False)
    assert [(line.stage, line.pieces, line.seconds) for line in partly.lines] == [
        ("cloak", 20, pytest.approx(10.0)),
        ("tune and judge attackers", 1, None),
    ]
