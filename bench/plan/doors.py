"""The doors that options come in by, and how an option is written at each: messages are to be typed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass

_MOST = 60
"""Characters of a value that a message shows."""


@dataclass(frozen=True)
class Door:
    """Where options come from.

    Attributes:
        before: What stands before an option's name.
        between: What stands between the name and the value.
        quoted: How a value is written.
        lists: Whether several values are written as a list.
        bare: Whether one value can stand without a list for an option that may be repeated.
        dashes: Whether words of a name are joined by dashes; otherwise by underscores, as in Python.
    """

    before: str
    between: str
    quoted: Callable[[object], str]
    lists: bool = True
    bare: bool = True
    dashes: bool = False

    def named(self, option: str) -> str:
        """An option's name, without what stands before it."""
        return option.replace("_", "-") if self.dashes else option

    def write(self, option: str, value: object) -> str:
        """An option with its value, on one line."""
        return f"{self.before}{self.named(option)}{self.between}{self.short(value)}"

    def short(self, value: object) -> str:
        """A value on one line, cut where it is long."""
        text = " ".join(self.quoted(value).split())
        return text if len(text) <= _MOST else f"{text[:_MOST]}…"


def _shell(value: object) -> str:
    return shlex.quote(str(value))


def _toml(value: object) -> str:
    # what TOML and JSON write alike is all that an option takes
    return json.dumps(value, default=str, ensure_ascii=False)


COMMAND_LINE = Door("--", " ", _shell, lists=False, dashes=True)
PYTHON = Door("", "=", repr)
SUITE = Door("", " = ", _toml, bare=False)
