"""The code that computes a stage, as one digest: derived from imports, never listed by hand.

A cached result is only as good as its key. The key of every stage holds the digest of its module's import
closure: the module, and every module of the project that it reaches by imports, at its top or inside its
functions. Comments, formatting and docstrings do not count. Rooms that say nothing about results are left
out. The key of a plug-in is the digest of the siblings that it really imports. Libraries are read off the
same imports (design/003-cache-keys.md).
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

from bench.store.digests import digest, versions

SILENT_ROOMS = frozenset(
    {
        "bench",
        "bench.encoders.written",
        "bench.errors",
        "bench.machine.environment",
        "bench.machine.progress",
        "bench.plan.axes",
        "bench.plan.doors",
        "bench.plan.rows",
        "bench.store.cache",
        "bench.store.code",
        "bench.store.folders",
        "bench.store.lock",
        "bench.store.reading",
        "bench.store.reasons",
        "bench.store.rows",
        "bench.store.seals",
        "bench.store.sources",
        "bench.store.uses",
        "bench.store.writing",
    }
)
"""Modules that a stage imports and that no figure of a cell depends on."""


@dataclass(frozen=True)
class _Imports:
    """What one file imports.

    Attributes:
        own: Modules of the same top-level package.
        outside: Top-level names of everything else, without the standard library.
    """

    own: frozenset[str]
    outside: frozenset[str]


@cache
def closure(module: str) -> frozenset[str]:
    """A module, and all modules of its top-level package that it reaches by imports, without silent rooms.

    Args:
        module: A dotted name, such as `bench.faces.finder`.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        waiting += [target for target in _imports(name).own if not silent(target)]
    return frozenset(reached)


def silent(module: str) -> bool:
    """Whether a module says nothing about results."""
    return module in SILENT_ROOMS


@cache
def code_of(module: str) -> str:
    """Hex sha256 of the code of a module's import closure."""
    return digest({name: _tree(_path(name)) for name in sorted(closure(module))})


@cache
def file_code(module: str) -> str:
    """Hex sha256 of the code of a module's own file, whatever the module imports."""
    path = _path(module)
    return digest({path.name: _tree(path)})


@cache
def libraries_of(module: str) -> tuple[str, ...]:
    """The distributions that a module's import closure stands on, sorted; installed or not."""
    names = {name for reached in closure(module) for name in _imports(reached).outside}
    return tuple(sorted({dist for name in names for dist in _bringing(name)}))


def stage_code(*modules: str) -> list[object]:
    """What a stage's key says about the code that computes it: digests, and the versions of its libraries.

    Args:
        modules: The stage's own module, and the modules of the plug-ins that it calls.
    """
    libraries = sorted({name for module in modules for name in libraries_of(module)})
    return [[code_of(module) for module in modules], dict(versions(libraries))]


def _normal(distribution: str) -> str:
    """A distribution's name as it is written in requirements: in lower case, with hyphens."""
    return distribution.replace("_", "-").lower()


def forget() -> None:
    """Read all code anew. A process that changes code while it runs needs this."""
    kept = (
        closure,
        code_of,
        file_code,
        libraries_of,
        _distributions,
        _bringing,
        _path,
        _file,
        _imports,
        _read,
    )
    for function in kept:
        function.cache_clear()


@cache
def _distributions() -> dict[str, tuple[str, ...]]:
    return {name: tuple(sorted(set(map(_normal, names)))) for name, names in packages_distributions().items()}


@cache
def _bringing(package: str) -> tuple[str, ...]:
    """The distributions that bring a top-level package; one of its own name where none is installed.

    A distribution may leave a package out of its list of packages, as dlib-bin does. It is among its files.
    """
    if found := _distributions().get(package):
        return found
    if importlib.util.find_spec(package) is None:
        return (_normal(package),)
    files = ((dist.metadata["Name"], dist.read_text("RECORD") or "") for dist in distributions())
    found = tuple(sorted({_normal(name) for name, text in files if f"\n{package}/" in f"\n{text}"}))
    return found or (_normal(package),)


@cache
def _path(module: str) -> Path:
    """The file of a module, or of a package's `__init__`. Nothing is imported to find it.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    file = _file(module)
    if file is None:
        raise ModuleNotFoundError(module)
    return file


@cache
def _file(module: str) -> Path | None:
    top, *parts = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None:
        return None
    if spec.submodule_search_locations is None:
        return Path(str(spec.origin)) if not parts else None
    # in a checkout the plug-in folders lie beside the package (design/001-import-names.md)
    folders = [
        Path(place) for place in getattr(sys.modules.get(top), "__path__", spec.submodule_search_locations)
    ]
    for part in parts[:-1]:
        folders = [folder / part for folder in folders if (folder / part).is_dir()]
    last = parts[-1] if parts else ""
    for folder in folders:
        for file in (folder / last / "__init__.py", folder / f"{last}.py"):
            if file.is_file():
                return file
    return None


@cache
def _imports(module: str) -> _Imports:
    path = _path(module)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    top = module.partition(".")[0]
    own: set[str] = set()
    outside: set[str] = set()
    for name in (_absolute(name, level, package) for name, level in _read(path)[1]):
        first = name.partition(".")[0]
        if first == top or first == "bench":
            own |= set(_with_packages(name))
        elif first not in sys.stdlib_module_names:
            outside.add(first)
    return _Imports(frozenset(own - {module}), frozenset(outside))


def _with_packages(name: str) -> Iterator[str]:
    """The module that a name lies in, and the packages above it, whose `__init__` runs before it."""
    while name:
        if _file(name) is not None:
            yield name
        name = name.rpartition(".")[0]


def _absolute(name: str, level: int, package: str) -> str:
    """The absolute name of what a module of a package imports by a name that so many dots precede."""
    if not level:
        return name
    above = package.split(".")[: len(package.split(".")) - level + 1]
    return ".".join([*above, name])


def _imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names of everything that a file imports at run time, and the dots before each.

    `from a import b` gives `a.b`.
    """
    if isinstance(tree, ast.If) and _of_types_only(tree.test):
        for other in tree.orelse:
            yield from _imported(other)
        return
    if isinstance(tree, ast.Import):
        yield from ((alias.name, 0) for alias in tree.names)
    elif isinstance(tree, ast.ImportFrom):
        base = f"{tree.module}." if tree.module else ""
        yield from ((f"{base}{alias.name}", tree.level) for alias in tree.names)
    for child in ast.iter_child_nodes(tree):
        yield from _imported(child)


def _of_types_only(test: ast.expr) -> bool:
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return name == "TYPE_CHECKING"


@cache
def _read(path: Path) -> tuple[str, tuple[tuple[str, int], ...]]:
    """The digest of a file's code, and what it imports: it is parsed once."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = tuple(_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node.body)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imported


def _tree(path: Path) -> str:
    """Hex sha256 of a file's syntax tree, without comments, layout and docstrings."""
    return _read(path)[0]


def _drop_docstring(body: list[ast.stmt]) -> None:
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        del body[0]
