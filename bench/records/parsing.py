"""From the bytes of a document to plain values, none of which surprises whoever works with them.

A document is a stranger's: it may be cut, edited, or made to harm. What passes here is UTF-8 JSON of a
bounded depth, whose numbers are finite and whose texts can be written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

DEEPEST: Final = 32
"""How deep lists and objects of a document may lie in each other. Ours have 9 levels."""

LARGEST: Final = 2**53
"""Whole numbers beyond this are no counts: a program in another language would round them."""

LONGEST: Final = 100_000
"""Characters of one text."""

_SHOWN: Final = 40
_DEEP: Final = f"it is nested more than {DEEPEST} levels deep"


class DamagedError(ValueError):
    """What is wrong with a document, in one line that names the field."""


def parse(content: bytes) -> Any:
    """The values of a JSON document; a byte order mark is passed over.

    Raises:
        DamagedError: It is no UTF-8, no JSON, says a key twice, is nested too deeply, or holds a number or a
            text that nobody can work with.
    """
    try:
        document = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_each_once, parse_constant=_no_number
        )
    except RecursionError:
        raise DamagedError(_DEEP) from None
    except DamagedError:
        raise
    except UnicodeDecodeError as error:
        raise DamagedError(f"it is not UTF-8: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise DamagedError(f"it is no JSON: {error}") from None
    except ValueError:  # Python refuses to read whole numbers of thousands of digits
        raise DamagedError("it holds a number of thousands of digits") from None
    if not _sound(document):
        path, wrong = next((path, wrong) for path, value in _values(document) if (wrong := _wrong(value)))
        raise DamagedError(f"{dotted(path) or 'it'} {wrong}")
    return document


def _sound(document: Any) -> bool:
    """Whether nothing is wrong with any value; without places, which take most of the time."""
    left = [document]
    for _ in range(DEEPEST + 1):
        lists = [value for value in left if isinstance(value, list)]
        objects = [value for value in left if isinstance(value, dict)]
        if any(map(_wrong, left)) or any(_wrong(name) for value in objects for name in value):
            return False
        left = [item for value in lists for item in value]
        left += [item for value in objects for item in value.values()]
        if not left:
            return True
    raise DamagedError(_DEEP)


def shown(value: object) -> str:
    """A value in a few characters, for messages; what cannot be printed is escaped."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def dotted(path: Sequence[str | int]) -> str:
    """The place of a value in a document, such as `cells[3].metrics.cfr.value`."""
    names = (f"[{step}]" if isinstance(step, int) else f".{_plain(step)}" for step in path)
    return "".join(names).removeprefix(".")


def _plain(name: str) -> str:
    return name if name.isidentifier() and name.isascii() and len(name) <= _SHOWN else shown(name)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DamagedError(f"{_plain(twice)} stands twice in one object")
    return values


def _no_number(name: str) -> None:
    raise DamagedError(f"it holds {name}, which is no number of JSON")


def _values(document: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value with its place; names of objects are among them, at the object's place."""
    left: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    while left:
        path, value = left.pop()
        yield path, value
        if isinstance(value, Mapping):
            for name, item in value.items():
                yield path, name
                left.append(((*path, name), item))
        elif isinstance(value, list):
            left.extend(((*path, place), item) for place, item in enumerate(value))


def _wrong(value: Any) -> str:
    """What is wrong with one value, as a predicate; empty for nothing."""
    if isinstance(value, str):
        if len(value) > LONGEST:
            return f"is a text of {len(value)} characters, and {LONGEST} are the most"
        if not value.isascii() and not _encodes(value):
            return f"is {shown(value)}, which is no text: half of a character is missing"
    elif isinstance(value, float):
        if value != value or abs(value) == float("inf"):
            return f"is {value}, and a number must be finite"
    elif isinstance(value, int) and abs(value) > LARGEST:
        return f"is a whole number beyond {LARGEST}"
    return ""


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
