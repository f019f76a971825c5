"""Errors, split by the person who can mend them."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TypeVar

_log = logging.getLogger("bench")
_Result = TypeVar("_Result")

PAUSES = (0.05, 0.1, 0.25, 0.5)
"""Seconds to wait before each further try of something that the system refused."""


class UserError(Exception):
    """The user's mistake, or a missing file: one line, exit status 2, no traceback.

    The message says what was asked, where the program looked, and what to type instead.
    """


class RefusedError(UserError):
    """An error that the user can mend and that concerns one cell only. The other cells go on.

    An example is a cell with too few photos to tune its attacker on.
    """


class PassingError(UserError):
    """An error of the moment: of a disk, a folder or a limit, and not of what a file holds. It ends the run.

    Nothing is stored for it, so that the same command goes on once it has passed.
    """


def patiently(action: Callable[[], _Result]) -> _Result:
    """Do what the system may refuse for a moment, and try again for about a second.

    A further try that succeeds is logged with the reason of the one before.

    Raises:
        OSError: The system refused the last try too.
    """
    refused: OSError | None = None
    for pause in PAUSES:
        try:
            result = action()
        except OSError as error:
            refused = error
            time.sleep(pause)
            continue
        if refused is not None:
            _log.warning("%s: it went well at a further try", refused)
        return result
    return action()


_READING = {
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Give yourself the right to read it"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "Allow more open files, such as with 'ulimit -n 4096'"),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR), "Bring it back"),
    errno.EBUSY: "Leave it as it is while it is read",
    errno.EISDIR: "A file belongs there",
    errno.ENOMEM: "Free some memory",
    errno.ELOOP: "Mend the link",
}


def cannot_read(error: OSError, path: str = "", *, whose: str = "", instead: str = "") -> PassingError:
    """Make the error for a file or folder that cannot be read; the system's number decides the advice.

    Args:
        error: What the system said.
        path: The file or folder, if the error does not name it.
        whose: Whose file it is, such as `data set 'lfw'`.
        instead: What else the user may do, such as `name another folder`.
    """
    advice = _READING.get(error.errno or 0, "See that the disk is well")
    subject = f"{whose}: " if whose else ""
    return PassingError(
        f"{subject}cannot read {error.filename or path}: {error.strerror or error}. {advice}"
        f"{f', or {instead}' if instead else ''}. Nothing was stored for it: repeat the command."
    )


_WRITING = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "Free some space"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "Give yourself the right to write there"),
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "Move the file that is in the way"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), _READING[errno.EMFILE]),
    errno.EBUSY: "Wait until no other process holds it",
    errno.EISDIR: "Name a file and not a folder",
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.ENOENT: "Make its folder",
    errno.ENOMEM: _READING[errno.ENOMEM],
    errno.EROFS: "Make that disk writable",
}


def cannot_write(error: OSError, what: str, *, instead: str) -> UserError:
    """Make the error for something that cannot be written; the system's number decides the advice.

    Args:
        error: What the system said.
        what: What was to be written, and where to.
        instead: What else the user may do, such as `choose another --out`.
    """
    advice = _WRITING.get(error.errno or 0, "See that the disk is well")
    return UserError(f"cannot write {what}: {error.strerror or error}. {advice}, or {instead}.")


def interrupted(error: BaseException) -> bool:
    """Whether an error is what somebody made of Ctrl-C: a library that is stopped while it is imported.

    Args:
        error: What was raised.
    """
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        if isinstance(at, KeyboardInterrupt):
            return True
        seen.add(id(at))
        at = at.__cause__ or at.__context__
    return False


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


_LONGEST = 60
"""Characters of a name that a message shows."""


def unknown_name(kind: str, name: str, names: Iterable[str], *, command: str) -> UserError:
    """Make the error for an unknown name: it suggests the nearest name, and the command that lists all.

    Args:
        kind: The singular noun of what was asked for, such as `defense`.
        name: The name that does not exist.
        names: Every name that exists.
        command: The command that lists all names.
    """
    short = name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…"
    near = get_close_matches(short, list(names), n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UserError(f"no {kind} {short!r}.{hint} '{command}' names all.")
