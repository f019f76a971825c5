"""Names of pages and files, made from texts of strangers: no name leaves the folder of the site.

All files lie in one folder, so that every link is a file's name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

_LONGEST = 48
"""Letters of a text that a name keeps."""

_HEX = re.compile(r"[0-9a-f]{64}")

_DIGITS = 16
"""Digits of a digest that tell records apart."""

CELLS_A_PAGE: Final = 40
"""About how many records one page holds."""


def slug(text: str) -> str:
    """A text as a part of a file's name: small letters, digits and hyphens; another for every text.

    Args:
        text: Anything, such as the name of a defense in a stranger's record.
    """
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST].strip("-")
    return plain if plain == text else f"{plain or 'x'}-{_digest(text)[:8]}"


def page(kind: str, text: str) -> str:
    """The file of a page, such as `defense-advmask.html`."""
    return f"{kind}-{slug(text)}.html"


class RecordPages:
    """Where each record stands: pages by the first digits of the digests of cells."""

    def __init__(self, cells: Sequence[str]) -> None:
        """Choose as few digits as keep pages small.

        Args:
            cells: Digests of all cells.
        """
        self._digits = 0
        while len(cells) > CELLS_A_PAGE * 16**self._digits and self._digits < 3:
            self._digits += 1

    def page(self, cell: str) -> str:
        """The file of the page that a record stands on."""
        return f"records-{anchor(cell)[2 : 2 + self._digits] or 'all'}.html"

    def link(self, cell: str) -> str:
        """Where a record stands."""
        return f"{self.page(cell)}#{anchor(cell)}"


def anchor(cell: str) -> str:
    """The place of a record on its page; a digest that is none gets one."""
    return f"c-{(cell if _HEX.fullmatch(cell) else _digest(cell))[:_DIGITS]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
