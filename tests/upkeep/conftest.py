"""Stores whose results know each other: two cells that share an embedding."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.store.cache import Cache
from bench.store.digests import digest

FACES = {digest("face", n): bytes(200) for n in range(3)}
SHARED, OF_A, OF_B = (digest("embedding", name) for name in "sab")
CLOAK_A, CELL_A, CELL_B = digest("cloak a"), digest("cell a"), digest("cell b")
OF_CELL_B = {*FACES, SHARED, OF_B, CELL_B}
EVERYTHING = {*OF_CELL_B, OF_A, CLOAK_A, CELL_A}


def cell(name: str) -> bytes:
    """The file of a cell, as far as upkeep reads it."""
    return json.dumps({"record": {"cell": name}, "tables": {}}).encode()


def fill(home: Path) -> None:
    """Two processes, a cell each; the second one finds what the first has stored."""
    first = Cache(home)
    first.put_rows("face", FACES)
    first.put_rows("embedding", {SHARED: b"1" * 2000, OF_A: b"2" * 2000})
    first.put_file("cloak", CLOAK_A, b"photos" * 10_000)
    first.put_file("cell", CELL_A, cell("a"))
    first.explain("cell", CELL_A)
    first.close()
    second = Cache(home)
    second.rows("face", FACES)
    second.rows("embedding", [SHARED, OF_B])
    second.put_rows("embedding", {OF_B: b"3" * 2000})
    second.put_file("cell", CELL_B, cell("b"))
    second.explain("cell", CELL_B)
    second.close()


def held(home: Path) -> set[str]:
    """Which of the results above are there."""
    cache = Cache(home)
    rows = {*cache.rows("face", FACES), *cache.rows("embedding", [SHARED, OF_A, OF_B])}
    files = {key for key in (CLOAK_A,) if cache.file("cloak", key)}
    cells = {key for key in (CELL_A, CELL_B) if cache.file("cell", key)}
    cache.close()
    return rows | files | cells


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A store with both cells."""
    fill(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def known() -> Any:
    """The keys above, and what fills and reads a store of them."""
    return sys.modules[__name__]
