"""The manifest of a split: which photo plays which part, without a name or a path."""

from __future__ import annotations

from collections.abc import Callable

from bench.plan.split import Split


def manifest(parts: Split, content: Callable[[str], str]) -> list[tuple[str, int, str]]:
    """List who plays which part, without a name or a path: the same on every machine for the same photos.

    Args:
        parts: The split of a data set.
        content: A function from a photo's name to the digest of its content.

    Returns:
        Part, number of the person, and content digest, photo by photo. People are numbered through all parts;
        a user's labelled photos bear the number of the released ones.
    """
    rows: list[tuple[str, int, str]] = []
    first = 0
    for part, people in parts.parts.items():
        rows += [(part, first + i, content(photo)) for i, person in enumerate(people) for photo in person]
        first += 0 if part == "released" else len(people)
    return rows


def manifest_csv(rows: list[tuple[str, int, str]]) -> str:
    """Write a manifest as a table: `part,person,sha256`, one photo a line."""
    return "part,person,sha256\n" + "".join(f"{part},{person},{photo}\n" for part, person, photo in rows)


def taken(dataset: str, parts: Split) -> str:
    """One line on how many people and photos play which part.

    Args:
        dataset: The data set's name.
        parts: The split of it.
    """
    roles = {
        "users": parts.released,
        "users, labelled": parts.labelled,
        "people to tune attackers on": parts.calibration,
        "people to train attackers on": parts.training,
        "people for defenses to look at": parts.reference,
        "people in the background": parts.background,
    }
    photos = {role: sum(map(len, people)) for role, people in roles.items()}
    said = [f"{photos[role]} of {len(people)} {role}" for role, people in roles.items() if photos[role]]
    return f"photos of data set {dataset!r}: {'; '.join(said)}"
