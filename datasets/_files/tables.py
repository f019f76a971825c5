"""The lists and tables beside VGGFace2's photos, as they come: any line ends, a byte-order mark, quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

from bench.errors import UserError

_META = re.compile(
    r'"?(?P<person>n\d{6})"?\s*,.*,\s*\d+\s*,\s*(?P<train>[01])\s*,\s*"?[mf]"?\s*(,.*)?', re.IGNORECASE
)
"""Class, name, number of photos, whether it is in the training set, gender. The name may hold quotes and
commas, so everything else is found from the two ends."""


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Number and text of every line that says something.

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
        raise UserError(f"cannot read {path}: {error.strerror}. Delete it, or get it again.") from error


def table(path: Path, columns: int) -> dict[str, tuple[float, ...]]:
    """Photo -> its numbers, from rows such as `"n000001/0001_01",60,60,79,109` below a header.

    Raises:
        UserError: for a row that is not of this form.
    """
    found: dict[str, tuple[float, ...]] = {}
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
        found[f"{name}.jpg"] = numbers
    return found


def parts_of_people(path: Path) -> dict[str, str]:
    """Class -> `train` or `test`, from `identity_meta.csv`; nobody about whom a row does not say it.

    Raises:
        UserError: if no row does.
    """
    rows = filter(None, (_META.fullmatch(line) for _, line in lines(path)))
    found = {row["person"]: "train" if row["train"] == "1" else "test" for row in rows}
    if not found:
        raise _damaged(path, "no line is class, name, number, flag and gender")
    return found


def _damaged(path: Path, why: str) -> UserError:
    return UserError(f"{path} is damaged ({why}). Delete it, or get it again.")
