"""Results of the stages, addressed by their content, under `BENCH_HOME/cache`.

Small results (a face, an embedding, the labels of a clustering) are rows of one SQLite file. Large results
(released photos) are files. A value is written whole or not at all, and it carries a seal over its stage, its
key and its content: a value that was cut short, altered or moved reads as absent and is computed again. This
module does not know what a stage means. Beside the results it notes what they were made from and when they
were used, so that one can tell later what is still of use (`bench.store.uses`).

Where `BENCH_STORE` names a store that machines share, it has everything that is stored here, and what is
missing here is looked up there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from bench.errors import UserError, cannot_write
from bench.store.only_reading import reading
from bench.store.rows import Row, Rows
from bench.store.rows_to_read import RowsToRead
from bench.store.seals import opened, sealed
from bench.store.shared import read, shared_store, written
from bench.store.uses import Uses
from bench.store.writing import write_whole

_SEGMENT = "segment"
"""The stage of rows that say which segments of a shared store are copied here."""

_INSTEAD = "set BENCH_HOME to another folder; then repeat the command, and it goes on where it was"

_log = logging.getLogger("bench")


class Listener(Protocol):
    """Whoever is told when results are asked for and when they are stored."""

    def asked(self, stage: str) -> None:
        """Results of a stage were looked up."""

    def stored(self, stage: str, count: int) -> None:
        """So many results of a stage were stored."""


class Cache:
    """Results by stage and key. They survive `kill -9`, and several processes may use them at once.

    A cache that may not be written can be read. A result that is missing there cannot be stored.

    Attributes:
        folder: Where the results lie.
        hits: Stage -> how many results were found.
        misses: Stage -> how many results were not found.
        listener: Is told of every look-up and of every result that is stored; None for nobody.
    """

    def __init__(self, home: Path, listener: Listener | None = None) -> None:
        """Open or make the cache. In the scope of `only_reading` nothing is made, and results stay in memory.

        Args:
            home: The folder `BENCH_HOME`.
            listener: Whoever is told.

        Raises:
            UserError: The folder can be neither written nor read.
        """
        self.folder = home / "cache"
        self.hits: dict[str, int] = {}
        self.misses: dict[str, int] = {}
        self.listener = listener
        self._damaged: set[tuple[str, str]] = set()
        self._uses = Uses()
        self._told = False  # that something cannot be written
        self._files: dict[Path, bytes] | None = {} if reading() else None
        self._shared = shared_store()
        self._rows: Rows | RowsToRead
        if reading():
            self._rows = RowsToRead(self.folder / "rows.sqlite")
            return
        try:
            if not (self.folder / "rows.sqlite").is_file():
                self.folder.mkdir(parents=True, exist_ok=True)
            self._rows = Rows(self.folder / "rows.sqlite")
        except OSError as error:
            raise self._cannot_write(error) from error

    @property
    def repaired(self) -> list[str]:
        """One line on the rows and one on single results that were damaged and are computed again."""
        lines = list(self._rows.set_aside)
        if self._damaged:
            stages = ", ".join(sorted({stage for stage, _ in self._damaged}))
            count = len(self._damaged)
            lines.append(f"{count} stored results ({stages}) were damaged or moved, and are computed again")
        return lines

    def rows(self, stage: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The rows that exist, by key. The other keys are not in the answer."""
        wanted = list(dict.fromkeys(keys))
        held = self._held(stage, wanted)
        if len(held) < len(wanted) and self._copy_segments(stage):
            held |= self._held(stage, [key for key in wanted if key not in held])
        self._count(stage, len(held), len(wanted) - len(held))
        self._note(stage, held)
        return held

    def every_row(self, stage: str) -> dict[str, bytes]:
        """All rows of a stage, by key.

        Raises:
            UserError: They cannot be read.
        """
        self._copy_segments(stage)
        try:
            rows = [(key, self._opened(stage, key, value)) for key, value in self._rows.every(stage)]
        except OSError as error:
            raise self._cannot_read(error) from error
        found = {key: content for key, content in rows if content is not None}
        self._note(stage, found)
        return found

    def put_rows(self, stage: str, rows: Mapping[str, bytes]) -> None:
        """Write rows, either all of them or none."""
        if rows:
            values = {key: sealed(stage, key, value) for key, value in rows.items()}
            segments = []
            if self._shared and self._files is None:
                name, content = written(values)
                self._shared.put(f"rows/{stage}/{name}", content)
                segments = [_copied_segment(f"{stage}/{name}")]
            self._insert([*((stage, key, value) for key, value in values.items()), *segments])
            self._note(stage, rows)
        if self.listener:
            self.listener.stored(stage, len(rows))

    def file(self, stage: str, key: str) -> bytes | None:
        """The content of one file, or None."""
        content, path = None, self._path(stage, key)
        try:
            content = self._opened(stage, key, (self._files or {}).get(path) or path.read_bytes())
        except FileNotFoundError:
            content = self._copied(stage, key)
        except OSError:
            # something that cannot be read is computed again and written in its place
            self._damaged.add((stage, key))
        self._count(stage, int(content is not None), int(content is None))
        self._note(stage, [key] if content is not None else [])
        return content

    def put_file(self, stage: str, key: str, content: bytes) -> None:
        """Write one file: beside its place first, and then renamed into its place."""
        value = sealed(stage, key, content)
        if self._shared and self._files is None:
            self._shared.put(_name(stage, key), value)
        self._write(stage, key, value)
        self._note(stage, [key])
        if self.listener and self._files is None:
            self.listener.stored(stage, 1)

    def explain(self, stage: str, key: str) -> None:
        """Note that a result was made from what this cache has found and stored until now."""
        if self._files is None:
            try:
                self._insert_notes(self._uses.explain(stage, key))
            except OSError as error:
                raise self._cannot_write(error) from error

    def refuse(self, stage: str, key: str) -> None:
        """Count a result that was found as damaged: its content is not what was asked for."""
        self._damaged.add((stage, key))
        self._count(stage, -1, 1)

    def look_again(self) -> None:
        """Look for what others have put into a shared store, also where one has just looked."""
        if self._shared:
            self._shared.look_again()

    def close(self) -> None:
        """Release the SQLite file, and log what was damaged. The file is opened again if it is needed.

        What was used is noted, unless the file cannot be written: that costs nobody a result.
        """
        if self._files is None and not self._rows.only_to_read and not self._told:
            try:
                self._insert_notes(self._uses.rest())
            except OSError as error:
                _log.warning("what was used is not noted: %s", error.strerror)
        for line in self.repaired:
            _log.warning(line)
        self._damaged.clear()
        self._rows.set_aside.clear()
        self._rows.close()

    def _note(self, stage: str, keys: Iterable[str]) -> None:
        names = list(keys)
        if names and self._files is None:
            self._uses.note(stage, names)

    def _held(self, stage: str, keys: list[str]) -> dict[str, bytes]:
        """The rows that exist here."""
        held: dict[str, bytes] = {}
        try:
            for key, value in self._rows.select(stage, keys):
                content = self._opened(stage, key, value)
                if content is not None:
                    held[key] = content
        except OSError as error:
            raise self._cannot_read(error) from error
        return held

    def _insert(self, rows: list[Row]) -> None:
        try:
            self._rows.insert(rows)
        except OSError as error:
            raise self._cannot_write(error) from error

    def _insert_notes(self, notes: list[Row]) -> None:
        if notes:
            self._rows.insert([(stage, key, sealed(stage, key, value)) for stage, key, value in notes])

    def _write(self, stage: str, key: str, value: bytes) -> None:
        path = self._path(stage, key)
        if self._files is not None:
            self._files[path] = value
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, value)
        except OSError as error:
            raise self._cannot_write(error) from error

    def _copied(self, stage: str, key: str) -> bytes | None:
        """The content of a file of the shared store, which is here from then on; None if there is none."""
        value = self._shared.get(_name(stage, key)) if self._shared else None
        content = None if value is None else self._opened(stage, key, value)
        if value is not None and content is not None:
            self._write(stage, key, value)
        return content

    def _copy_segments(self, stage: str) -> bool:
        """Copy the rows of a stage that others put into the shared store; whether there were any.

        Of a damaged segment the whole rows are copied. It is left alone until the cache is closed: it may
        only have been damaged on its way.
        """
        if not self._shared:
            return False
        names = [f"{stage}/{name}" for name in self._shared.segments(stage)]
        here = self._held(_SEGMENT, names)
        new = [name for name in names if name not in here and (stage, name) not in self._damaged]
        for name in new:
            try:
                rows = read(self._shared.get(f"rows/{name}") or b"")
            except ValueError:
                rows = {}
            whole = [(stage, k, v) for k, v in rows.items() if opened(stage, k, v) is not None]
            if rows and len(whole) == len(rows):
                whole.append(_copied_segment(name))
            else:
                self._damaged.add((stage, name))
            self._insert(whole)
        return bool(new)

    def _opened(self, stage: str, key: str, value: bytes) -> bytes | None:
        """The content of a sealed value; None if the value is damaged or lies under another key."""
        content = opened(stage, key, value)
        if content is None:
            self._damaged.add((stage, key))
        return content

    def _count(self, stage: str, hits: int, misses: int) -> None:
        if self.listener:
            self.listener.asked(stage)
        self.hits[stage] = self.hits.get(stage, 0) + hits
        self.misses[stage] = self.misses.get(stage, 0) + misses

    def _path(self, stage: str, key: str) -> Path:
        return self.folder / _name(stage, key)

    def _cannot_read(self, error: OSError) -> UserError:
        return UserError(
            f"cannot read results in {self.folder}: {error.strerror}. Set BENCH_HOME to another folder, "
            "or repeat the command when no other process holds this one."
        )

    def _cannot_write(self, error: OSError) -> UserError:
        self._told = True
        return cannot_write(error, f"results to {self.folder}", instead=_INSTEAD)


def _copied_segment(name: str) -> Row:
    return _SEGMENT, name, sealed(_SEGMENT, name, b"")


def _name(stage: str, key: str) -> str:
    return f"{stage}/{key[:2]}/{key}"
