"""The files of a pack: there are no others, and none lies anywhere else."""

from __future__ import annotations

import re
from typing import Final

from bench.board.photo_tables import FILE as PHOTOS
from bench.board.user_tables import FILE as USERS
from bench.records.files import CELLS
from bench.records.packed import SUFFIX

SUBMISSION: Final = "submission.json"
"""What a pack says of itself."""

ATTACK: Final = "attack.json"
"""The assignment that somebody else's attack made, see `bench.submission.attacks`."""

RECORDS: Final = (CELLS.file, CELLS.file + SUFFIX)
"""The files that records lie in; a pack has one of them."""

TABLES: Final = (USERS, PHOTOS)

_MANIFEST = re.compile(r"manifest(-\d{1,4})?\.csv")
_BOARD = re.compile(r"(board|leaders|panel)\.(csv|md)")
_CLOAK = re.compile(r"cloaks/[0-9a-f]{16}\.png")


def known(name: str) -> bool:
    """Whether a pack may hold a file of this name."""
    own = (SUBMISSION, ATTACK, "COMMAND", *RECORDS, *TABLES)
    return name in own or manifest(name) or board(name) or cloak(name)


def manifest(name: str) -> bool:
    """Whether it is a list of which photo plays which part."""
    return _MANIFEST.fullmatch(name) is not None


def board(name: str) -> bool:
    """Whether it is a board."""
    return _BOARD.fullmatch(name) is not None


def cloak(name: str) -> bool:
    """Whether it is a cloaked photo, named by the first digits of the digest of its pixels."""
    return _CLOAK.fullmatch(name) is not None


def cloak_file(digits: str) -> str:
    """The name of a cloaked photo.

    Args:
        digits: As the column `released` of photos has them.
    """
    return f"cloaks/{digits}.png"
