"""How encoders are written: `name`, `onnx:FILE`, `a+b`, `mean:a+b`, `weighted:a+b`. The one reader of them.

A path may hold a plus sign. It goes on behind one unless the name of an encoder, or another `onnx:FILE`,
follows to the next plus sign or to the end. Quotes settle it: `onnx:"a+synth-ir"+synth-ir` is a file and a
name. A quote in a quoted path is written twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bench.errors import UserError

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""What the name of an encoder matches from its beginning to its end: no plus sign, no colon, no quote."""

RULES = ("mean", "weighted")
"""Words before the colon of an ensemble: its members are averaged, or have weights that are learned."""


@dataclass(frozen=True, slots=True)
class Written:
    """One or several encoders, as somebody wrote them.

    Attributes:
        members: A name each, or a file such as `onnx:FILE`, where the path stands as it is, without quotes.
        rule: One of `RULES`; empty where members are put side by side.
    """

    members: tuple[str, ...]
    rule: str = ""

    def __str__(self) -> str:
        """The text that `read` reads as these encoders."""
        return (f"{self.rule}:" if self.rule else "") + "+".join(map(_quoted, self.members))


def read(text: str, schemes: Collection[str], listed: Collection[str]) -> Written:
    """Read what somebody wrote.

    Args:
        text: `name`, `onnx:FILE`, `a+b`, `mean:a+b` or `weighted:a+b`.
        schemes: The words before the colon of files, such as `onnx`.
        listed: The names that there are.

    Raises:
        UserError: Nothing stands beside a plus sign, or a quote is not closed.
    """
    rule = next((word for word in RULES if text.startswith(f"{word}:")), "")
    rest, members = text.removeprefix(f"{rule}:") if rule else text, []
    while True:
        member, rest = _first(text, rest, schemes, listed)
        members.append(member)
        if not rest:
            return Written(tuple(members), rule)
        rest = rest[1:]


def _first(text: str, rest: str, schemes: Collection[str], listed: Collection[str]) -> tuple[str, str]:
    """The first member, and what is behind it: nothing, or a plus sign and more."""
    scheme, colon, path = rest.partition(":")
    if not colon or scheme not in schemes:
        name, plus, behind = rest.partition("+")
        if not name:
            raise UserError(f"encoder {text!r}: a name is missing. Type one encoder, or several as a+b.")
        return name, plus + behind
    if path.startswith('"'):
        path, behind = _unquoted(text, path[1:])
    else:
        path, behind = _path(path, schemes, listed)
    return f"{scheme}:{path}", behind


def _unquoted(text: str, rest: str) -> tuple[str, str]:
    """A path behind its first quote, and what is behind its last one."""
    path, at = "", 0
    while (quote := rest.find('"', at)) >= 0:
        path += rest[at:quote]
        at = quote + 1
        if rest[at : at + 1] != '"':
            break
        path, at = path + '"', at + 1
    if quote < 0 or (rest[at:] and rest[at] != "+"):
        raise UserError(
            f"encoder {text!r}: a quoted path ends at a quote, with + or nothing behind it. Write a quote "
            "in the path twice."
        )
    return path, rest[at:]


def _path(rest: str, schemes: Collection[str], listed: Collection[str]) -> tuple[str, str]:
    """A path without quotes, and what is behind it."""
    at = rest.find("+")
    while at >= 0:
        behind = rest[at + 1 :]
        scheme, colon, _ = behind.partition(":")
        if (colon and scheme in schemes) or behind.partition("+")[0] in listed:
            return rest[:at], rest[at:]
        at = rest.find("+", at + 1)
    return rest, ""


def _quoted(member: str) -> str:
    scheme, _, path = member.partition(":")
    if "+" not in path and not path.startswith('"'):
        return member
    doubled = path.replace('"', '""')
    return f'{scheme}:"{doubled}"'
