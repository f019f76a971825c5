"""A photo has one digest for a whole run, and nothing else is ever read under it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from hashlib import sha256

import numpy as np
import pytest

from bench.errors import PassingError
from bench.photos.steady import Steady
from bench.types import Catalogue, DatasetCard, Image

NAMES = ("Ann/1", "Ann/2", "Bob/1")
GOOD = {name: name.encode() * 100 for name in NAMES}
NUMBERS = [errno.EIO, errno.EMFILE, errno.EACCES, errno.ENOENT, errno.ESTALE, errno.EAGAIN]


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.errors.PAUSES", (0.0,) * 4)


class Shaky:
    """A data set of bytes, the way a data set of somebody else may be: nothing is remembered or checked.

    Attributes:
        disturb: Is asked at every access, with its number from 0 and the photo's name. It gives what is read
            in place of the photo, None for the photo itself, or an error.
        accesses: How often a photo was read, for its digest or for its content.
    """

    card = DatasetCard("shaky", "revision", "none", "none")

    def __init__(self, disturb: Callable[[int, str], bytes | OSError | None]) -> None:
        self.disturb, self.accesses = disturb, 0
        self.forgotten: list[str] = []

    def catalogue(self) -> Catalogue:
        return Catalogue(NAMES, tuple(name[:3] for name in NAMES))

    def digest(self, photo: str) -> str:
        return sha256(self._content(photo)).hexdigest()

    def read(self, photos: Sequence[str]) -> list[bytes | Image]:
        return [self._content(photo) for photo in photos]

    def forget(self, photo: str) -> None:
        self.forgotten.append(photo)

    def _content(self, photo: str) -> bytes:
        instead = self.disturb(self.accesses, photo)
        self.accesses += 1
        if isinstance(instead, OSError):
            raise instead
        return GOOD[photo] if instead is None else instead


def refused(number: int, photo: str) -> OSError:
    return OSError(number, os.strerror(number), photo)


def test_undisturbed_photos_are_read_once_for_a_digest_and_once_for_their_content() -> None:
    shaky = Shaky(lambda *_: None)
    data = Steady(shaky)
    for _ in range(3):
        assert [data.digest(name) for name in NAMES] == [sha256(GOOD[name]).hexdigest() for name in NAMES]
    assert data.read(NAMES) == list(GOOD.values())
    assert shaky.accesses == 2 * len(NAMES)
    assert not shaky.forgotten


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("first", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("tries", [1, 2])
def test_an_error_that_passes_costs_a_moment(number: int, first: int, tries: int) -> None:
    data = Steady(Shaky(lambda n, name: refused(number, name) if first <= n < first + tries else None))
    assert [data.digest(name) for name in NAMES] == [sha256(GOOD[name]).hexdigest() for name in NAMES]
    assert data.read(NAMES) == list(GOOD.values())


@pytest.mark.parametrize("number", NUMBERS)
def test_an_error_that_stays_ends_the_run_in_one_line(number: int) -> None:
    shaky = Shaky(lambda _, name: refused(number, name) if name == "Ann/2" else None)
    data = Steady(shaky)
    with pytest.raises(PassingError) as caught:
        data.digest("Ann/2")
    assert str(caught.value).startswith(f"cannot read Ann/2: {os.strerror(number)}. ")
    assert "\n" not in str(caught.value)
    assert shaky.accesses == 5
    assert data.read(["Ann/1", "Bob/1"]) == [GOOD["Ann/1"], GOOD["Bob/1"]]


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "cut short": lambda content: content[:-1],
    "cut in half": lambda content: content[: len(content) // 2],
    "longer": lambda content: content + b"\0",
    "one bit": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "another photo's": lambda _: GOOD["Bob/1"],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_photo_that_is_another_one_for_a_moment(change: str) -> None:
    # digest, content, and the same again: whole
    data = Steady(Shaky(lambda n, name: CHANGES[change](GOOD[name]) if n == 1 else None))
    assert data.digest("Ann/1") == sha256(GOOD["Ann/1"]).hexdigest()
    assert data.read(["Ann/1"]) == [GOOD["Ann/1"]]


@pytest.mark.parametrize("change", CHANGES)
def test_a_photo_that_has_become_another_one_ends_the_run_in_one_line(change: str) -> None:
    changed = {"Ann/2": CHANGES[change](GOOD["Ann/2"])}
    shaky = Shaky(lambda n, name: changed.get(name) if n >= 3 else None)
    data = Steady(shaky)
    before = [data.digest(name) for name in NAMES]
    with pytest.raises(
        PassingError, match="cannot read Ann/2: it is no longer the file that it was"
    ) as caught:
        data.read(NAMES)
    assert "\n" not in str(caught.value)
    assert shaky.forgotten == ["Ann/2"]
    assert [data.digest(name) for name in NAMES] == before
    assert data.read(["Bob/1"]) == [GOOD["Bob/1"]]


def test_a_photo_whose_digest_was_taken_at_the_wrong_moment_is_never_read() -> None:
    # cut while it was hashed, and whole ever after: what is computed from it must not be stored under that
    data = Steady(Shaky(lambda n, name: GOOD[name][:9] if n == 0 else None))
    assert data.digest("Ann/1") == sha256(GOOD["Ann/1"][:9]).hexdigest()
    with pytest.raises(PassingError, match="no longer the file"):
        data.read(["Ann/1"])


def test_pixels_that_a_data_set_draws_are_taken_as_they_come() -> None:
    class Drawn(Shaky):
        def read(self, photos: Sequence[str]) -> list[bytes | Image]:
            return [np.zeros((2, 2, 3), np.uint8) for _ in photos]

    data = Steady(Drawn(lambda *_: None))
    assert [np.shape(pixels) for pixels in data.read(NAMES)] == [(2, 2, 3)] * 3
