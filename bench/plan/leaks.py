"""The guard against leaks: nobody, and no photo, is in two parts of a split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from bench.parameters import Plain
from bench.plan.split import Split
from bench.types import Catalogue


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
    """
    person = dict(zip(catalogue.photos, catalogue.identities, strict=True))
    names = [(part, photo) for part, photos in _photos(parts) for photo in photos]
    twice = _shared(names) | {photo for photo, times in Counter(names).items() if times > 1}
    contents = _shared((part, str(content(photo))) for part, photo in names)
    people = _shared((part.partition(" ")[0], person[photo]) for part, photo in names)
    for what, leaked in (("photos", twice), ("contents of photos", contents), ("people", people)):
        if leaked:
            raise LeakError(
                f"{len(leaked)} {what} play two parts of one run: whatever came of it would mislead"
            )
    own = [(*shown, *named) for shown, named in zip(parts.released, parts.labelled, strict=True)]
    everybody = (*own, *parts.calibration, *parts.reference, *parts.background)
    mixed = [photos for photos in everybody if len({person[photo] for photo in photos}) > 1]
    if mixed:
        raise LeakError(f"photos of several people pass as one person's, {len(mixed)} times")


def _photos(parts: Split) -> Iterator[tuple[str, list[str]]]:
    """Part -> its photos; what belongs to one person's role begins with the same word."""
    groups = {
        "users released": parts.released,
        "users labelled": parts.labelled,
        "calibration": parts.calibration,
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
