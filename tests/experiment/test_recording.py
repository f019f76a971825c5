"""What a record says of its cell besides the figures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.experiment.recording import background_flags
from bench.plan.split import Split
from bench.types import FlagCode


@given(st.integers(1, 9), st.lists(st.integers(1, 10), max_size=30))
def test_a_haystack_that_is_smaller_than_the_protocol_asks_for_is_flagged(
    users: int, sizes: list[int]
) -> None:
    people = tuple(("photo",) * size for size in sizes)
    parts = Split((("photo",) * 10,) * users, (), ("name",) * users, (), (), people)
    flags = background_flags(parts)
    assert [flag.code for flag in flags] == [FlagCode.SMALL_BACKGROUND] * (sum(sizes) < 5 * users)
    assert all(str(sum(sizes)) in flag.reason for flag in flags)
