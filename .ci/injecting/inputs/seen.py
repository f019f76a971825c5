"""What is seen of an input, and how several are seen as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from injecting.inputs.checkout import Done
from injecting.inputs.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Seen:
    """What a checkout made of an input.

    Attributes:
        says: What happened, in words.
        right: Whether it is what has to happen.
    """

    says: str
    right: bool


@dataclass(frozen=True, slots=True)
class Input:
    """An input that failed once.

    Attributes:
        row: Its row in the list of faults, such as `F2`; inputs of a newcomer are `N`.
        name: In lower case with hyphens; unique.
        given: What is built and what is typed, in words.
        right: What has to happen, in words.
        look: Builds it in a workshop, hands it to the checkout there, and judges.
    """

    row: str
    name: str
    given: str
    right: str
    look: Callable[[Workshop], Seen]


def refused(done: Done, *words: str) -> Seen:
    """Right is one line on stderr that has all of the words, status 2, and nothing on stdout."""
    missing = [word for word in words if word.casefold() not in done.err.casefold()]
    right = done.status == 2 and len(done.lines) == 1 and not done.tracebacks and not done.out and not missing
    return Seen(f"{done}{f', no word of {missing[0]}' if missing and done.status == 2 else ''}", right)


def went_well(done: Done, *words: str, silent: bool = False) -> Seen:
    """Right is status 0, no traceback, all of the words on stderr; nothing on it where it is silent."""
    missing = [word for word in words if word.casefold() not in done.err.casefold()]
    right = done.status == 0 and not done.tracebacks and not missing and not (silent and done.lines)
    return Seen(f"{done}{f', no word of {missing[0]}' if missing and done.status == 0 else ''}", right)


def all_of(seen: Mapping[str, Seen]) -> Seen:
    """Variants of an input: right when all are; otherwise what came of those that are not."""
    wrong = {name: one for name, one in seen.items() if not one.right}
    if not wrong:
        kinds = Counter(one.says for one in seen.values())
        return Seen(kinds.most_common(1)[0][0] if len(kinds) == 1 else f"all {len(seen)} right", True)
    kinds = Counter(one.says for one in wrong.values())
    told = "; ".join(
        f"{says} ({', '.join(name for name, one in wrong.items() if one.says == says)})" for says in kinds
    )
    return Seen(f"{len(wrong)} of {len(seen)} wrong: {told}", False)
