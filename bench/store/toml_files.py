"""Small files of keys that users write in TOML: a card, a command."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bench.errors import UserError, unknown_name
from bench.store.reading import read_text
from bench.store.reasons import reason

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

    Keys = TypeVar("Keys", bound=BaseModel)

_MOST = 60
"""Characters of a value that a message shows."""


def read_keys(path: Path, schema: type[Keys], *, what: str, minimal: str, page: str) -> Keys:
    """The keys of a file.

    Args:
        path: The file.
        schema: What keys there are.
        what: What the file is, such as `card`.
        minimal: The keys that it has at least, as they are written.
        page: The page that has all of them.

    Raises:
        UserError: The file is missing, is not TOML, or says what it cannot say.
    """
    from pydantic import ValidationError

    if not path.is_file():
        raise UserError(f"no {what} {path}. Write one: {minimal}; {page} has all its keys.")
    try:
        values = tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not TOML: {reason(error)}.") from error
    keys = schema.model_fields
    for key in values:
        if key not in keys:
            raise unknown_name(f"key in {path}:", key, keys, command=page)
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{path}: {_first_problem(error, what, minimal)}") from error


def _first_problem(error: ValidationError, what: str, minimal: str) -> str:
    problem: Any = error.errors()[0]
    key = str(problem["loc"][0])
    if problem["type"] == "missing":
        return f"{key!r} is missing. A {what} has at least {minimal}."
    given = repr(problem["input"])
    shown = given if len(given) <= _MOST else f"{given[:_MOST]}…"
    return f"{key} = {shown}: {problem['msg'].lower()}."
