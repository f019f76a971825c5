"""Digests of what the built-in photos depend on: the renderer's source and the libraries that draw."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

PARTS = (
    "identity",
    "photo",
    "picture",
    "planes",
    "head",
    "skin",
    "features",
    "hair",
    "backdrop",
    "camera",
    "render",
)
_LIBRARIES = ("numpy", "torch", "pillow")
_EVERYTHING = {"show_empty": True} if sys.version_info >= (3, 13) else {}
"""Python 3.13 and later write empty lists of a syntax tree only if they are asked to."""


@cache
def renderer_revision() -> str:
    """Hex SHA-256 of the renderer's code without its docstrings, and of its libraries' versions."""
    folder = Path(__file__).parent
    sources = {part: digest_of_code((folder / f"{part}.py").read_text("utf-8")) for part in PARTS}
    libraries = {name: version(name) for name in _LIBRARIES}
    return hashlib.sha256(json.dumps([sources, libraries], sort_keys=True).encode()).hexdigest()


def digest_of_code(source: str) -> str:
    """Hex SHA-256 of what Python code does: layout, comments and docstrings do not count.

    The digest is the same on every Python: the syntax tree is written as Python 3.11 writes it.
    The digest takes a part of the renderer by the name that the part had when the first photos were recorded,
    `_faces_head` for `head`: a file that only moved draws the same photos under the same revision.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            node.module = f"_faces_{node.module}"
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [part for part in node.body if not _is_text(part)]
        if not getattr(node, "type_params", True):
            delattr(node, "type_params")  # a field of Python 3.12 and later
    return hashlib.sha256(ast.dump(tree, **_EVERYTHING).encode()).hexdigest()


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def photo_digest(revision: str, hardness: float, person: int, number: int) -> str:
    """Hex SHA-256 of everything that one photo's pixels depend on."""
    content = json.dumps([revision, float(hardness), person, number])
    return hashlib.sha256(content.encode()).hexdigest()
