"""Tables of `bench run --out`, read as what they are: a stranger's files.

A table is checked before anybody works with it: that it can be read, that it has the columns that were asked
for, and that each column holds what its name says. Then it is divided by cell.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.board.escaping import printable
from bench.errors import UserError, cannot_read
from bench.store.reading import read_whole
from bench.types import Floats

if TYPE_CHECKING:
    import pyarrow as pa

_MOST = 10**12

MOST_ROWS = 20_000_000
"""Rows of a table: a file of few bytes may claim any number of them."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a column holds.

    Attributes:
        least: Its smallest value.
        most: Its largest value.
        whole: Whether its values are whole numbers.
    """

    least: float
    most: float
    whole: bool = False


RATE = Held(0, 1)
COUNT = Held(0, _MOST, whole=True)
LABEL = Held(-1, _MOST, whole=True)


def read_table(
    folder: Path, name: str, texts: tuple[str, ...], numbers: Mapping[str, Held]
) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    """Read the table of a folder, divided by cell.

    Args:
        folder: One that `bench run --out` wrote.
        name: The file's name.
        texts: Columns of texts, all of which the table has and none of which is ever empty.
        numbers: Columns of numbers that may be there. Others are passed over.

    Returns:
        Digest of a cell -> column -> values of its rows, in the table's order: texts, and float64 in which
        NaN stands for an empty place. The columns are `texts` and those of `numbers` that are there.

    Raises:
        UserError: There is no such file, or it is no such table; the message names file and column.
    """
    file = folder / name
    try:
        there = file.is_file()
    except OSError as error:
        raise cannot_read(error, str(file)) from error
    if not there:
        raise UserError(
            f"the {name.partition('.')[0]} of every cell are needed, and {file} is not there. "
            "Name a folder that 'bench run --out' wrote."
        )
    return table_in(read_whole(file), file, texts, numbers)


def table_in(
    content: bytes, file: Path, texts: tuple[str, ...], numbers: Mapping[str, Held]
) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    """The same, of the bytes of a table.

    Args:
        content: The bytes.
        file: Whose bytes they are, for messages.
        texts: As in `read_table`.
        numbers: As in `read_table`.

    Raises:
        UserError: It is no such table; the message names file and column.
    """
    try:
        table = _loaded(content)
        names = table.column_names
        for column in ("cell", *texts):
            if names.count(column) != 1:
                raise ValueError(f"it has {names.count(column) or 'no'} columns {column!r}")
        columns = {column: _texts(table, column) for column in ("cell", *texts)}
        for column, held in numbers.items():
            if names.count(column) > 1:
                raise ValueError(f"it has {names.count(column)} columns {column!r}")
            if column in names:
                columns[column] = _numbers(table, column, held)
        return _divided(columns)
    except ValueError as error:
        raise damaged(file, str(error)) from error


def damaged(file: Path, reason: str) -> UserError:
    """Make the error for a table that is not what it should be."""
    words = " ".join(printable(reason).split())[:200]
    return UserError(f"{file} is damaged: {words}. Repeat the command that wrote it.")


def _loaded(content: bytes) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        head = parquet.read_metadata(io.BytesIO(content))
        if head.num_rows > MOST_ROWS:
            raise ValueError(f"it has {head.num_rows} rows, and {MOST_ROWS} are the most")
        # a text that stands in many rows is kept once
        columns = [head.schema.column(i) for i in range(head.num_columns)]
        texts = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
        return parquet.read_table(io.BytesIO(content), use_threads=False, read_dictionary=texts)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise ValueError(f"it is no Parquet table ({error})") from error


def _texts(table: pa.Table, column: str) -> np.ndarray[Any, Any]:
    import pyarrow as pa

    values = table.column(column)
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise ValueError(f"its column {column!r} holds {kind}, and must hold texts")
    if values.null_count:
        raise ValueError(f"its column {column!r} has {values.null_count} empty places")
    # each text once: a column names few cells, people and outcomes, and each of them often
    coded = values.cast(kind).dictionary_encode().combine_chunks()
    try:
        texts = np.array([*coded.dictionary.to_pylist(), ""], dtype=object)
    except UnicodeDecodeError as error:
        raise ValueError(f"its column {column!r} holds what is no text") from error
    values_of_rows: np.ndarray[Any, Any] = texts[np.asarray(coded.indices)]
    return values_of_rows


def _numbers(table: pa.Table, column: str, held: Held) -> Floats:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table.column(column)
    kind = values.type
    if pa.types.is_null(kind):
        return np.full(len(values), np.nan)
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise ValueError(f"its column {column!r} holds {kind}, and must hold numbers")
    cast = pc.cast(values, pa.float64(), safe=False)
    numbers: Floats = np.asarray(cast.to_numpy(zero_copy_only=False), np.float64)
    given = numbers[~np.isnan(numbers)]
    wrong = given[~((given >= held.least) & (given <= held.most))]
    if wrong.size:
        raise ValueError(
            f"its column {column!r} holds {wrong[0]:g}, and lies between {held.least:g} and {held.most:g}"
        )
    if held.whole and (given != np.floor(given)).any():
        raise ValueError(
            f"its column {column!r} holds {given[given != np.floor(given)][0]:g}, no whole number"
        )
    return numbers


def _divided(columns: dict[str, np.ndarray[Any, Any]]) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    cells = columns.pop("cell")
    number: dict[str, int] = {}
    which = np.array([number.setdefault(cell, len(number)) for cell in cells], np.int64)
    ends = np.cumsum(np.bincount(which, minlength=len(number)))
    parts = np.split(np.argsort(which, kind="stable"), ends[:-1]) if number else []
    return {
        name: {column: values[rows] for column, values in columns.items()}
        for name, rows in zip(number, parts, strict=True)
    }
