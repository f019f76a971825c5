"""Texts of strangers, such as names of files or of defenses in records, made safe to print."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Categories of characters that move the cursor, turn the direction of writing, or are not seen at all."""


def printable(text: str) -> str:
    r"""A text as it can stand on one line of a terminal.

    Blanks of any kind become a space. A character that a terminal would obey, or that nobody sees, is written
    as Python writes it, such as `\x1b` or `\u202e`. Half characters stay: streams know what to do with them.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(letter) for letter in text)


def _shown(letter: str) -> str:
    if letter in "\t\n\r\v\f":
        return " "
    if unicodedata.category(letter) in _HIDDEN:
        return (
            letter.encode("ascii", "backslashreplace").decode("ascii")
            if ord(letter) > 0x7F
            else repr(letter)[1:-1]
        )
    return letter
