"""Photos of a split that no attacker can use, and why: none is dropped without a word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.encoders.faults import EncoderFault
from bench.errors import RefusedError
from bench.experiment.repetition import Repetition
from bench.faces.finder import Faces
from bench.photos.reasons import NO_FACE, kind_of
from bench.recognition.observer import Observed
from bench.types import Flag, FlagCode

_TUNED_ON = ("calibration", "crowd")
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Unused:
    """A photo that is not used.

    Attributes:
        part: The part that its person plays, as manifests call it.
        photo: The photo's name; in no record.
        content: The digest of its content.
        why: The reason.
    """

    part: str
    photo: str
    content: str
    why: str


def unused(
    repetition: Repetition,
    clean: Observed,
    held: Observed,
    tuned_on: Observed,
    reference: Faces,
    training: Faces | None = None,
) -> list[Unused]:
    """The photos of a split that cannot be read, or in which no face was found.

    Args:
        repetition: The split.
        clean: The users' photos as they were.
        held: The attacker's clean photos: labelled ones of the users, and everybody else's.
        tuned_on: Photos of calibration people, the crowd last.
        reference: Photos of people whom a defense may look at.
        training: Photos of people whom the attacker trains on, where it trains.
    """
    groups: list[tuple[Observed | Faces, tuple[str, ...]]] = [
        (clean, ("released",)),
        (held, ("labelled", "background")),
        (tuned_on, ("calibration", "crowd")),
        (reference, ("reference",)),
        *([] if training is None else [(training, ("training",))]),
    ]
    people = repetition.split.parts
    out: list[Unused] = []
    for seen, parts in groups:
        photos = [(part, name) for part in parts for person in people[part] for name in person]
        for i, (part, name) in enumerate(photos):
            if seen.faces[i] is None:
                why = seen.unreadable.get(i, NO_FACE)
                out.append(Unused(part, name, repetition.data.digest(name), why))
    return out


def counted(photos: Iterable[Unused]) -> dict[str, dict[str, int]]:
    """Part -> kind of reason -> how many photos; as a record holds it."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for photo in photos:
        counts[photo.part][kind_of(photo.why)] += 1
    return {part: dict(sorted(kinds.items())) for part, kinds in sorted(counts.items())}


def columns(photos: Sequence[Unused]) -> dict[str, list[Any]]:
    """The photos as columns of a table: no name is among them."""
    return {
        "part": [photo.part for photo in photos],
        "photo": [photo.content for photo in photos],
        "why": [photo.why for photo in photos],
    }


def told(tables: Iterable[Mapping[str, list[Any]]], names: Mapping[str, str]) -> list[str]:
    """One line for each kind of reason: how many photos, of which parts, and one of them by its name.

    Args:
        tables: What `columns` made of each cell.
        names: The digest of a photo's content -> its name.
    """
    kinds: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for table in tables:
        for part, content, why in zip(table["part"], table["photo"], table["why"], strict=True):
            kinds[kind_of(why)].setdefault((part, content))
    return [
        f"{_photos(len(photos))} not used: {kind} ({_parts(part for part, _ in photos)}; "
        f"such as {_named(photos, names)})"
        for kind, photos in kinds.items()
    ]


def doubtful_users(repetition: Repetition, photos: Sequence[Unused]) -> list[Flag]:
    """The flag of a cell in which photos of users cannot be read: no attacker could find these users.

    A user counts of whom half of the released photos, or more, cannot be read.
    """
    why = {photo.photo: kind_of(photo.why) for photo in photos if photo.why != NO_FACE}
    released = repetition.split.released
    lost = [user for user in released if sum(name in why for name in user) >= _MOST * len(user)]
    if not lost:
        return []
    ((kind, _),) = Counter(why[name] for user in lost for name in user if name in why).most_common(1)
    reason = (
        f"no evidence of protection (photos of {len(lost)} of {len(released)} users cannot be read: {kind})"
    )
    return [Flag(FlagCode.WEAK_ATTACKER, reason)]


@contextmanager
def explaining(repetition: Repetition, photos: Callable[[], Sequence[Unused]]) -> Iterator[None]:
    """Give a refusal to tune an attacker its reason, where that lies in photos that cannot be used.

    Args:
        repetition: The split.
        photos: Gives the photos that are not used.

    Raises:
        RefusedError: An attacker could not be tuned in this scope.
    """
    try:
        yield
    except EncoderFault:
        raise
    except RefusedError as error:
        lost = [kind_of(photo.why) for photo in photos() if photo.part in _TUNED_ON]
        every = sum(map(len, repetition.split.calibration))
        if len(lost) < _MOST * every:
            raise
        ((kind, count),) = Counter(lost).most_common(1)
        part = "" if count == len(lost) else f", {count} of them"
        raise RefusedError(
            f"attackers cannot be tuned: {len(lost)} of {every} calibration photos are not used{part} "
            f"({kind}). 'bench manifest --left-out' names photos that cannot be read."
        ) from error


def _photos(count: int) -> str:
    return "1 photo is" if count == 1 else f"{count} photos are"


def _parts(parts: Iterable[str]) -> str:
    return ", ".join(f"{count} {part}" for part, count in Counter(parts).items())


def _named(photos: Iterable[tuple[str, str]], names: Mapping[str, str]) -> str:
    part, content = next(iter(photos))
    return names.get(content, f"{part} {content[:16]}")
