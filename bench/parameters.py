"""Parameters of plug-ins: read from text, and written down completely.

A plug-in is a frozen dataclass. Its fields are all its parameters, and `resolved` lists them.
"""

from __future__ import annotations

import math
import types
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from bench.errors import UserError

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""A value that JSON can hold. NaN and the infinities have been replaced by words."""


def parameters(plugin: Any) -> list[Field[Any]]:
    """The fields of a plug-in or its class, in the order of its constructor: keyword-only ones come last."""
    return sorted(fields(plugin), key=lambda field: field.kw_only is True)


def coerce(plugin: type[Any], name: str, text: str) -> Any:
    """Read one parameter from text, by the type that its dataclass field declares.

    Raises:
        UserError: The text does not fit; the message names the parameter, the text, and the values that fit.
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
    """Make an instance of a dataclass of parameters from the text `field=value,field=value`.

    Args:
        plugin: The dataclass.
        what: The kind and the name, for messages.
        arguments: The text after the first colon.

    Raises:
        UserError: A parameter is unknown, or a value has the wrong type.
    """
    by_name = {f.name: f for f in parameters(plugin)}
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
    """Every parameter of a plug-in by name, as plain values, in the order of `parameters`.

    A field with the metadata `{"recorded": False}` is left out. Such a field is a place, such as a folder of
    photos: a digest identifies its content, and no path gets into a record. A field with `{"later": True}` is
    left out at its default, at which everything is as it was without it: there were records before it, and
    their cells keep their digests.
    """
    values = {f.name: (f, getattr(plugin, f.name)) for f in parameters(plugin)}
    return {
        name: plain(value)
        for name, (f, value) in values.items()
        if f.metadata.get("recorded", True) and not (f.metadata.get("later") and value == f.default)
    }


def plain(value: Any) -> Plain:
    """Turn nested dataclasses, tuples and numbers into values that JSON can hold.

    Infinities and NaN become the words `inf`, `-inf` and `nan`, because JSON has no such numbers.

    Raises:
        TypeError: The value has a type that JSON cannot hold.
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
