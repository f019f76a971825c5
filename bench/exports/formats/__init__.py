"""Formats of an export: one file each. A new file is a new format, called like the file with `-` for `_`.

A format is a module with `files(source: Source) -> dict[str, bytes]`: the path of each file below the folder
of the export, and its content. Parts of such paths are made by `bench.site.names.slug`, so that no text of a
record leads out of the folder.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

from bench.errors import unknown_name

if TYPE_CHECKING:
    from bench.exports.source import Source


def names() -> list[str]:
    """Every format, in alphabetical order."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def checked(name: str) -> str:
    """The name of a format that there is.

    Raises:
        UserError: There is none of this name.
    """
    if name not in names():
        raise unknown_name("format", name, names(), command="bench export --help")
    return name


def files(name: str, source: Source) -> dict[str, bytes]:
    """The files of an export: path below its folder -> content.

    Args:
        name: The format.
        source: What is exported.

    Raises:
        UserError: There is no such format, or nothing that it could hold.
    """
    module = importlib.import_module(f"{__name__}.{checked(name).replace('-', '_')}")
    made: dict[str, bytes] = module.files(source)
    return made
