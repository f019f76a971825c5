"""Simulated strangers are as far from each other, and from themselves, as those they were drawn after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.attack.distractors import Crowds, Present, draw, fit
from bench.errors import UserError


def population(people: int, photos: int, seed: int, dimensions: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """A stand-in for an encoder: a falling spectrum, a mean that is not zero, some photos worse than others.

    Deviations are not Gaussian, and people are not all as steady: neither is in the model that is fitted.
    """
    axes = np.random.default_rng(0)
    spectrum = np.arange(1, dimensions + 1) ** -0.5
    mean = 0.3 * axes.normal(size=dimensions) * spectrum
    turn = np.linalg.qr(axes.normal(size=(dimensions, dimensions)))[0]
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), photos)
    centres = mean + rng.normal(size=(people, dimensions)) * spectrum
    steadiness = rng.uniform(0.6, 1.0, size=people)[who, None]
    worse = rng.gamma(4, 0.25, size=(who.size, 1)) ** 0.5
    rows = centres[who] + steadiness * worse * (rng.normal(size=(who.size, dimensions)) * spectrum) @ turn
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), who


def simulate(
    rows: np.ndarray, who: np.ndarray, *, identities: int, photos: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    return draw(fit(rows, who), identities, photos, seed)


def cosines(rows: np.ndarray, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of pairs of photos of one person, and of different people."""
    alike = (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    same = (who[:, None] == who[None])[np.triu_indices(len(rows), 1)]
    return alike[same], alike[~same]


def test_cosines_are_distributed_as_among_real_people_who_were_not_fitted() -> None:
    # Stated tolerances: mean .03, spread a tenth, and the tail that makes false matches .03.
    fitted = population(200, 6, seed=1)
    fresh = cosines(*population(300, 6, seed=2))
    drawn = cosines(*simulate(*fitted, identities=300, photos=6, seed=0))
    for real, simulated in zip(fresh, drawn, strict=True):
        assert simulated.mean() == pytest.approx(real.mean(), abs=0.03)
        assert simulated.std() == pytest.approx(real.std(), rel=0.1)
    assert np.quantile(drawn[1], 0.999) == pytest.approx(np.quantile(fresh[1], 0.999), abs=0.03)
    assert np.quantile(drawn[0], 0.05) == pytest.approx(np.quantile(fresh[0], 0.05), abs=0.05)


def test_lookalikes_are_as_alike_as_among_real_people() -> None:
    # Families, which no Gaussian over all people knows.
    rows, who = families(300, 3, seed=1)
    crowd = fit(rows, who)
    gaussian = cosines(*draw(replace(crowd, pull=0.0, resembling=0.0), 500, 1, seed=0))[1]
    drawn = cosines(*draw(crowd, 500, 1, seed=0))[1]
    real = cosines(rows, who)[1]
    tails = [np.quantile(pairs, 0.9995) for pairs in (gaussian, drawn, real)]
    assert tails[0] < tails[2] - 0.05  # without a pull strangers are too easy
    assert tails[1] == pytest.approx(tails[2], abs=0.04)


def families(people: int, photos: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Everybody is of one of 60 families, in each of which faces are much alike; the same in every call."""
    rows, who = population(people, photos, seed=seed)
    family = np.random.default_rng(4).normal(size=(60, 128))[np.arange(people) % 60][who]
    rows = rows + 0.09 * family
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), who


def test_people_whom_the_model_never_saw_have_look_alikes() -> None:
    # The people present are in no fit. Stated tolerance: a tenth of the cosine that one pair in 1,000 or in
    # 10,000 exceeds, and of the cosine to the nearest stranger.
    crowd = fit(*families(180, 4, seed=1))
    users, who = families(60, 5, seed=2)
    real, present = families(1000, 2, seed=3), Present.of(users, who)
    with_them = draw(crowd, 1000, 2, seed=0, present=present)
    gaussian = draw(replace(crowd, pull=0.0, resembling=0.0), 1000, 2, seed=0)
    figures = []
    for strangers, _ in (real, with_them, gaussian):
        alike = users @ strangers.T
        figures.append([*np.quantile(alike, [0.999, 0.9999]), alike.max(axis=1).mean()])
    assert figures[1] == pytest.approx(figures[0], rel=0.1)
    assert figures[2] != pytest.approx(figures[0], rel=0.1)


def test_look_alikes_of_a_user_are_as_many_in_a_crowd_of_any_size() -> None:
    crowd = fit(*families(180, 4, seed=1))
    present = Present.of(*families(40, 5, seed=2))
    shares = []
    for identities in (1000, 8000):
        alike = present.directions @ draw(crowd, identities, 1, seed=0, present=present)[0].T
        shares.append(np.quantile(alike, 0.9995))
    assert shares[0] == pytest.approx(shares[1], rel=0.05)


def test_of_many_people_present_the_first_thousand_are_resembled(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, who = population(12, 3, seed=1)
    everybody = Present.of(rows, who + 5)
    assert everybody.directions.shape == (12, 128) and everybody.photos.tolist() == [3] * 12
    assert np.allclose(np.linalg.norm(everybody.directions, axis=1), 1)
    monkeypatch.setattr("bench.attack.stranger_model.MOST_PRESENT", 7)
    assert np.array_equal(Present.of(rows, who).directions, everybody.directions[:7])


def test_where_nobody_is_present_strangers_are_drawn_all_the_same() -> None:
    crowd = fit(*families(180, 4, seed=1))
    nobody = Present.of(np.zeros((0, 128), np.float32), np.zeros(0, np.int64))
    alone = draw(crowd, 20, 2, seed=0)[0]
    assert crowd.resembling > 0.5 and np.array_equal(draw(crowd, 20, 2, seed=0, present=nobody)[0], alone)
    assert np.isfinite(alone).all()


def test_people_with_one_photo_count_for_the_spread_of_people() -> None:
    # Thirty with several photos and six hundred with one: as a calibration crowd is.
    several, single = population(30, 6, seed=1), population(600, 1, seed=3)
    rows, who = np.concatenate([several[0], single[0]]), np.concatenate([several[1], 30 + single[1]])
    fresh = cosines(*population(300, 6, seed=2))
    drawn = cosines(*simulate(rows, who, identities=300, photos=6, seed=0))
    for real, simulated in zip(fresh, drawn, strict=True):
        assert simulated.mean() == pytest.approx(real.mean(), abs=0.05)
        assert simulated.std() == pytest.approx(real.std(), rel=0.2)


def test_strangers_do_not_share_deviations_however_many_there_are() -> None:
    # Copying one of 60 real deviations would make pairs of strangers that look like one person.
    rows, who = draw(fit(*population(30, 2, seed=1)), 3000, 1, seed=0)
    _, strangers = cosines(rows[:1500], who[:1500])
    rows, who = population(1500, 1, seed=2)
    assert strangers.max() < cosines(rows, who)[1].max() + 0.1


def test_rows_are_unit_and_people_are_named_in_order() -> None:
    rows, who = simulate(*population(30, 4, seed=1), identities=7, photos=3, seed=0)
    assert rows.dtype == np.float32 and rows.shape == (21, 128) and who.dtype == np.int64
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert who.tolist() == np.repeat(np.arange(7), 3).tolist()


def test_the_first_people_are_the_same_however_many_are_drawn_and_in_whatever_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = fit(*population(30, 4, seed=1))
    few, many = draw(crowd, 5, 2, seed=3)[0], draw(crowd, 50, 2, seed=3)[0]
    monkeypatch.setattr("bench.attack.stranger_model._BLOCK", 128 * 2 * 3)
    blocks = draw(crowd, 50, 2, seed=3)[0]
    assert np.allclose(few, many[:10], atol=1e-6) and np.allclose(blocks, many, atol=1e-6)
    assert not np.allclose(draw(crowd, 5, 2, seed=4)[0], few, atol=0.1)


def test_too_few_people_to_tell_are_the_users_mistake() -> None:
    with pytest.raises(
        UserError, match=r"^distractors are drawn after at least 10 .* this split has 9\."
    ) as error:
        fit(*population(9, 4, seed=1))
    assert "\n" not in str(error.value)
    with pytest.raises(ValueError, match="must be finite"):
        fit(np.full((4, 3), np.nan), np.zeros(4, int))
    with pytest.raises(ValueError, match="at least 0"):
        simulate(*population(12, 2, seed=1), identities=-1, photos=1, seed=0)


def test_a_run_fits_and_draws_each_crowd_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: list[int] = []

    def counted(rows: np.ndarray, who: np.ndarray) -> object:
        fitted.append(len(who))
        return fit(rows, who)

    monkeypatch.setattr("bench.attack.distractors.fit", counted)
    crowds, first, other = Crowds(), population(12, 2, seed=1), population(14, 2, seed=2)
    for known in (first, other):
        for identities in (7, 3):
            rows, who = crowds.of(0, known, first, identities, photos=3, seed=5)
            wanted = simulate(*known, identities=identities, photos=3, seed=5)
            assert np.array_equal(rows, wanted[0])
            assert np.array_equal(who, wanted[1])
            assert crowds.of(0, known, first, identities, photos=3, seed=5)[0] is rows
    crowds.of(1, other, first, 3, photos=3, seed=6)  # another draw's do not push them out
    assert crowds.of(0, other, first, 3, photos=3, seed=5)[0] is rows
    assert fitted == [24, 28, 28]


def test_other_people_present_have_strangers_of_their_own() -> None:
    crowds, known = Crowds(), families(180, 4, seed=1)
    first, second = (crowds.of(0, known, families(5, 4, seed=s), 50, photos=1, seed=0) for s in (2, 3))
    assert not np.allclose(first[0], second[0], atol=0.05)
    again = crowds.of(0, known, families(5, 4, seed=2), 50, photos=1, seed=0)
    assert np.array_equal(first[0], again[0])
