"""Texts of strangers' records, made safe for files that other programs read."""

from __future__ import annotations

import json

from bench.board.escaping import printable


def plain(text: str) -> str:
    """A text on one line that every parser of UTF-8 takes: without control characters and half characters."""
    return "".join("?" if _refused(ord(letter)) else letter for letter in printable(text))


def quoted(text: str) -> str:
    """A text as a string in double quotes, which JSON and YAML read alike."""
    return json.dumps(plain(text), ensure_ascii=False)


def document(content: object) -> bytes:
    """Content in JSON: an object whose texts are `plain`.

    Raises:
        ValueError: A number is not finite.
    """
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _refused(code: int) -> bool:
    return 0xD800 <= code <= 0xDFFF or code & 0xFFFE == 0xFFFE
