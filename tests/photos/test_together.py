"""Users from one data set, everybody else from another: nobody is in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from bench.errors import UserError
from bench.photos.reasons import SHOWS_A_USER
from bench.photos.together import Together
from bench.plan.split import Request, split
from bench.types import Catalogue, DatasetCard, Image


class Named:
    """A data set of photos with given contents."""

    def __init__(self, name: str, contents: Mapping[str, str]) -> None:
        self.contents = dict(sorted(contents.items()))
        self.card = DatasetCard(name, f"r-{name}", "", "", default_users=3, default_background=4)

    def catalogue(self) -> Catalogue:
        return Catalogue(tuple(self.contents), tuple(photo.partition("/")[0] for photo in self.contents))

    def digest(self, photo: str) -> str:
        return self.contents[photo]

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        return [np.full((1, 1, 3), len(self.contents[photo]), np.uint8) for photo in photos]


def people(names: str, photos: int, mark: str = "") -> dict[str, str]:
    return {f"{name}/{i}": f"{mark}{name}{i}" for name in names for i in range(photos)}


def test_whoever_is_a_user_is_left_out_of_the_others() -> None:
    others = people("abcdef", 2) | {"c/1": "x0"}  # c has a file of user x, a the name of user a
    both = Together(Named("mine", people("a", 2, "own ") | people("x", 2)), Named("all", others))
    used = both.catalogue()
    assert used.protected == {"a", "x"}
    assert set(used.identities) == {"a", "x", *"bdef"}
    assert used.left_out == dict.fromkeys(("a/0", "a/1", "c/0", "c/1"), SHOWS_A_USER)
    assert both.digest("a/1") == "own a1"
    assert [np.asarray(photo)[0, 0, 0] for photo in both.read(["b/0", "a/0", "d/1", "x/1"])] == [2, 6, 2, 2]
    assert (both.card.name, both.card.identities, both.card.photos) == ("all+mine", 6, 12)
    assert both.card.default_users is None


def test_the_revision_is_of_both() -> None:
    def revision(mine: str, others: str) -> str:
        return Together(Named(mine, people("x", 2)), Named(others, people("ab", 2))).card.revision

    assert len({revision("m", "o"), revision("n", "o"), revision("m", "p")}) == 3


def test_all_of_them_are_users_and_they_play_no_other_part() -> None:
    both = Together(Named("mine", people("xyz", 6) | {"w/0": "w0"}), Named("all", people("abcdefghijklm", 6)))
    parts = split(both.catalogue(), both.card, Request(None, 6, 0, None, 0))
    assert set(parts.people) == {"x", "y", "z"}
    rest = {photo[0] for part in list(parts.parts.values())[1:] for person in part for photo in person}
    assert not rest & set("wxyz")
    assert len(split(both.catalogue(), both.card, Request(2, 6, 0, None, 0)).people) == 2


def test_too_few_photos_of_the_users_are_one_line() -> None:
    both = Together(Named("mine", people("xy", 3)), Named("all", people("abcdefghijklm", 6)))
    with pytest.raises(
        UserError, match=r"0 people with 6 photos: nobody has more than 3\. Ask for fewer --photos"
    ):
        split(both.catalogue(), both.card, Request(None, 6, 0, None, 0))
