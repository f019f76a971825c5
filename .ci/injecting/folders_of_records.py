"""Folders of records as a stranger hands them over: cells to change, and all that is printed of them."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from bench.board import render, views
from bench.board.curve_table import curve_table
from bench.board.curves import AXES, curves
from bench.board.loading import load
from bench.board.render.text import write
from bench.board.table import Table
from bench.errors import UserError
from bench.records.packed import SUFFIX, unpacked

RESULTS = Path(__file__).resolve().parents[2] / "results"
FOLDERS = ("built-in", "standard")
FEW = 40
"""Cells of each folder that are drawn from."""


def _document(folder: Path) -> bytes:
    packed = folder / f"records.json{SUFFIX}"
    return unpacked(packed.read_bytes()) if packed.exists() else (folder / "records.json").read_bytes()


@cache
def pool() -> tuple[list[dict[str, Any]], pd.DataFrame, pd.DataFrame]:
    """Cells of committed records as they stand there, with their users and their photos."""
    cells: list[dict[str, Any]] = []
    users: list[pd.DataFrame] = []
    photos: list[pd.DataFrame] = []
    for name in FOLDERS:
        document = json.loads(_document(RESULTS / name))
        every = document["cells"]
        held = {cell["cell"] for cell in cells}
        some = [cell for cell in every[:: max(1, len(every) // FEW)] if cell["cell"] not in held]
        cells += [cell | {"schema_version": document["schema_version"]} for cell in some]
        digests = [cell["cell"] for cell in some]
        for tables, kind in ((users, "users"), (photos, "photos")):
            table = pd.read_parquet(RESULTS / name / f"{kind}.parquet")
            tables.append(table[table["cell"].isin(digests)])
    return cells, pd.concat(users), pd.concat(photos)


def drawn(rng: random.Random, most: int = 4) -> list[dict[str, Any]]:
    """A few cells of one schema, which may be changed."""
    cells = pool()[0]
    first = rng.choice(cells)
    alike = [cell for cell in cells if cell["schema_version"] == first["schema_version"]]
    chosen = rng.sample(alike, k=min(rng.randint(1, most), len(alike)))
    copied: list[dict[str, Any]] = json.loads(json.dumps(chosen))
    return copied


def tables_of(cells: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The users and the photos of some cells."""
    digests = [cell["cell"] for cell in cells]
    _, users, photos = pool()
    return users[users["cell"].isin(digests)].copy(), photos[photos["cell"].isin(digests)].copy()


def document_of(cells: list[dict[str, Any]]) -> dict[str, Any]:
    """A document with these cells."""
    return {"schema_version": cells[0]["schema_version"] if cells else 2, "cells": cells}


def lay(folder: Path, text: bytes, users: pd.DataFrame, photos: pd.DataFrame) -> Path:
    """A folder as `bench run --out` writes it."""
    folder.mkdir(exist_ok=True)
    (folder / "records.json").write_bytes(text)
    users.to_parquet(folder / "users.parquet", index=False)
    photos.to_parquet(folder / "photos.parquet", index=False)
    return folder


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every value below one."""
    for step, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, step)
        if isinstance(item, dict | list):
            yield from places(item, (*path, step))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at a place."""
    for step in path:
        value = value[step]
    return value


def everything(paths: list[Path], rng: random.Random) -> dict[tuple[str, str], str]:
    """(view, format) -> what is printed of folders; the axis of the curve and a narrow terminal are drawn.

    Raises:
        UserError: The folders are refused.
    """
    records, users = load(paths, of_users=True)
    tables: dict[str, Table[Any]] = {name: views.view(name).table(records, users) for name in views.names()}
    axis = rng.choice([*AXES])
    try:
        tables[f"curve {axis}"] = curve_table(curves(records, users, axis), axis)
    except UserError as error:
        if "no two points" not in str(error):
            raise
    out = {
        (name, form): render.render(form, table) for name, table in tables.items() for form in render.names()
    }
    for name, table in tables.items():
        narrow = io.StringIO()
        write(table, narrow, rng.choice([40, 80, 120]))
        out[name, "narrow text"] = narrow.getvalue()
    return out
