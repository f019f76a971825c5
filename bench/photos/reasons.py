"""Kinds of reasons why photos are not used: a reason without what differs from photo to photo."""

from __future__ import annotations

import re

NO_FACE = "no face was found"
SHOWS_A_USER = "is of a person who is a user"

_SAME = (
    (re.compile(r"unreadable: "), ""),
    (re.compile(r"a copy of .*: the same picture, stored or edited anew"), "a copy of another photo"),
    (re.compile(r"the same file as .*"), "the same file as another photo"),
    (re.compile(r"(broken [^:]+): .*"), r"\1"),
    (re.compile(r"not a photo: .*"), "not a photo"),
    (re.compile(r"\d[\d,.]*"), "N"),
)
"""What is the same in all reasons of a kind, and how the kind is called."""


def kind_of(reason: str) -> str:
    """The kind of a reason: equal for photos that one sentence, and one remedy, fits."""
    for pattern, kind in _SAME:
        reason = pattern.sub(kind, reason)
    return reason
