"""Errors, split by the person who can mend them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches


class UserError(Exception):
    """The user's mistake, or a missing file: one line, exit status 2, no traceback.

    The message says what was asked, where the program looked, and what to type instead.
    """


class RefusedError(UserError):
    """An error that the user can mend and that concerns one cell only. The other cells go on.

    An example is a cell with too few photos to tune its attacker on.
    """


@contextmanager
def of_one_cell() -> Iterator[None]:
    """Turn a `UserError` in this scope into a `RefusedError`: it concerns the cell at hand and no other.

    Raises:
        RefusedError: A `UserError` was raised in the scope.
    """
    try:
        yield
    except UserError as error:
        raise RefusedError(str(error)) from error


def unknown_name(kind: str, name: str, names: Iterable[str], *, command: str) -> UserError:
    """Make the error for an unknown name: it suggests the nearest name, and the command that lists all.

    Args:
        kind: The singular noun of what was asked for, such as `defense`.
        name: The name that does not exist.
        names: Every name that exists.
        command: The command that lists all names.
    """
    near = get_close_matches(name, list(names), n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UserError(f"no {kind} {name!r}.{hint} '{command}' names all.")
