"""Parameters of plug-ins: read from text, written down completely.

A plug-in is a frozen dataclass; its fields are all it can be told, and `resolved` lists them all.
"""

from __future__ import annotations

import math
import types
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from bench.errors import UserError

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""What JSON can hold, with NaN and the infinities already replaced."""


def coerce(plugin: type[Any], name: str, text: str) -> Any:
    """Read one parameter from text by the type its dataclass field declares.

    Raises:
        UserError: naming the parameter, what was given and what it takes.
    """
    hint = get_type_hints(plugin)[name]
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for kind in options:
        if kind is type(None):
            if text.lower() == "none":
                return None
            continue
        if kind is bool:
            # bool("False") is True: read words, never truthiness
            words = {"true": True, "false": False}
            if text.lower() in words:
                return words[text.lower()]
            continue
        if kind in (int, float, str):
            try:
                value = kind(text)
            except ValueError:
                continue
            if isinstance(value, float) and not math.isfinite(value):
                continue
            return value
    takes = " or ".join(_WORDS.get(kind, str(kind)) for kind in options)
    usual = next(field.default for field in fields(plugin) if field.name == name)
    hint = "" if usual is MISSING else f" Without it, it is {'none' if usual is None else usual}."
    raise UserError(f"parameter {name}={text!r} of {plugin.__name__} takes {takes}.{hint}")


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", type(None): "none", str: "a word"}


def filled(plugin: type[Any], what: str, arguments: str) -> Any:
    """An instance of a class of parameters, with those that `field=value,field=value` gives.

    Args:
        plugin: a dataclass.
        what: kind and name, for messages.
        arguments: what followed the first colon.

    Raises:
        UserError: for unknown parameters and values of the wrong type.
    """
    by_name = {f.name: f for f in fields(plugin)}
    given: dict[str, Any] = {}
    whole = getattr(plugin, "positional", None)
    if whole is not None and arguments:
        return plugin(**{whole: arguments})
    for item in filter(None, arguments.split(",")):
        key, equals, value = item.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or key not in by_name:
            has = ", ".join(by_name) or "none"
            raise UserError(f"{what} has no parameter {item!r}; it has: {has}.")
        given[key] = coerce(plugin, key, value)
    return plugin(**given)


def resolved(plugin: Any) -> dict[str, Plain]:
    """Every parameter of a plug-in by name, as plain values.

    A field with the metadata `{"recorded": False}` is where something lies, such as a folder of photos: what
    lies there is told by its digest, and no path gets into a record.
    """
    recorded = (f for f in fields(plugin) if f.metadata.get("recorded", True))
    return {f.name: plain(getattr(plugin, f.name)) for f in recorded}


def plain(value: Any) -> Plain:
    """Turn nested dataclasses, tuples and numbers into what JSON can hold.

    Infinities and NaN become the words `inf`, `-inf` and `nan`: JSON has no such numbers.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return resolved(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    raise TypeError(f"a parameter of type {type(value).__name__} cannot be written down")
