"""What results were made from, and when they were last used.

A process notes which results it finds and stores, in batches as they are asked for. A batch is stored once,
under a digest of its keys. A *use* has a name, a day, its batches and the use before it in the same process:
so a result that is explained reaches everything that the process had in hand when it was made. That may be
more than it needed, and is never less.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass

BATCH, USE = "batch", "use"
"""The stages under which both are stored."""

_PROCESS = "process/"
_DAY = 24 * 60 * 60
_HEX, _TEXT = b"h", b"t"
_DIGITS, _DIGITS_OF_KEYS = 64, "0123456789abcdef"


@dataclass(frozen=True)
class Use:
    """What a process had found and stored at some time.

    Attributes:
        day: Days since 1970-01-01, in UTC.
        before: The name of the use before it; empty for the first of a process.
        batches: The names of the batches since then.
    """

    day: int
    before: str
    batches: tuple[str, ...]


class Uses:
    """What one process has found and stored."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._pending: dict[str, str] = {}
        self._new: dict[str, bytes] = {}
        self._known: set[str] = set()
        self._before = ""

    def note(self, stage: str, keys: Iterable[str]) -> None:
        """Results of a stage were found or stored."""
        content = _written_batch(stage, sorted(keys))
        name = hashlib.blake2b(content, digest_size=16).hexdigest()
        if name not in self._known:
            self._known.add(name)
            self._new[name] = content
            self._pending[name] = stage

    def explain(self, stage: str, key: str) -> list[tuple[str, str, bytes]]:
        """Stage, key and value of the rows that say what a result was made from.

        Other results of its own stage are left out: a process has computed them at its side.
        """
        mine = [name for name, of in self._pending.items() if of != stage]
        return self._use(f"{stage}/{key}", mine)

    def rest(self) -> list[tuple[str, str, bytes]]:
        """The rows that say what else this process has used, and that all of it was used today."""
        if not self._pending and (not self._before or self._before.startswith(_PROCESS)):
            return []
        content = f"{today()} {self._before} {' '.join(self._pending)}"
        return self._use(f"{_PROCESS}{hashlib.sha256(content.encode()).hexdigest()}", list(self._pending))

    def _use(self, name: str, batches: list[str]) -> list[tuple[str, str, bytes]]:
        value = json.dumps([today(), self._before, batches]).encode()
        rows = [(BATCH, batch, self._new.pop(batch)) for batch in batches if batch in self._new]
        for batch in batches:
            del self._pending[batch]
        self._before = name
        return [*rows, (USE, name, value)]


def today() -> int:
    """Days since 1970-01-01, in UTC."""
    return int(time.time() // _DAY)


def read_use(content: bytes) -> Use:
    """A use, as it is stored.

    Raises:
        ValueError: It is none.
    """
    day, before, batches = json.loads(content)
    return Use(int(day), str(before), tuple(map(str, batches)))


def read_batch(content: bytes) -> tuple[str, list[str]]:
    """The stage and the keys of a batch, as it is stored.

    Raises:
        ValueError: It is none.
    """
    stage, _, rest = content.partition(b"\n")
    kind, keys = rest[:1], rest[1:]
    if kind == _HEX:
        text = keys.hex()
        return stage.decode(), [text[at : at + _DIGITS] for at in range(0, len(text), _DIGITS)]
    return stage.decode(), keys.decode().split("\n")


def _written_batch(stage: str, keys: list[str]) -> bytes:
    text, head = "".join(keys), stage.encode() + b"\n"
    if all(len(key) == _DIGITS for key in keys) and not text.strip(_DIGITS_OF_KEYS):
        return head + _HEX + bytes.fromhex(text)
    return head + _TEXT + "\n".join(keys).encode()
