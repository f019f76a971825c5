"""Records and tables that are damaged, cut, or against each other."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import UserError
from injecting.folders_of_records import at, document_of, drawn, everything, lay, places, tables_of
from injecting.injection import Injection, Outcome, draws

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2.0, 0.5, -0.1, 5, 1e308, -1e308, 10**15, 10**30, "", "text", "1", "0.5",
    "nan", [], {}, [[]], {"a": 1}, [1, 2], "x" * 200_000, "\ud800", "\x1b[2J",
)  # fmt: skip
"""What stands in the place of a value."""

RAW = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "9" * 5000,
    "[" * 1000 + "]" * 1000,
    '{"a":' * 400 + "1" + "}" * 400,
)
"""The same, as text of a document."""

_HOLE = "a hole for raw text"


def _value(document: dict[str, Any], rng: random.Random) -> str:
    path = rng.choice(list(places(document)))
    at(document, path[:-1])[path[-1]] = rng.choice(VALUES)
    return json.dumps(document)


def _raw(document: dict[str, Any], rng: random.Random) -> str:
    path = rng.choice(list(places(document)))
    at(document, path[:-1])[path[-1]] = _HOLE
    return json.dumps(document).replace(f'"{_HOLE}"', rng.choice(RAW))


def _gone(document: dict[str, Any], rng: random.Random) -> str:
    path = rng.choice(list(places(document)))
    del at(document, path[:-1])[path[-1]]
    return json.dumps(document)


def _another_name(document: dict[str, Any], rng: random.Random) -> str:
    path = rng.choice([path for path in places(document) if isinstance(path[-1], str)])
    parent = at(document, path[:-1])
    parent[rng.choice(("", "a", "\x00", "\ud800", "cfr", "clusters", "x" * 300))] = parent.pop(path[-1])
    return json.dumps(document)


def _exchanged(document: dict[str, Any], rng: random.Random) -> str:
    one, other = rng.sample(list(places(document)), k=2)
    if one[: len(other)] != other and other[: len(one)] != one:
        held = at(document, one)
        at(document, one[:-1])[one[-1]] = at(document, other)
        at(document, other[:-1])[other[-1]] = held
    return json.dumps(document)


def _twice(document: dict[str, Any], rng: random.Random) -> str:
    path = rng.choice([path for path in places(document) if isinstance(path[-1], str)])
    at(document, path[:-1])[path[-1]], value = _HOLE, at(document, path)
    name, text = json.dumps(path[-1]), json.dumps(value)
    return json.dumps(document).replace(f'"{_HOLE}"', f"{text}, {name}: {rng.choice((text, '0', 'null'))}")


def _short(document: dict[str, Any], rng: random.Random) -> str:
    text = json.dumps(document)
    return text[: rng.randrange(len(text))]


def _bytes(document: dict[str, Any], rng: random.Random) -> bytes:
    content = bytearray(json.dumps(document).encode())
    for _ in range(rng.randint(1, 4)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def _encoded(document: dict[str, Any], rng: random.Random) -> bytes:
    return json.dumps(document).encode(rng.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7")))


DOCUMENTS: Mapping[str, Callable[[dict[str, Any], random.Random], str | bytes]] = {
    "another value": _value,
    "raw text": _raw,
    "a value gone": _gone,
    "another name": _another_name,
    "two exchanged": _exchanged,
    "a name twice": _twice,
    "cut short": _short,
    "bytes changed": _bytes,
    "another encoding": _encoded,
}


def damage_records(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Damage a document of records, and print everything that is printed of it."""
    counts: Counter[Outcome] = Counter()
    for rng in draws(times, seed):
        cells = drawn(rng, 2)
        users, photos = tables_of(cells)
        text = DOCUMENTS[rng.choice([*DOCUMENTS])](document_of(cells), rng)
        lay(folder, text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"), users, photos)
        counts[outcome(folder, "records.json", rng, "printed, with no impossible figure")] += 1
    return counts


def outcome(folder: Path, file: str, rng: random.Random, printed: str) -> Outcome:
    """What comes of printing everything of a folder whose file is damaged."""
    try:
        shown = everything([folder], rng)
    except UserError as error:
        said = str(error)
        wrong = "\n" in said or not said.isprintable() or len(said) > 600 or str(folder) not in said
        return Outcome(
            "refused, but not in one line that names the file" if wrong else "refused by name", not wrong
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
        return Outcome(f"{file}: ends with {type(error).__name__}", False)
    doubt = next((doubt for text in shown.items() if (doubt := _impossible(*text))), "")
    return Outcome(f"{file}: printed {doubt}" if doubt else printed, not doubt)


def _impossible(what: tuple[str, str], text: str) -> str:
    """A figure of a JSON board that is no rate; the empty text if all are."""
    view, form = what
    if form != "json":
        return ""
    for row in json.loads(text):
        for name, value in row.items():
            if isinstance(value, dict) and "better" in value:
                numbers = [value[end] for end in ("value", "low", "high")] + (value["bounds"] or [])
                for number in numbers:
                    if number is not None and not (math.isfinite(number) and -1e-6 <= number <= 1 + 1e-6):
                        return f"{name} {number} in {view}"
    return ""


def _numbers(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if name not in ("cell", "user", "photo", "released", "outcome")]


def _no_column(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    rest: pd.DataFrame = table.drop(columns=rng.choice([*table.columns]))
    return rest


def _text(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    name = rng.choice(_numbers(table))
    return table.assign(**{name: table[name].astype(str)})


def _one_number(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    if table.empty:
        return table
    name, value = (
        rng.choice(_numbers(table)),
        rng.choice((2.0, -1.5, 1e308, math.nan, math.inf, -math.inf, 0.5, 0)),
    )
    values = table[name].astype("float64").to_numpy(copy=True)
    values[rng.randrange(len(values))] = value
    return table.assign(**{name: values})


def _number_for_text(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    return table.assign(**{rng.choice(("cell", "user")): rng.choice((1, 0.5, True))})


def _holes(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    name = rng.choice(("cell", "user"))
    values = table[name].to_numpy(dtype=object, copy=True)
    values[rng.randrange(max(1, len(values)) // 2 + 1) :: 2] = None
    return table.assign(**{name: values})


def _first_rows(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    first: pd.DataFrame = table.head(rng.randrange(len(table) + 1))
    return first


def _rows_twice(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    return pd.concat([table, table.iloc[: rng.randrange(len(table) + 1)]])


def _of_others(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    del rng
    return table.assign(cell=np.roll(table["cell"].to_numpy(dtype=object), len(table) // 2 + 1))


def _lists(table: pd.DataFrame, rng: random.Random) -> pd.DataFrame:
    name = rng.choice([*table.columns])
    lists = pd.Series([[value] for value in table[name].tolist()], index=table.index)
    return table.assign(**{name: lists})


TABLES: Mapping[str, Callable[[pd.DataFrame, random.Random], pd.DataFrame]] = {
    "a column gone": _no_column,
    "text for numbers": _text,
    "another number": _one_number,
    "a number for text": _number_for_text,
    "holes": _holes,
    "first rows only": _first_rows,
    "rows twice": _rows_twice,
    "rows of another cell": _of_others,
    "lists": _lists,
}


def damage_tables(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Damage the table of users or of photos, in its rows or its bytes, and print everything."""
    counts: Counter[Outcome] = Counter()
    for rng in draws(times, seed):
        cells = drawn(rng, 2)
        users, photos = tables_of(cells)
        file = rng.choice(("users.parquet", "photos.parquet"))
        lay(folder, json.dumps(document_of(cells)).encode(), users, photos)
        if rng.random() < 0.7:
            change = TABLES[rng.choice([*TABLES])]
            change(users if file == "users.parquet" else photos, rng).to_parquet(folder / file, index=False)
        else:
            content = bytearray((folder / file).read_bytes())
            for _ in range(rng.randint(1, 6)):
                content[rng.randrange(len(content))] = rng.randrange(256)
            (folder / file).write_bytes(content[: rng.choice((len(content), rng.randrange(len(content))))])
        counts[outcome(folder, file, rng, "printed, with no impossible figure")] += 1
    return counts


def _changed(cell: dict[str, Any], rng: random.Random) -> str:
    """Change one thing that a cell says of its result, to something as possible; and say which."""
    metrics = cell["metrics"]
    name = rng.choice([name for name, metric in metrics.items() if metric["value"] is not None])
    if rng.random() < 0.5:
        metrics[name]["n"] += 1
        return f"metrics.{name}.n"
    metrics[name] = {**metrics[name], "value": 0.123, "low": 0.1, "high": 0.2, "bounds": None}
    return f"metrics.{name}"


def contradict(times: int, seed: int, folder: Path) -> Counter[Outcome]:
    """Print two folders with the same cells: as they are, computed later, or with another figure."""
    counts: Counter[Outcome] = Counter()
    folder.mkdir(exist_ok=True)
    for rng in draws(times, seed):
        cells = [cell for cell in drawn(rng) if cell["status"] == "ok"]
        users, photos = tables_of(cells)
        paths = [lay(folder / "one", json.dumps(document_of(cells)).encode(), users, photos)]
        kind = rng.choice(("another figure", "the same, later", "one failed"))
        again: list[dict[str, Any]] = json.loads(json.dumps(cells))
        place = ""
        if kind == "another figure":
            place = _changed(rng.choice(again), rng)
        elif kind == "the same, later":
            for cell in again:
                cell["cost"], cell["environment"] = {}, {"commit": "another", "threads": rng.randint(1, 9)}
        else:
            again[0] |= {"status": "failed", "error": "of the moment", "metrics": {}, "controls": {}}
        rng.shuffle(again)
        paths.append(lay(folder / "two", json.dumps(document_of(again)).encode(), users, photos))
        rng.shuffle(paths)
        counts[_agreement(paths, cells, place, rng)] += 1
    return counts


def _agreement(paths: list[Path], cells: list[dict[str, Any]], place: str, rng: random.Random) -> Outcome:
    try:
        shown = everything(paths, rng)
    except UserError as error:
        said = str(error)
        names = all(part in said for part in (*map(str, paths), place)) and "\n" not in said
        return Outcome("a contradiction is refused, with cell, field and folders", bool(place) and names)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
        return Outcome(f"ends with {type(error).__name__}", False)
    rows = json.loads(shown["cells", "json"])
    whole = len(rows) == len(cells) and all(row["status"] == "ok" for row in rows)
    return Outcome("folders that agree are printed, each cell once", whole and not place)


def _described(kinds: Mapping[str, object]) -> str:
    return ", ".join(kinds)


INJECTIONS = (
    Injection(
        "damaged-records",
        f"`records.json` is damaged: {_described(DOCUMENTS)}",
        "the file is refused in one line that names it; or what it says is possible, and is printed",
        400,
        damage_records,
    ),
    Injection(
        "damaged-tables",
        f"`users.parquet` or `photos.parquet` is damaged: {_described(TABLES)}, or bytes changed and cut",
        "the file is refused in one line that names it; or what it says is possible, and is printed",
        300,
        damage_tables,
    ),
    Injection(
        "contradicting-folders",
        "two folders have the same cells: as they are, computed later on another machine, failed, or with "
        "another figure",
        "another figure is refused with cell, field and both folders; all others are printed, each cell once",
        300,
        contradict,
    ),
)
