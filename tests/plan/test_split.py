"""Nobody plays two parts, and who plays which does not depend on who else is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UserError
from bench.plan.manifest import manifest, manifest_csv, taken
from bench.plan.split import Request, Split, split
from bench.types import Catalogue, DatasetCard

CARD = DatasetCard("test", "0", "", "")
PLAIN = Request(users=5, photos=4, labelled=0, background=None, seed=0)


def catalogue(people: Mapping[str, int]) -> Catalogue:
    """Person -> how many photos."""
    rows = sorted((f"{who}/{i:02d}", who) for who, n in people.items() for i in range(n))
    return Catalogue(tuple(p for p, _ in rows), tuple(w for _, w in rows))


def crowd(size: int, photos: int = 6) -> dict[str, int]:
    return {f"p{i:03d}": photos for i in range(size)}


def owners(group: tuple[tuple[str, ...], ...]) -> set[str]:
    return {photo.partition("/")[0] for person in group for photo in person}


def parts(found: Split) -> list[set[str]]:
    groups = (found.released, found.calibration, found.training, found.reference, found.background)
    return [owners(group) for group in groups]


def one_line(request: Request, people: Mapping[str, int]) -> str:
    with pytest.raises(UserError) as caught:
        split(catalogue(people), CARD, request)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@settings(max_examples=50)
@given(
    st.dictionaries(st.integers(0, 999).map("p{:03d}".format), st.integers(1, 12), min_size=12, max_size=90),
    st.integers(1, 4),
    st.integers(0, 3),
    st.integers(0, 5),
)
def test_nobody_plays_two_parts(people: dict[str, int], users: int, labelled: int, seed: int) -> None:
    request = Request(users=users, photos=4, labelled=labelled, background=None, seed=seed)
    try:
        found = split(catalogue(people), CARD, request)
    except UserError:
        return  # too few people with enough photos: said elsewhere
    everybody = [person for part in parts(found) for person in part]
    assert len(everybody) == len(set(everybody))
    assert owners(found.labelled) <= owners(found.released)
    shown = [photo for group in (found.released, found.labelled) for person in group for photo in person]
    assert len(shown) == len(set(shown))  # a labelled photo is never also released
    for who, released, named in zip(found.people, found.released, found.labelled, strict=True):
        assert owners((released, named)) == {who}


def test_counts_are_what_was_asked() -> None:
    found = split(catalogue(crowd(200)), CARD, Request(20, 3, 2, 25, 0))
    assert [len(g) for g in (found.released, found.labelled, found.people)] == [20, 20, 20]
    # 200 - 20 users - 30 calibration - 64 reference = 86, of whom a quarter, 21, are trained on; of the 65
    # others a third, 21, are the calibration's crowd; 25 are the background, and 19 the training's crowd
    assert [len(g) for g in (found.calibration, found.reference, found.background)] == [30 + 21, 64, 25]
    assert (len(found.training), found.training_crowd) == (21 + 19, 19)
    assert {len(p) for p in found.released} == {3}
    assert {len(p) for p in found.labelled} == {2}
    assert {len(p) for p in found.reference} == {1}


def test_a_small_data_set_leaves_people_for_every_part() -> None:
    # 12 - 2 users = 10: half calibrate, half of the others are reference, a third of the last 3 joins the
    # calibration's crowd, the rest is background
    found = split(catalogue(crowd(12)), CARD, replace(PLAIN, users=2))
    assert [len(part) for part in parts(found)] == [2, 5 + 1, 0, 2, 2]


def test_another_photo_of_each_person_moves_nobody() -> None:
    before = split(catalogue(crowd(60, photos=6)), CARD, PLAIN)
    after = split(catalogue(crowd(60, photos=7)), CARD, PLAIN)
    assert parts(before) == parts(after)
    for old, new in zip(before.released, after.released, strict=True):
        assert len(set(old) & set(new)) >= 3  # the new photo may take one place of four


def test_another_person_moves_at_most_one_across_each_border() -> None:
    before = split(catalogue(crowd(150)), CARD, PLAIN)
    for name in ("zoe", "adam", "p1000"):
        after = split(catalogue(crowd(150) | {name: 6}), CARD, PLAIN)
        for old, new in zip(parts(before), parts(after), strict=True):
            assert len(old - new) <= 2
            assert len(new - old) <= 2
        assert len(owners(before.released) - owners(after.released)) <= 1


def test_the_order_of_the_catalogue_says_nothing() -> None:
    straight = catalogue(crowd(60))
    reverse = Catalogue(straight.photos[::-1], straight.identities[::-1])
    assert split(straight, CARD, PLAIN) == split(reverse, CARD, PLAIN)


def test_another_seed_draws_other_people_and_other_photos() -> None:
    first, second = (split(catalogue(crowd(60)), CARD, replace(PLAIN, seed=seed)) for seed in (0, 1))
    assert first.people != second.people
    assert first.released != second.released


def test_fewer_users_are_the_first_of_more() -> None:
    few, many = (split(catalogue(crowd(90)), CARD, replace(PLAIN, users=n)) for n in (3, 9))
    assert many.people[:3] == few.people
    assert many.released[:3] == few.released


def test_more_users_than_there_are() -> None:
    said = one_line(replace(PLAIN, users=61), crowd(60))
    assert "61 users" in said
    assert "60 people" in said
    assert "--users" in said


def test_more_background_than_there_is() -> None:
    said = one_line(replace(PLAIN, background=500), crowd(60))
    assert "500 background" in said
    assert "--background" in said


@given(st.integers(1, 9), st.integers(0, 30), st.none() | st.integers(2, 60), st.integers(0, 2))
def test_a_small_trial_is_small(users: int, background: int, calibration: int | None, draw: int) -> None:
    asked = Request(users, 4, 0, background, 0, draw, calibration)
    found = split(catalogue(crowd(900)), CARD, asked)
    tuned_on = len(found.calibration)
    if calibration is None:
        assert tuned_on == 30 + min(5 * (users + background), (900 - users - 30 - 64 - 30) // 3)
    else:
        assert tuned_on == calibration
    assert len(found.background) == background
    # attackers train on at most as many, and on others
    assert len(found.training) <= tuned_on
    everybody = [person for part in parts(found) for person in part]
    assert len(everybody) == len(set(everybody))


def test_without_a_background_to_keep_to_a_third_of_everybody_left_is_the_crowd() -> None:
    found = split(catalogue(crowd(900)), CARD, replace(PLAIN, users=5))
    others = 900 - 5 - 30 - 64 - 30
    assert found.crowd == others // 3
    # and of those who are left then, a third is the training's crowd
    assert found.training_crowd == (others - found.crowd) // 3
    assert len(found.background) == others - found.crowd - found.training_crowd


def test_attackers_train_on_people_of_their_own_where_there_are_enough() -> None:
    few, many = (split(catalogue(crowd(n)), CARD, replace(PLAIN, users=5)) for n in (60, 200))
    assert not few.training
    alone = many.training[: len(many.training) - many.training_crowd]
    assert len(alone) == (200 - 5 - 30 - 64) // 4
    assert {len(photos) for photos in alone} == {4}
    # in another draw others are trained on, and they are in no other part either
    other = split(catalogue(crowd(200)), CARD, replace(PLAIN, users=5, draw=1))
    assert owners(other.training) != owners(many.training)
    everybody = [person for part in parts(other) for person in part]
    assert len(everybody) == len(set(everybody))


def test_training_leaves_the_background_that_was_asked_for() -> None:
    for background in (40, 60, 68):
        found = split(catalogue(crowd(200)), CARD, replace(PLAIN, users=5, background=background))
        assert len(found.background) == background
        assert bool(found.training) == (background < 68)


def test_strangers_may_have_fewer_photos_and_nobody_changes_places() -> None:
    asked = replace(PLAIN, users=5, background=30)
    many = split(catalogue(crowd(200)), CARD, asked)
    few = split(catalogue(crowd(200)), CARD, replace(asked, background_photos=2))
    assert parts(few) == parts(many)
    # the crowds are as the background is; those who are counted keep all photos
    alone, trained = len(few.calibration) - few.crowd, len(few.training) - few.training_crowd
    assert few.crowd and few.training_crowd
    others = (*few.background, *few.calibration[alone:], *few.training[trained:])
    assert {len(photos) for photos in others} == {2}
    counted = (*few.released, *few.calibration[:alone], *few.training[:trained])
    assert {len(photos) for photos in counted} == {4}
    assert all(photos == whole[:2] for photos, whole in zip(few.background, many.background, strict=True))


def test_more_photos_of_strangers_than_a_user_releases_are_as_many_as_those() -> None:
    assert split(catalogue(crowd(200)), CARD, replace(PLAIN, background_photos=99)) == split(
        catalogue(crowd(200)), CARD, PLAIN
    )


def test_more_calibration_people_than_there_are() -> None:
    said = one_line(replace(PLAIN, calibration=500), crowd(60))
    assert "500 calibration people asked for" in said
    assert "has 41 left over" in said  # 60 - 5 users - 14 for reference
    assert "--calibration" in said


def test_one_line_on_who_plays_which_part() -> None:
    found = split(catalogue(crowd(40)), CARD, Request(3, 3, 2, None, 0))
    assert taken("mine", found) == (
        "photos of data set 'mine': 9 of 3 users; 6 of 3 users, labelled; "
        "63 of 21 people to tune attackers on; 9 of 9 people for defenses to look at; "
        "21 of 7 people in the background"
    )


@given(
    st.dictionaries(st.integers(0, 99).map("p{:03d}".format), st.integers(1, 9), min_size=1, max_size=30),
    st.none() | st.integers(1, 20),
    st.integers(3, 8),
    st.integers(0, 4),
    st.integers(0, 3),
)
def test_what_is_advised_can_be_done(
    people: dict[str, int], users: int | None, photos: int, labelled: int, out: int
) -> None:
    """Advice never asks for nothing, says what a user needs, and tells of files that are not used."""
    left_out = {
        f"x/{i}.jpg": f"a copy of y/{i}.jpg: the same picture, stored or edited anew" for i in range(out)
    }
    whole = replace(catalogue(people), left_out=left_out)
    try:
        split(whole, CARD, Request(users, photos, labelled, None, 0))
    except UserError as error:
        said = str(error)
        assert "\n" not in said
        assert "at most 0" not in said
        if labelled:
            assert f"{photos + labelled} photos ({photos} to release and {labelled} labelled)" in said
        told = f"{out} files are not used (a copy of another photo): 'bench manifest --left-out' names them."
        assert (told in said) == bool(out)
        able = sum(count >= photos + labelled for count in people.values())
        if able == 0:
            assert f"nobody has more than {max(people.values())}" in said


def test_one_photo_per_person() -> None:
    for users in (None, 5):
        said = one_line(replace(PLAIN, users=users), crowd(60, photos=1))
        assert "0 people with 4 photos" in said


def test_nobody_left_to_calibrate_on() -> None:
    assert "calibrate" in one_line(replace(PLAIN, users=60), crowd(60))


def test_by_default_as_many_users_as_leave_calibration() -> None:
    found = split(catalogue(crowd(300)), CARD, replace(PLAIN, users=None))
    assert len(found.released) == 200
    found = split(catalogue(crowd(40)), CARD, replace(PLAIN, users=None))
    assert len(found.released) == 40 - 40 // 3
    assert len(found.calibration) >= 2


def test_a_manifest_has_every_photo_of_every_part_once() -> None:
    found = split(catalogue(crowd(40)), CARD, Request(3, 3, 2, None, 0))
    rows = manifest(found, lambda photo: f"digest of {photo}")
    assert len({photo for _, _, photo in rows}) == len(rows)
    photos: dict[str, set[str]] = {}
    people: dict[str, set[int]] = {}
    for part, person, photo in rows:
        photos.setdefault(part, set()).add(photo.removeprefix("digest of "))
        people.setdefault(part, set()).add(person)
    calibration = {photo for person in found.calibration for photo in person}
    assert photos["released"] == {photo for person in found.released for photo in person}
    assert photos["labelled"] == {photo for person in found.labelled for photo in person}
    assert photos["calibration"] | photos["crowd"] == calibration
    assert people["released"] == people["labelled"] == {0, 1, 2}
    # 40 - 3 users = 37: 18 calibrate, 9 of the 19 others are reference, 3 of the last 10 are the crowd
    assert [len(people[part]) for part in ("calibration", "reference", "crowd", "background")] == [
        18,
        9,
        3,
        7,
    ]
    assert sorted(set().union(*people.values())) == list(range(40))


def test_a_manifest_as_a_table() -> None:
    rows = [("released", 0, "aa"), ("background", 7, "bb")]
    assert manifest_csv(rows) == "part,person,sha256\nreleased,0,aa\nbackground,7,bb\n"


def test_a_split_is_the_same_on_every_machine() -> None:
    # written down once: whoever changes how people are drawn changes every published result's photos
    found = split(catalogue(crowd(9)), CARD, Request(2, 3, 0, None, 3))
    assert found.people == ("p003", "p006")
    assert found.released == (("p003/02", "p003/04", "p003/05"), ("p006/03", "p006/04", "p006/00"))
