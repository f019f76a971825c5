"""What goes wrong, split by whose move it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class UserError(Exception):
    """The user's mistake, or a file that is missing: one line, exit status 2, no traceback.

    The message says what was asked, where it was looked for and what to type instead.
    """


class RefusedError(UserError):
    """What the user can mend about one cell, such as too few photos to tune its attacker on; others go on."""


@contextmanager
def of_one_cell() -> Iterator[None]:
    """What is refused in this scope concerns the cell at hand, and no other.

    Raises:
        RefusedError: in place of every `UserError`.
    """
    try:
        yield
    except UserError as error:
        raise RefusedError(str(error)) from error


def unknown_name(kind: str, name: str, names: Iterable[str], *, command: str) -> UserError:
    """Name the nearest known name and the command that lists them all.

    Args:
        kind: The singular noun of what was asked for, such as `defense`.
        name: The name that does not exist.
        names: Every name that exists.
        command: What the user types to see all names.
    """
    near = get_close_matches(name, list(names), n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UserError(f"no {kind} {name!r}.{hint} '{command}' names all.")
