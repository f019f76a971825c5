"""The guard against leaks: nobody, and no photo, is in two parts of a split."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from bench.errors import UserError
from bench.parameters import Plain
from bench.plan.split import Split
from bench.types import Catalogue

_EMPTY = hashlib.sha256(b"").hexdigest()
"""The content of a file that holds no photo: nobody can learn from it."""


class LeakError(Exception):
    """Parts that must be disjoint are not: a fault of the benchmark, never the user's."""


def check_disjoint(parts: Split, catalogue: Catalogue, content: Callable[[str], Plain]) -> None:
    """See that attackers are tuned on, and defenses look at, other people and photos than those judged.

    A user's released and labelled photos are of one person, and are different photos. All other parts share
    neither a person nor a photo; a photo is known by its content, whatever its name is.

    Args:
        parts: Who plays which part.
        catalogue: Who is on each photo.
        content: A function from a photo's name to its content: a digest, with a box where it has one.

    Raises:
        LeakError: A photo, or a person, is in two parts.
        UserError: The data set has one photo under two names, and they are in two parts.
    """
    person = dict(zip(catalogue.photos, catalogue.identities, strict=True))
    names = [(part, photo) for part, photos in _photos(parts) for photo in photos]
    twice = _shared(names) | {photo for photo, times in Counter(names).items() if times > 1}
    people = _shared((part.partition(" ")[0], person[photo]) for part, photo in names)
    for what, leaked in (("photos", twice), ("people", people)):
        if leaked:
            raise LeakError(
                f"{len(leaked)} {what} play two parts of one run: whatever came of it would mislead"
            )
    contents = _shared((part, str(of)) for part, photo in names if (of := content(photo)) != _EMPTY)
    if contents:
        same = [photo for _, photo in names if str(content(photo)) in contents]
        raise UserError(
            f"{len(contents)} photos play two parts of one run, each under two names, such as {same[0]!r}: "
            "an attacker would be tuned on what it is judged by. Take them out of the data set."
        )
    own = [(*shown, *named) for shown, named in zip(parts.released, parts.labelled, strict=True)]
    everybody = (*own, *parts.calibration, *parts.training, *parts.reference, *parts.background)
    mixed = [photos for photos in everybody if len({person[photo] for photo in photos}) > 1]
    if mixed:
        raise LeakError(f"photos of several people pass as one person's, {len(mixed)} times")


def _photos(parts: Split) -> Iterator[tuple[str, list[str]]]:
    """Part -> its photos; what belongs to one person's role begins with the same word."""
    groups = {
        "users released": parts.released,
        "users labelled": parts.labelled,
        "calibration": parts.calibration,
        "training": parts.training,
        "reference": parts.reference,
        "background": parts.background,
    }
    for name, people in groups.items():
        yield name, [photo for person in people for photo in person]


def _shared(pairs: Iterable[tuple[str, str]]) -> set[str]:
    """What is in more than one part."""
    where: dict[str, set[str]] = defaultdict(set)
    for part, value in pairs:
        where[value].add(part)
    return {value for value, those in where.items() if len(those) > 1}
