"""The users of a cell, as panels and curves read them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bench.board.user_tables import UserTable, read_users
from bench.errors import UserError
from bench.records import read

ROOT = Path(__file__).resolve().parents[2]


def test_columns_without_a_number_are_left_out() -> None:
    # one file holds clusterers and identifiers: here `psr1` is somebody else's
    table = UserTable.of(
        {"cell": ["c", "c"], "user": ["a", "b"], "formed": [True, False], "psr1": [math.nan, math.nan]}
    )
    assert table.users == ("a", "b")
    assert {name: values.tolist() for name, values in table.columns.items()} == {"formed": [1.0, 0.0]}


def test_a_missing_value_is_none_or_nan() -> None:
    assert UserTable.of({"user": ["a"], "psr1": [None]}).columns == {}


def test_the_rate_of_a_record_is_the_mean_over_its_users() -> None:
    folder = ROOT / "results" / "built-in"
    users = read_users(folder)
    for record in read(folder):
        assert users[record.cell].columns["formed"].mean() == record.metrics["cfr"].value


def test_a_folder_without_users_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"bench run --out"):
        read_users(tmp_path)
    (tmp_path / "users.parquet").write_bytes(b"PAR1 not")
    with pytest.raises(UserError, match="damaged"):
        read_users(tmp_path)
