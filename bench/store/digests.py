"""Digests: of values, and of the code that computes a stage.

A cached result is only as good as its key. The key of every stage holds the digest of the modules that
compute it (their syntax trees: comments, formatting and docstrings do not count) and the versions of the
libraries they stand on, so that a changed stage can never return yesterday's result
(design/003-cache-keys.md).
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.parameters import plain


def digest(*parts: Any) -> str:
    """Hex sha256 of plain values (see `bench.parameters.plain`), in canonical JSON."""
    text = json.dumps(plain(list(parts)), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def array_digest(array: npt.NDArray[Any]) -> str:
    """Hex sha256 of an array's shape, type and bytes."""
    head = f"{array.dtype.str}{array.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


@cache
def code_digest(*modules: str) -> str:
    """Hex sha256 of the code of modules, and of every module below the packages among them.

    Args:
        modules: dotted names, such as `bench.faces.detect` or `bench.optim`.
    """
    files: dict[str, Path] = {}
    for name in modules:
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(name)
        if spec.submodule_search_locations is None:
            files[name] = Path(str(spec.origin))
            continue
        for folder in map(Path, spec.submodule_search_locations):
            for path in sorted(folder.glob("**/*.py")):
                files[f"{name}/{path.relative_to(folder).as_posix()}"] = path
    return digest({name: _tree(path.read_text(encoding="utf-8")) for name, path in files.items()})


@cache
def plugin_code(module: str) -> str:
    """Digest of a plug-in's module and of the private siblings (`_*.py`) and rooms (`_*/`) beside it."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    path = Path(spec.origin)
    folder = path.parent
    private = [*folder.glob("_*.py"), *folder.glob("_*/**/*.py")] if module.startswith("bench.") else []
    own = {p.relative_to(folder).as_posix(): p for p in (path, *sorted(private))}
    return digest({name: _tree(p.read_text(encoding="utf-8")) for name, p in own.items()})


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Installed versions by distribution name; `absent` where a package is not installed."""
    return {name: _version(name) for name in packages}


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _tree(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_docstring(node.body)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _drop_docstring(body: list[ast.stmt]) -> None:
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        del body[0]


def combine(digests: Sequence[str]) -> str:
    """One digest of many, in order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
