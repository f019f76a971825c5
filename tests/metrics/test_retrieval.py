"""Retrieval in four cells: worked examples, ties, undetected photos, and scikit-learn's opinion."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from bench.metrics.retrieval import CELLS, four_cells, impostor_similarities, single_mate_protection

NAN = float("nan")


def at(*degrees: float) -> np.ndarray:
    """Unit vectors at these angles; NaN is a photo without a face."""
    angle = np.deg2rad(np.array(degrees))
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def sphere(seed: int, people: int, photos: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.Generator(np.random.Philox(seed))
    rows = np.repeat(rng.normal(0, 1, (people, 16)), photos, 0) + noise * rng.normal(
        0, 1, (people * photos, 16)
    )
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), np.repeat(np.arange(people), photos)


def test_four_cells_by_hand() -> None:
    # Two people, two photos each: clean at 0, 10 and 90, 100 degrees. Cloaks move the first photo of each
    # person next to the other person's second: 0 -> 99 and 90 -> 9. The second photos stay.
    clean, cloaked, owners = at(0, 10, 90, 100), at(99, 10, 9, 100), [0, 0, 1, 1]
    scores = four_cells(clean, cloaked, owners, ranks=[1, 2])
    assert scores["rank1_clean_clean"].value == 1.0
    # every moved query finds the other person; the unmoved ones find their mate's clean photo
    assert scores["rank1_cloaked_clean"].value == 0.5
    # gallery 99, 10, 9, 100: the clean 0 and the clean 10 find 9, of person 1; 90 and 100 find 99
    assert scores["rank1_clean_cloaked"].value == 0.0
    # 99 (person 0) finds 100 (person 1); 10 finds 9; 9 finds 10; 100 finds 99: nobody is found
    assert scores["rank1_cloaked_cloaked"].value == 0.0
    # person 0: 99 and 10 have each other next, at 89 degrees; person 1: 9 and 100 are 91 apart, 2 are nearer
    assert scores["rank2_cloaked_cloaked"].value == 0.5
    assert scores["map_cloaked_cloaked"].value == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert {name for name in scores if name.startswith("map")} == {f"map_{q}_{g}" for q, g in CELLS}
    assert {score.better for score in scores.values()} == {"lower"}


def test_the_same_photo_is_never_the_answer_in_any_version() -> None:
    # cloaks that change nothing, and mates far away: each query's own photo would be at similarity 1
    rows = at(0, 180, 90, 270)
    scores = four_cells(rows, rows, [0, 0, 1, 1], ranks=[1])
    assert all(scores[f"rank1_{q}_{g}"].value == 0.0 for q, g in CELLS)


def test_distractors_stand_between() -> None:
    clean = at(0, 10, 90, 100)
    assert four_cells(clean, clean, [0, 0, 1, 1])["rank1_clean_clean"].value == 1.0
    # one nearer to both photos of person 0 than they are to each other
    crowded = four_cells(clean, clean, [0, 0, 1, 1], at(5), ranks=[1, 2])
    assert crowded["rank1_clean_clean"].value == 0.5
    assert crowded["rank2_clean_clean"].value == 1.0
    assert crowded["map_clean_clean"].value == pytest.approx((0.5 + 1) / 2)


def test_ties_are_settled_as_a_fair_draw_would() -> None:
    # everything alike: a query's one mate is among 3 others equally often at each place
    rows = at(0, 0, 0, 0)
    scores = four_cells(rows, rows, [0, 0, 1, 1], ranks=[1, 2, 3])
    assert [scores[f"rank{k}_clean_clean"].value for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])
    assert scores["map_clean_clean"].value == pytest.approx(1 / 3)
    # two mates of four others: 1 - 2/4 · 1/3 within two
    six = four_cells(at(*[0] * 5), at(*[0] * 5), [0, 0, 0, 1, 1], ranks=[2])
    of_three, of_two = 1 - (2 / 4) * (1 / 3), 1 - (3 / 4) * (2 / 3)
    assert six["rank2_clean_clean"].value == pytest.approx((of_three + of_two) / 2)


def test_a_photo_without_a_face_finds_nothing_is_not_found_and_stays_counted() -> None:
    clean = at(0, 10, 20, 90, 100, 110)
    cloaked = at(NAN, 10, 20, 90, 100, 110)
    scores = four_cells(clean, cloaked, [0, 0, 0, 1, 1, 1], ranks=[1])
    # 1 of person 0's 3 queries finds nothing
    assert scores["rank1_cloaked_clean"].value == pytest.approx((2 / 3 + 1) / 2)
    # person 0: query 0 finds both its mates (1), queries 1 and 2 one of two (1/2)
    assert scores["map_clean_cloaked"].value == pytest.approx((2 / 3 + 1) / 2)


def test_nobody_detected_is_nobody_found() -> None:
    clean = at(0, 10, 90, 100)
    scores = four_cells(clean, np.full_like(clean, NAN), [0, 0, 1, 1], impostor=np.linspace(-1, 0, 200))
    assert all(s.value == 0.0 for name, s in scores.items() if "cloaked" in name and "1e3" not in name)


def test_tar_uses_the_calibration_threshold_and_people_as_units() -> None:
    # 100 impostors from 0 to .99: FAR .02 puts the threshold at .97. Mates 10 degrees apart: .985; 20: .94
    impostor = np.arange(100) / 100
    clean = at(0, 10, 90, 110)
    scores = four_cells(clean, clean, [0, 0, 1, 1], impostor=impostor, rates=[0.02, 1e-3])
    score = scores["tar_far_2e2_clean_clean"]
    assert (score.value, score.n) == (0.5, 2)
    assert math.isnan(scores["tar_far_1e3_clean_clean"].value)
    assert not any(name.startswith("tar") for name in four_cells(clean, clean, [0, 0, 1, 1]))


def test_average_precision_is_scikit_learns_and_blocks_change_nothing() -> None:
    clean, owners = sphere(0, 12, 4, 0.9)
    cloaked = sphere(0, 12, 4, 1.5)[0]
    others = sphere(7, 30, 1, 0.5)[0]
    scores = four_cells(clean, cloaked, owners, others)
    pieces = four_cells(clean, cloaked, owners, others, block=7)
    for name, score in scores.items():
        assert pieces[name].value == pytest.approx(score.value, abs=1e-9), name
    gallery = np.concatenate([clean, others])
    whose = np.concatenate([owners, np.full(30, -1)])
    each, first = [], []
    for i, query in enumerate(cloaked):
        kept = np.arange(len(gallery)) != i
        similarity, same = gallery[kept] @ query, whose[kept] == owners[i]
        each.append(average_precision_score(same, similarity))
        first.append(same[np.argsort(-similarity)[:5]].any())
    assert scores["map_cloaked_clean"].value == pytest.approx(np.mean(each))
    assert scores["rank5_cloaked_clean"].value == pytest.approx(np.mean(first))


def test_a_user_with_many_photos_counts_once() -> None:
    # person 0: two photos that find each other; person 1: six far apart that find others of the crowd
    clean = at(0, 1, 60, 120, 180, 240, 300, 330)
    crowd = at(*(angle + off for angle in (60, 120, 180, 240, 300, 330) for off in (-1, 1)))
    score = four_cells(clean, clean, [0, 0] + [1] * 6, crowd, ranks=[1])["rank1_clean_clean"]
    assert (score.value, score.n) == (0.5, 2)


def test_psr_with_a_single_mate_by_hand() -> None:
    # Person 0's cloaked probes at 0 and 40; clean mates at 10 (for probe 0) and 0 (for probe 1, at 40). One
    # distractor at 20: probe 0 finds its mate (10 < 20), probe 1 the distractor (20 < 40). Person 1 is far.
    clean, cloaked = at(0, 10, 180, 190), at(0, 40, 180, 190)
    scores = single_mate_protection(cloaked, clean, [0, 0, 1, 1], at(20), ranks=[1, 2])
    assert scores["psr1_single"].value == pytest.approx((0.5 + 0) / 2)
    assert scores["psr2_single"].value == 0.0
    assert scores["psr1_single"].better == "higher"


def test_holding_one_photo_finds_less_than_holding_all() -> None:
    clean, owners = sphere(1, 20, 6, 1.0)
    cloaked = sphere(1, 20, 6, 1.6)[0]
    others = sphere(8, 400, 1, 0.5)[0]
    single = single_mate_protection(cloaked, clean, owners, others)
    cells = four_cells(cloaked=cloaked, clean=clean, owners=owners, distractors=others)
    for k in (1, 5):
        assert single[f"psr{k}_single"].value > 1 - cells[f"rank{k}_cloaked_clean"].value


def test_other_users_photos_are_no_distractors_of_a_single_mate() -> None:
    # person 1's photos lie between person 0's, but only the distractor counts
    clean = at(0, 20, 9, 11)
    scores = single_mate_protection(clean, clean, [0, 0, 1, 1], at(200), ranks=[1])
    assert scores["psr1_single"].value == 0.0


def test_an_undetected_probe_is_protected() -> None:
    clean, cloaked = at(0, 10, 90, 100), at(NAN, 10, 90, 100)
    scores = single_mate_protection(cloaked, clean, [0, 0, 1, 1], at(200), ranks=[1])
    assert scores["psr1_single"].value == 0.25


def test_impostor_pairs_are_all_pairs_of_different_people() -> None:
    # people 0 0 1 2 at 0 0 60 90: pairs 0-1 twice (.5), 0-2 twice (0), 1-2 once (cos 30)
    found = np.sort(impostor_similarities(at(0, 0, 60, 90), [0, 0, 1, 2]))
    assert found == pytest.approx([0, 0, 0.5, 0.5, math.cos(math.radians(30))], abs=1e-6)
    assert impostor_similarities(at(0, NAN, 60), [0, 1, 2]).size == 1


def test_too_many_impostor_pairs_are_drawn_from_and_stay_the_same() -> None:
    rows, people = sphere(2, 40, 5, 0.5)
    drawn = impostor_similarities(rows, people, most=5000, seed=3)
    assert 4500 < drawn.size < 5000
    assert np.array_equal(drawn, impostor_similarities(rows, people, most=5000, seed=3))
    assert drawn.mean() == pytest.approx(impostor_similarities(rows, people).mean(), abs=0.02)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"clean": at(0, 10, 90)}, "same photos"),
        ({"clean": 2 * at(0, 10, 90, 100)}, "rows of unit length"),
        ({"clean": np.zeros((4, 2))}, "rows of unit length"),
        ({"owners": [0, 0, 1, 2]}, "user 1 has one photo"),
        ({"owners": [0.0, 0.0, 1.0, 1.0]}, "whole numbers"),
        ({"distractors": np.ones((3, 5)) / math.sqrt(5)}, "5 dimensions"),
        ({"ranks": [0]}, "ranks must be at least 1"),
        ({"block": 0}, "block must be at least 1"),
        ({"impostor": [NAN]}, "not finite"),
    ],
)
def test_bad_input_is_refused(changed: dict[str, Any], line: str) -> None:
    given: dict[str, Any] = {
        "clean": at(0, 10, 90, 100),
        "cloaked": at(0, 10, 90, 100),
        "owners": [0, 0, 1, 1],
    }
    with pytest.raises(ValueError, match=line):
        four_cells(**{**given, **changed})


def test_more_bad_input_is_refused() -> None:
    rows = at(0, 10, 90, 100)
    with pytest.raises(ValueError, match="needs distractors"):
        single_mate_protection(rows, rows, [0, 0, 1, 1], np.zeros((0, 2)))
    with pytest.raises(ValueError, match="two people"):
        impostor_similarities(rows, [1, 1, 1, 1])
    with pytest.raises(ValueError, match="one person for each of 4"):
        impostor_similarities(rows, [1, 1])
