"""The lists and tables beside VGGFace2's photos, whatever their line ends, byte-order mark and quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

from bench.errors import UserError, cannot_read

_META = re.compile(
    r'"?(?P<person>n\d{6})"?\s*,.*,\s*\d+\s*,\s*(?P<train>[01])\s*,\s*"?[mf]"?\s*(,.*)?', re.IGNORECASE
)
"""A line of class, name, number of photos, training flag and gender. The name may hold quotes and commas, so
that the other columns are matched from the two ends of the line."""


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """The number and the text of every line that is not blank.

    Raises:
        UserError: if the file cannot be read, or is no text.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if text := line.strip():
                    yield number, text
    except UnicodeDecodeError as error:
        raise _damaged(path, f"byte {error.start} is no text") from error
    except OSError as error:
        raise cannot_read(error, str(path)) from error


def table(path: Path, columns: int) -> dict[str, tuple[float, ...]]:
    """Photo -> its numbers, from rows such as `"n000001/0001_01",60,60,79,109` below a header.

    Args:
        path: The table.
        columns: How many numbers a row has.

    Raises:
        UserError: for a row that is not of this form.
    """
    rows: dict[str, tuple[float, ...]] = {}
    for number, line in lines(path):
        name, *cells = (cell.strip().strip("\"'") for cell in line.split(","))
        if name.upper() == "NAME_ID":
            continue
        try:
            numbers = tuple(map(float, cells))
        except ValueError:
            numbers = ()
        if len(numbers) != columns or not all(map(isfinite, numbers)):
            raise _damaged(path, f"line {number} is not a photo and {columns} numbers")
        rows[f"{name}.jpg"] = numbers
    return rows


def parts_of_people(path: Path) -> dict[str, str]:
    """Class -> `train` or `test`, from `identity_meta.csv`; only classes of whose line the flag can be read.

    Raises:
        UserError: if no line has a flag.
    """
    rows = filter(None, (_META.fullmatch(line) for _, line in lines(path)))
    parts = {row["person"]: "train" if row["train"] == "1" else "test" for row in rows}
    if not parts:
        raise _damaged(path, "no line is class, name, number, flag and gender")
    return parts


def _damaged(path: Path, why: str) -> UserError:
    return UserError(f"{path} is damaged ({why}). Delete it, or get it again.")
