"""What is to be validated: a pack, or a folder that `bench run --out` wrote, as files in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.board.parquet import COUNT, Held, table_in
from bench.board.photo_tables import FILE as PHOTOS
from bench.board.photo_tables import NUMBERS
from bench.board.user_tables import FILE as USERS
from bench.board.user_tables import NUMBERS_OF_USERS, TEXTS_OF_USERS, Cells
from bench.errors import UserError, cannot_read
from bench.experiment.tables import MEASURES, REGIONS
from bench.records.files import CELLS
from bench.records.record import CellRecord
from bench.store.reading import read_whole
from bench.submission.archive import LARGEST, MOST, read_pack
from bench.submission.names import RECORDS, SUBMISSION, known, manifest

TEXTS = ("user", "photo", "released", "outcome")
"""Columns of texts in the photos' table of a submission."""

_MEASURED = Held(-(10**12), 10**12)


@dataclass(frozen=True)
class Contents:
    """The files of a submission.

    Attributes:
        path: Where they lie.
        files: Name -> content.
        passed_over: Names of other files that lie in the folder.
    """

    path: Path
    files: Mapping[str, bytes]
    passed_over: tuple[str, ...] = ()

    @property
    def packed(self) -> bool:
        """Whether it is a pack, which says what it holds."""
        return SUBMISSION in self.files

    @property
    def manifests(self) -> dict[str, bytes]:
        """The lists of which photo plays which part, by name."""
        return {name: content for name, content in sorted(self.files.items()) if manifest(name)}

    @cached_property
    def records(self) -> list[CellRecord]:
        """All records, read strictly.

        Raises:
            UserError: There are none, they are damaged, or they are of several schemas or protocols.
        """
        names = [name for name in RECORDS if name in self.files]
        if len(names) != 1:
            raise UserError(
                f"{self.path} has {'no' if not names else 'two files of'} records: it holds "
                f"{', '.join(sorted(self.files)[:5]) or 'no file of a submission'}. "
                "'bench run --out' writes a folder with one records.json."
            )
        version, records = CELLS.records_in(self.files[names[0]], str(self.path / names[0]))
        if not records:
            raise UserError(f"{self.path} has no record: a submission has at least one cell.")
        if version == CELLS.version:  # those of an older document were migrated
            _check_one(self.path, "schemas", [str(record.schema_version) for record in records], str(version))
        _check_one(self.path, "protocols", [record.protocol for record in records])
        return records

    @cached_property
    def users(self) -> Cells:
        """Cell -> the columns of its users.

        Raises:
            UserError: The table is missing or damaged.
        """
        return table_in(self._file(USERS), self.path / USERS, TEXTS_OF_USERS, NUMBERS_OF_USERS)

    @cached_property
    def photos(self) -> Cells:
        """Cell -> the columns of its released photos.

        Raises:
            UserError: The table is missing or damaged.
        """
        measures = {f"{region}_{name}": _MEASURED for region in REGIONS for name in MEASURES}
        return table_in(
            self._file(PHOTOS), self.path / PHOTOS, TEXTS, {"faces": COUNT, **NUMBERS, **measures}
        )

    def _file(self, name: str) -> bytes:
        if name not in self.files:
            raise UserError(f"{self.path} has no {name}: 'bench run --out' writes it beside the records.")
        return self.files[name]


def open_contents(path: Path) -> Contents:
    """Open a pack or a folder.

    Raises:
        UserError: There is none, or it is not opened.
    """
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise UserError(f"no submission at {path}. Name a pack or a folder that 'bench run --out' wrote.")
    return Contents(path, read_pack(path))


def _folder(path: Path) -> Contents:
    files: dict[str, bytes] = {}
    others: list[str] = []
    total = 0
    try:
        entries = sorted([*path.iterdir(), *((path / "cloaks").iterdir() if _is_folder(path) else ())])
        for place in entries:
            name = place.relative_to(path).as_posix()
            if not known(name):
                others += [] if name == "cloaks" else [name]
                continue
            if place.is_symlink() or not place.is_file():
                raise UserError(f"{place} is not opened: it is a link or no file. Put the file itself there.")
            total += place.stat().st_size
            if total > LARGEST or len(files) >= MOST:
                raise UserError(f"{path} is not opened: it has more than {LARGEST} bytes or {MOST} files.")
            files[name] = read_whole(place)
    except OSError as error:
        raise cannot_read(error, str(path)) from error
    return Contents(path, files, tuple(others))


def _is_folder(path: Path) -> bool:
    return (path / "cloaks").is_dir() and not (path / "cloaks").is_symlink()


def _check_one(path: Path, kind: str, values: list[str], *others: str) -> None:
    """See that all records agree.

    Raises:
        UserError: They do not.
    """
    distinct = sorted({*values, *others})
    if len(distinct) > 1:
        raise UserError(
            f"{path} has records of {len(distinct)} {kind}, {', '.join(distinct)[:200]}. "
            "Submit each by itself."
        )


def columns(table: Mapping[str, Any], *names: str) -> bool:
    """Whether a cell's table has these columns, with a number in each place."""
    import numpy as np

    return all(name in table and not np.isnan(table[name]).any() for name in names)
