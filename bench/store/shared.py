"""A store that several machines share: a folder that all of them see, or an object store.

It holds whole objects that never change, under names that follow from their content. So nobody needs a lock,
and it does not matter who writes first. Rows lie there in segments, each what one process stored at once. A
machine keeps a copy of what it needs in its own `BENCH_HOME`.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from bench.errors import PassingError, UserError
from bench.store.folders import expanded
from bench.store.writing import write_whole

VARIABLE = "BENCH_STORE"
"""The environment variable that names it: a folder, or an address such as `s3://bucket/folder`."""

_PAUSE = 1.0
"""Seconds between two looks for new segments of a stage."""


class SharedStore:
    """Objects by name.

    Attributes:
        place: Where it is, as it was named.
    """

    def __init__(self, place: str) -> None:
        """Find it.

        Args:
            place: See `VARIABLE`.

        Raises:
            UserError: There is no such kind of store, or what it needs is not installed.
        """
        import fsspec

        self.place = place
        folder = place if "://" in place else f"file://{expanded(Path(place)).resolve()}"
        try:
            self._files, self._root = fsspec.core.url_to_fs(folder, use_listings_cache=False)
        except ImportError as error:
            raise UserError(
                f"the store {place} needs a package that is not installed: {error}. For s3:// type: "
                "pip install 'cloakbench[s3]'"
            ) from error
        except (ValueError, OSError) as error:
            raise UserError(
                f"{VARIABLE} is {place!r}, which is no store: {error}. Name a folder or s3://BUCKET/FOLDER."
            ) from error
        self._looked: dict[str, float] = {}

    def get(self, name: str) -> bytes | None:
        """The content of an object, or None.

        Raises:
            PassingError: The store cannot be reached.
        """
        try:
            return bytes(self._files.cat_file(self._path(name)))
        except FileNotFoundError:
            return None
        except Exception as error:  # every kind of store has errors of its own
            raise self._out_of_reach(error) from error

    def put(self, name: str, content: bytes) -> None:
        """Store an object, whole or not at all.

        Raises:
            PassingError: The store cannot be reached, or is full.
        """
        path = self._path(name)
        try:
            if "file" in self._files.protocol:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                write_whole(Path(path), content)
            else:
                self._files.pipe_file(path, content)
        except Exception as error:
            raise self._out_of_reach(error) from error

    def segments(self, stage: str) -> list[str]:
        """The names of all segments of a stage; empty if one has just looked.

        Raises:
            PassingError: The store cannot be reached.
        """
        now = time.monotonic()
        if now - self._looked.get(stage, -_PAUSE) < _PAUSE:
            return []
        self._looked[stage] = now
        try:
            found: list[Any] = self._files.ls(self._path(f"rows/{stage}"), detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:
            raise self._out_of_reach(error) from error
        return [name for name in (PurePosixPath(str(path)).name for path in found) if name[:1] != "."]

    def look_again(self) -> None:
        """Have the next look for segments be one, however soon it comes."""
        self._looked.clear()

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _out_of_reach(self, error: Exception) -> PassingError:
        return PassingError(
            f"the store {self.place} cannot be used: {str(error) or type(error).__name__}. Repeat the "
            "command when it can: what was computed is kept."
        )


def shared_store() -> SharedStore | None:
    """The store that `BENCH_STORE` names; None without it.

    Raises:
        UserError: It names none.
    """
    place = os.environ.get(VARIABLE)
    return SharedStore(place) if place else None


def written(rows: Mapping[str, bytes]) -> tuple[str, bytes]:
    """A segment of rows, key -> value: its name and its content."""
    keys = sorted(rows)
    head = json.dumps([[key, len(rows[key])] for key in keys]).encode()
    content = head + b"\n" + b"".join(rows[key] for key in keys)
    return hashlib.sha256(content).hexdigest(), content


def read(content: bytes) -> dict[str, bytes]:
    """The rows of a segment.

    Raises:
        ValueError: It is none, or it was cut short.
    """
    head, _, values = content.partition(b"\n")
    rows, at = {}, 0
    for key, length in json.loads(head):
        rows[str(key)] = values[at : at + length]
        at += length
    if at != len(values):
        raise ValueError("a segment that was cut short")
    return rows
