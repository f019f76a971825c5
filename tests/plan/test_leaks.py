"""A planted leak ends the run: of a name, of a photo's content under another name, of a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UserError
from bench.plan.leaks import LeakError, check_disjoint
from bench.plan.split import Request, Split, split
from bench.types import Catalogue, DatasetCard

PHOTOS = 9
WHOLE = Catalogue(
    tuple(f"p{who:03d}/{number}" for who in range(60) for number in range(PHOTOS)),
    tuple(f"p{who:03d}" for who in range(60) for _ in range(PHOTOS)),
)
PARTS = split(WHOLE, DatasetCard("test", "0", "", ""), Request(5, 3, 2, None, 0))
GROUPS = ("released", "labelled", "calibration", "reference", "background")


def with_photo(parts: Split, group: str, place: int, photo: str) -> Split:
    """The same split; a photo is put in the place of the first one of a person."""
    people = list(getattr(parts, group))
    place %= len(people)
    people[place] = (photo, *people[place][1:])
    changed: dict[str, Any] = {group: tuple(people)}
    return replace(parts, **changed)


groups = st.tuples(st.sampled_from(GROUPS), st.sampled_from(GROUPS)).filter(lambda pair: pair[0] != pair[1])
places = st.tuples(st.integers(0, 99), st.integers(0, 99))


def test_an_honest_split_is_let_through() -> None:
    check_disjoint(PARTS, WHOLE, str)


@settings(max_examples=40)
@given(groups, places)
def test_a_photo_in_two_parts(pair: tuple[str, str], place: tuple[int, int]) -> None:
    taken = getattr(PARTS, pair[0])
    leaked = with_photo(PARTS, pair[1], place[1], taken[place[0] % len(taken)][0])
    with pytest.raises(LeakError, match="1 photos play two parts"):
        check_disjoint(leaked, WHOLE, str)


@settings(max_examples=40)
@given(groups, places)
def test_a_content_in_two_parts_under_two_names(pair: tuple[str, str], place: tuple[int, int]) -> None:
    first, second = (getattr(PARTS, name) for name in pair)
    twin = {second[place[1] % len(second)][0]: first[place[0] % len(first)][0]}
    with pytest.raises(UserError, match="1 photos play two parts of one run, each under two names"):
        check_disjoint(PARTS, WHOLE, lambda photo: twin.get(photo, photo))


@settings(max_examples=40)
@given(groups, places)
def test_another_photo_of_somebody_in_another_part(pair: tuple[str, str], place: tuple[int, int]) -> None:
    first = getattr(PARTS, pair[0])
    person = first[place[0] % len(first)][0].partition("/")[0]
    used = {photo for group in GROUPS for who in getattr(PARTS, group) for photo in who}
    unused = next(f"{person}/{i}" for i in range(PHOTOS) if f"{person}/{i}" not in used)
    leaked = with_photo(PARTS, pair[1], place[1], unused)
    own = {"released", "labelled"} == set(pair) and place[0] % 5 == place[1] % 5
    if own:
        check_disjoint(leaked, WHOLE, str)  # a user's own photo, whichever it is
        return
    with pytest.raises(LeakError, match=r"photos of several people pass as one person's|1 people play two"):
        check_disjoint(leaked, WHOLE, str)
