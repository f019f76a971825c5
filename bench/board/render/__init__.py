"""Formats of a table: one file each, whose name is the format's. A new file here is a new format.

A renderer is a module with `render(table: Table) -> str`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from bench.errors import unknown_name

if TYPE_CHECKING:
    from bench.board.table import Table


def names() -> list[str]:
    """Every format, in alphabetical order."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def checked(name: str) -> str:
    """The name of a format that there is.

    Raises:
        UserError: if there is none of this name.
    """
    if name not in names():
        raise unknown_name("format", name, names(), command="bench board --help")
    return name


def render(name: str, table: Table[Any]) -> str:
    """A table in a format, with a newline at its end.

    Raises:
        UserError: for an unknown format.
    """
    text: str = importlib.import_module(f"{__name__}.{checked(name)}").render(table)
    return text
