"""From names on the command line to plug-ins. No other code reaches into the plug-in folders.

A plug-in is a file that says `PLUGIN = ItsClass`; its name is the file's stem, with '-' for '_'. Packages
installed beside this one add plug-ins through the entry-point groups `cloakbench.defenses`,
`cloakbench.attackers` and `cloakbench.datasets`.
"""

from __future__ import annotations

import importlib
import pkgutil
import shlex
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from bench.errors import UserError, unknown_name
from bench.parameters import filled

Kind = Literal["defenses", "attackers", "datasets"]

_SINGULAR: dict[Kind, str] = {"defenses": "defense", "attackers": "attacker", "datasets": "dataset"}


def names(kind: Kind) -> list[str]:
    """All names of one kind, sorted."""
    return sorted({*_built_in(kind), *_outside(kind)})


def load(kind: Kind, name: str) -> type[Any]:
    """Load the plug-in's class.

    Raises:
        UserError: No plug-in has the name; the message suggests the nearest one.
    """
    modules = _built_in(kind)
    if name in modules:
        return importlib.import_module(modules[name]).PLUGIN  # type: ignore[no-any-return]  # by contract
    outside = _outside(kind)
    if name in outside:
        return outside[name].load()  # type: ignore[no-any-return]  # by contract
    if kind == "datasets" and (set(name) & {"/", "\\"} or name.startswith((".", "~"))):
        raise UserError(
            f"no dataset {name!r}: a folder of yours is named by 'folder:' and its path. "
            f"Type --dataset {shlex.quote(f'folder:{name}')}."
        )
    raise unknown_name(_SINGULAR[kind], name, names(kind), command=f"bench list {kind}")


def make(kind: Kind, text: str) -> tuple[str, Any]:
    """Read `name` or `name:field=value,field=value` and make the plug-in.

    A class that says `positional = "field"` takes the whole text after the first colon as that one field. The
    text may then hold any character: `folder:/photos/2024, summer`.

    Returns:
        The name, and the instance with every parameter resolved.

    Raises:
        UserError: The name or a parameter is unknown, or a value has the wrong type.
    """
    name, _, arguments = text.partition(":")
    return name, filled(load(kind, name), f"{_SINGULAR[kind]} {name!r}", arguments)


def _built_in(kind: Kind) -> dict[str, str]:
    package = importlib.import_module(f"bench.{kind}")
    stems = (m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))
    return {stem.replace("_", "-"): f"bench.{kind}.{stem}" for stem in stems}


def _outside(kind: Kind) -> dict[str, EntryPoint]:
    own = _built_in(kind)
    points: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"cloakbench.{kind}"):
        if point.name in own or point.name in points:
            where = point.dist.name if point.dist else point.value
            raise UserError(
                f"two plug-ins call themselves {_SINGULAR[kind]} {point.name!r}; the second is from {where}. "
                "Rename or uninstall one."
            )
        points[point.name] = point
    return points
