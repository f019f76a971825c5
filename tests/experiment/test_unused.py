"""Every photo that is not used is told, with its reason, in the record and in one line a kind."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bench.photos.reasons import kind_of
from injecting import photos_of_no_use
from injecting.injection import assert_all_right

(SPOILT,) = photos_of_no_use.INJECTIONS


def test_photos_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    assert_all_right(SPOILT, 3, 2, tmp_path)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.text(max_size=40))
def test_reasons_of_one_kind_are_one_reason(first: int, second: int, said: str) -> None:
    line = " ".join(said.split())
    assert kind_of(f"{first} x {second} is more than {first:,} pixels") == "N x N is more than N pixels"
    assert kind_of(f"broken JPEG file: {line}") == kind_of("broken JPEG file: cut")
    assert kind_of(f"unreadable: broken PNG file: {line}") == "broken PNG file"
    copy = f"a copy of Ann {first}/{second}.jpg: the same picture, stored or edited anew"
    assert kind_of(copy) == "a copy of another photo"


def test_advice_is_kept_in_the_kind() -> None:
    said = "HEIC file: pip install 'cloakbench[heic]' to read it"
    assert kind_of(said) == said
