"""Where encoders come from: each module here is a family, and says `FAMILY = ItsFamily()`.

A family with parts is a package whose `__init__` says it. Nothing imports torch before an encoder is loaded.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from bench.encoders.family import Family


def own() -> tuple[Family, ...]:
    """The families of the project: first those whose weights the package ships, then by the module's name."""
    return _families_in(tuple(__path__))


@cache
def _families_in(folders: tuple[str, ...]) -> tuple[Family, ...]:
    modules = sorted(module.name for module in pkgutil.iter_modules(folders))
    families: list[Family] = [importlib.import_module(f"{__name__}.{name}").FAMILY for name in modules]
    return tuple(sorted(families, key=lambda family: not family.built_in))
