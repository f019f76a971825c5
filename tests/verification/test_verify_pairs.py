"""Which photos are compared: LFW's list where it is complete, otherwise a fair and repeatable draw."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bench.errors import UserError
from bench.types import Catalogue, Folders
from bench.verification.pairs import Pairs, calibration, drawn, list_file, pairs, read_list


def people(sizes: list[int]) -> Catalogue:
    """Photos `Pnn/Pnn_0001.jpg` and on, as many as the sizes say."""
    owners = [(f"P{i:03d}", j) for i, n in enumerate(sizes) for j in range(1, n + 1)]
    return Catalogue(tuple(f"{who}/{who}_{j:04d}.jpg" for who, j in owners), tuple(who for who, _ in owners))


def names(found: Pairs) -> set[tuple[frozenset[str], int]]:
    photos = np.array(found.photos)
    both = zip(photos[found.first], photos[found.second], found.folds.tolist(), strict=True)
    return {(frozenset((a, b)), fold) for a, b, fold in both}


def lfw_list(folds: int = 2, each: int = 2) -> tuple[str, Catalogue]:
    """A list in LFW's form, three people with two photos a fold, and the photos that it names."""
    lines, owners = [f"{folds}\t{each}"], []
    for fold in range(folds):
        own = [f"Person_{fold}{i}" for i in range(each + 1)]
        owners += own
        lines += [f"{who}\t1\t2" for who in own[:each]]
        lines += [f"{a}\t1\t{b}\t2" for a, b in pairwise(own)]
    photos = sorted((f"{who}/{who}_{n:04d}.jpg", who) for who in owners for n in (1, 2))
    catalogue = Catalogue(tuple(photo for photo, _ in photos), tuple(who for _, who in photos))
    return "\n".join(lines) + "\n", catalogue


@pytest.fixture
def listed(tmp_path: Path) -> tuple[Folders, Catalogue]:
    text, catalogue = lfw_list()
    (tmp_path / "real" / "meta").mkdir(parents=True)
    (tmp_path / "real" / "meta" / "pairs.txt").write_text(text)
    return Folders(home=str(tmp_path / "home"), real_data=str(tmp_path / "real")), catalogue


def test_half_of_the_drawn_pairs_are_genuine_in_every_fold() -> None:
    found = drawn("x", people([6] * 40), 400, 0)
    assert found.protocol == "drawn"
    assert np.bincount(found.folds).tolist() == [40] * 10
    assert np.bincount(found.folds[found.same]).tolist() == [20] * 10
    assert len(names(found)) == 400  # no two photos meet twice
    assert (found.first != found.second).all()


def test_nobody_is_in_two_folds() -> None:
    found = drawn("x", people([6] * 20 + [1] * 30), 400, 3)
    folds_of: dict[int, set[int]] = {}
    for photo, fold in zip([*found.first, *found.second], [*found.folds] * 2, strict=True):
        folds_of.setdefault(int(found.people[photo]), set()).add(int(fold))
    assert all(len(folds) == 1 for folds in folds_of.values())


def test_a_person_with_many_photos_gives_no_more_pairs_than_others_have() -> None:
    # four people a fold, three with 2 photos (1 pair each), one with 20 (190 pairs): 4 pairs are one each
    found = drawn("x", people([20] * 10 + [2] * 30), 2 * 40, 0)
    assert np.bincount(found.people[found.first][found.same]).tolist() == [1] * 40


def test_a_draw_depends_on_seed_and_names_and_not_on_an_order() -> None:
    catalogue = people([4] * 30)
    turned = Catalogue(catalogue.photos[::-1], catalogue.identities[::-1])
    assert names(drawn("x", catalogue, 200, 7)) == names(drawn("x", turned, 200, 7))
    assert names(drawn("x", catalogue, 200, 7)) == names(drawn("x", catalogue, 200, 7))
    assert names(drawn("x", catalogue, 200, 7)) != names(drawn("x", catalogue, 200, 8))


def test_few_photos_give_the_pairs_there_are() -> None:
    # two people with two photos a fold: 2 genuine pairs and 4 impostor pairs
    found = drawn("x", people([2] * 20), 6000, 0)
    assert (int(found.same.sum()), int((~found.same).sum())) == (20, 40)
    assert len(names(found)) == 60
    first, second, folds = calibration(found, 0)
    assert np.bincount(folds).tolist() == [4] * 10
    assert (found.people[first] != found.people[second]).all()


def test_calibration_pairs_stay_within_their_fold_and_are_impostors() -> None:
    found = drawn("x", people([8] * 60), 600, 0)
    first, second, folds = calibration(found, 0, most=100)
    assert np.bincount(folds).tolist() == [100] * 10
    of = np.zeros(len(found.photos), int)
    of[found.first] = found.folds
    of[found.second] = found.folds
    assert (of[first] == folds).all()
    assert (of[second] == folds).all()
    assert (found.people[first] != found.people[second]).all()
    assert len({frozenset(pair) for pair in zip(first.tolist(), second.tolist(), strict=True)}) == 1000


@pytest.mark.parametrize(
    ("sizes", "told"), [([2] * 19, "19 people, 19 of them"), ([1] * 15 + [2] * 9, "9 of them")]
)
def test_too_few_people_are_one_line(sizes: list[int], told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        drawn("friends", people(sizes), 6000, 0)
    assert "data set 'friends'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_list_is_used_as_it_stands_where_it_is_complete(listed: tuple[Folders, Catalogue]) -> None:
    folders, catalogue = listed
    found = pairs("lfw", catalogue, folders, 6000, 0)
    assert (found.protocol, found.listed, found.available, found.note) == ("lfw-10-fold", 8, 8, "")
    assert found.folds.tolist() == [0] * 4 + [1] * 4
    assert found.same.tolist() == [True, True, False, False] * 2
    photo = [(found.photos[a], found.photos[b]) for a, b in zip(found.first, found.second, strict=True)]
    assert photo[0] == ("Person_00/Person_00_0001.jpg", "Person_00/Person_00_0002.jpg")
    assert photo[-1] == ("Person_11/Person_11_0001.jpg", "Person_12/Person_12_0002.jpg")


def test_pairs_with_a_photo_known_to_be_wrong_are_left_out_and_told(
    listed: tuple[Folders, Catalogue],
) -> None:
    folders, catalogue = listed
    wrong = catalogue.photos[0]  # in one genuine and one impostor pair
    kept = replace(
        catalogue, photos=catalogue.photos[1:], identities=catalogue.identities[1:], left_out={wrong: "no"}
    )
    found = pairs("lfw", kept, folders, 6000, 0)
    assert (found.protocol, found.listed, found.available) == ("lfw-10-fold", 8, 6)
    assert found.note == "2 of LFW's 8 pairs left out: a photo is known to be mislabelled"
    assert wrong not in found.photos


def test_an_incomplete_lfw_is_drawn_from_and_says_so(listed: tuple[Folders, Catalogue]) -> None:
    folders, catalogue = listed
    more = people([3] * 30)
    part = Catalogue(catalogue.photos[1:] + more.photos, catalogue.identities[1:] + more.identities)
    found = pairs("lfw", part, folders, 100, 0)
    assert (found.protocol, found.listed, found.available) == ("drawn", 8, 6)
    assert found.note == "6 of LFW's 8 pairs have both photos here: not LFW's protocol"
    # another data set has no list
    assert pairs("faces", part, folders, 100, 0).note == ""


def test_lfw_without_its_list_says_so(tmp_path: Path) -> None:
    found = pairs("lfw", people([3] * 30), Folders(home=str(tmp_path)), 100, 0)
    assert (found.protocol, found.listed) == ("drawn", 0)
    assert "pairs.txt is not here" in found.note


@pytest.mark.parametrize(
    "place", ["real/meta", "real/lfw", "real", "home/data/lfw", "home/data/lfw_home", "home/data"]
)
def test_places_of_the_list(tmp_path: Path, place: str) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    (tmp_path / place / "pairs.txt").write_text("")
    folders = Folders(home=str(tmp_path / "home"), real_data=str(tmp_path / "real"))
    assert list_file(folders) == tmp_path / place / "pairs.txt"


@pytest.mark.parametrize(
    ("line", "text", "told"),
    [
        (0, "", "line 1: it should hold the number"),
        (0, "<html>", "line 1: it should hold the number"),
        (0, "3\t2", "line 1: it promises 3 x 2 x 2 pairs, and there are 8"),
        (1, "Person_00\t1", "line 2: it should be"),
        (2, "Person_01\tone\t2", "line 3: it should be"),
        (2, "Person_01\t2\t2", "line 3: it should name two photos"),
        (3, "Person_00\t1\tPerson_00\t2", "line 4: it should name two photos"),
        (5, "Person_10\t1\tPerson_11\t2", "line 6: it should be"),
    ],
)
def test_a_damaged_list_is_one_line(tmp_path: Path, line: int, text: str, told: str) -> None:
    lines = lfw_list()[0].splitlines()
    lines[line] = text
    path = tmp_path / "pairs.txt"
    path.write_text("\n".join(lines) if text or line else "")
    with pytest.raises(UserError) as caught:
        read_list(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_that_is_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot read"):
        read_list(tmp_path / "pairs.txt")
