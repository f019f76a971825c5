"""A digest of everything that a Python function reads: its code, defaults, closure and globals.

Two functions of one source may do different things: one closes over 3 and the other over 30, or a global that
both read was changed. What no digest can be made of, such as a random generator or an open file, is named.
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
import hashlib
import inspect
import io
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_DEEPEST = 40
_PLAIN = (type(None), bool, int, float, complex, str, bytes)


@dataclasses.dataclass(frozen=True, slots=True)
class Reached:
    """What a function reaches.

    Attributes:
        digest: Hex sha256 of all that can be told.
        unseen: The names of what cannot, in alphabetical order.
    """

    digest: str
    unseen: tuple[str, ...]


def reached(function: Any) -> Reached:
    """Follow a function, or any other callable, to everything that it reads besides its arguments."""
    walk = _Walk()
    digest = walk.value(function, "", 0)
    return Reached(digest, tuple(sorted(walk.unseen)))


class _Walk:
    """One walk: what was met once is told by its number, so that circles end.

    Attributes:
        unseen: Names of what no digest can be made of.
    """

    def __init__(self) -> None:
        self.unseen: set[str] = set()
        self._met: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no address is used twice

    def value(self, value: Any, name: str, depth: int) -> str:
        """The digest of a value that is called by a name."""
        if isinstance(value, _PLAIN):
            return _digest(type(value).__name__, repr(value))
        if id(value) in self._met:
            return _digest("again", str(self._met[id(value)]))
        self._met[id(value)] = len(self._met)
        self._kept.append(value)
        if depth > _DEEPEST:
            return self._untold(name)
        return self._of(value, name, depth + 1)

    def _of(self, value: Any, name: str, depth: int) -> str:
        if isinstance(value, types.FunctionType):
            return self._function(value, name, depth)
        if isinstance(value, types.ModuleType):
            return _module(value)
        if isinstance(value, types.MethodType):
            return self._all("method", name, depth, self_=value.__self__, function=value.__func__)
        if isinstance(value, functools.partial):
            return self._all(
                "partial", name, depth, function=value.func, arguments=value.args, keywords=value.keywords
            )
        if isinstance(value, type):
            return _digest("class", value.__module__, value.__qualname__, _source(value))
        if _is_compiled(value):
            owner = getattr(value, "__self__", None)
            told = (
                "" if owner is None or isinstance(owner, types.ModuleType) else self.value(owner, name, depth)
            )
            return _digest("builtin", str(getattr(value, "__module__", "")), value.__name__, told)
        if isinstance(value, tuple | list):
            items = [self.value(item, f"{name}[{i}]", depth) for i, item in enumerate(value)]
            return _digest(type(value).__name__, *items)
        if isinstance(value, dict):
            pairs = [
                _digest(self.value(key, name, depth), self.value(item, f"{name}[{key!r}]"[:60], depth))
                for key, item in value.items()
            ]
            return _digest("dict", *pairs)
        if isinstance(value, set | frozenset):
            return _digest("set", *sorted(self.value(item, name, depth) for item in value))
        return self._object(value, name, depth)

    def _function(self, function: types.FunctionType, name: str, depth: int) -> str:
        code = function.__code__
        # a line of source may hold several lambdas
        parts = [_source(function) or code.co_code.hex()]
        parts += [code.co_code.hex()] if function.__name__ == "<lambda>" else []
        parts.append(self.value(function.__defaults__, f"{name}defaults", depth))
        parts.append(self.value(function.__kwdefaults__, f"{name}defaults", depth))
        for free, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                parts.append(_digest(free, self.value(cell.cell_contents, free, depth)))
            except ValueError:  # a cell that is not filled yet
                parts.append(_digest(free, "empty"))
        for read in sorted(_names(code)):
            if read in function.__globals__:
                parts.append(_digest(read, self.value(function.__globals__[read], read, depth)))
            elif not hasattr(builtins, read):
                parts.append(_digest(read, "attribute"))
        return _digest("function", *parts)

    def _object(self, value: Any, name: str, depth: int) -> str:
        kind = type(value)
        content = getattr(value, "tobytes", None)
        if kind.__module__ == "numpy" and callable(content) and not value.dtype.hasobject:
            return _digest("array", str(value.dtype), str(value.shape), hashlib.sha256(content()).hexdigest())
        if kind.__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
            import torch

            flat = value.detach().cpu().reshape(-1).contiguous()
            content = hashlib.sha256(flat.view(torch.uint8).numpy().tobytes()).hexdigest()
            return _digest("tensor", str(value.dtype), str(tuple(value.shape)), content)
        if isinstance(value, io.IOBase):
            return self._untold(name)
        wrapped = getattr(value, "__wrapped__", None)  # what functools.cache and wraps leave
        if wrapped is not None:
            return self.value(wrapped, name, depth)
        state = getattr(value, "__dict__", None)
        if state is None or kind.__module__ in _STATEFUL:
            return self._untold(name)
        return self._all("object", name, depth, kind=kind, call=kind.__dict__.get("__call__"), **state)

    def _all(self, what: str, name: str, depth: int, **parts: Any) -> str:
        told = [
            _digest(part, self.value(item, f"{name}.{part}".lstrip("."), depth))
            for part, item in parts.items()
        ]
        return _digest(what, *told)

    def _untold(self, name: str) -> str:
        self.unseen.add(name or "the function itself")
        return _digest("unseen")


def _is_compiled(value: Any) -> bool:
    """Whether a value is a function without Python source, such as `len`, `numpy.add` or one of Cython."""
    named = callable(value) and isinstance(getattr(value, "__name__", None), str)
    return named and not isinstance(value, type) and not hasattr(value, "__wrapped__")


_STATEFUL = ("random", "threading", "socket")
"""Modules whose objects go on changing, whatever they hold now."""


def _digest(*parts: str) -> str:
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()


def _source(thing: Any) -> str:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return ""


def _names(code: types.CodeType) -> set[str]:
    """Every name that some code, or code within it, may look up among the globals."""
    inner: Iterable[types.CodeType] = (const for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _module(module: types.ModuleType) -> str:
    """A module by its version; one without a version, such as the user's own, by its source."""
    version = getattr(module, "__version__", "")
    file = getattr(module, "__file__", None)
    if not version and file and file.endswith(".py"):
        version = _digest(Path(file).read_text("utf-8", "surrogateescape"))
    return _digest("module", module.__name__, str(version))
