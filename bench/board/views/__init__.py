"""Views of records: one file each, whose name is the view's. A new file here is a new view.

A view is a module with `VIEW: View`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from bench.errors import unknown_name

if TYPE_CHECKING:
    from bench.board.table import View

_FORMER = {"falls": "steps"}
"""Names that views had once, and that go on working."""


def names() -> list[str]:
    """Every view, in alphabetical order."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in modules if not name.startswith("_"))


def checked(name: str) -> str:
    """The name of a view that there is, for its name or a former one.

    Raises:
        UserError: if there is none of this name.
    """
    today = _FORMER.get(name, name)
    if today not in names():
        raise unknown_name("view", name, names(), command="bench board --help")
    return today


def view(name: str) -> View[Any]:
    """A view by its name.

    Raises:
        UserError: if there is none of this name.
    """
    module = importlib.import_module(f"{__name__}.{checked(name)}")
    chosen: View[Any] = module.VIEW
    return chosen
