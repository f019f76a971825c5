"""A JSON document with records of one kind and the version of their schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from bench.errors import UserError, cannot_read
from bench.records.migrations import OLDEST, migrated
from bench.records.packed import SUFFIX, unpacked
from bench.records.parsing import DamagedError, dotted, parse, shown
from bench.records.record import Model
from bench.store.reading import read_whole

Record = TypeVar("Record", bound=Model)


@dataclass(frozen=True, slots=True)
class Document(Generic[Record]):
    """A kind of document.

    Attributes:
        name: of the records, in messages.
        file: that holds it in a folder; packed with xz, it ends with `.xz`.
        key: below which the records stand, beside `schema_version`.
        model: of one record.
        version: of the schema that this program writes.
        written_by: the command that writes such a file into a folder.
        explained_by: a sentence that says where a user learns what such a file holds.
    """

    name: str
    file: str
    key: str
    model: type[Record]
    version: int
    written_by: str
    explained_by: str

    def to_json(self, records: Iterable[Record]) -> str:
        """The document, without a newline at its end."""
        texts = [record.model_dump(mode="json") for record in records]
        document = {"schema_version": self.version, self.key: texts}
        return json.dumps(document, indent=1, sort_keys=True, allow_nan=False)

    def read(self, path: Path) -> list[Record]:
        """Read a document, or that of a folder; older schemas are migrated.

        Raises:
            UserError: There is none, or the file is not such a document, or of a newer schema, or says what
                cannot be. The message names the file and the field.
        """
        file = self.at(path)
        return self.records_in(read_whole(file), str(file))[1]

    def records_in(self, content: bytes, file: str) -> tuple[int, list[Record]]:
        """The schema's version of a document, and its records, migrated.

        Args:
            content: The bytes of the document.
            file: Its name; one that ends with `.xz` is packed.

        Raises:
            UserError: As in `read`.
        """
        try:
            plain = unpacked(content) if file.endswith(SUFFIX) else content
            version, records = self._parts(parse(plain))
            if version > self.version:
                raise UserError(
                    f"{file} has {self.name} of schema {version}; this program reads {OLDEST} to "
                    f"{self.version}. Install the cloakbench that wrote them, or a newer one."
                )
            return version, [self._record(record, version, place) for place, record in enumerate(records)]
        except DamagedError as error:
            raise UserError(f"{file} does not hold {self.name}: {error}. {self.explained_by}") from error

    def at(self, path: Path) -> Path:
        """The file of a document, for the file itself or its folder.

        Raises:
            UserError: There is none, or the folder has two: packed and not.
        """
        try:
            names = (self.file, self.file + SUFFIX)
            files = [path / name for name in names] if path.is_dir() else [path]
            there = [file for file in files if file.is_file()]
        except OSError as error:
            raise cannot_read(error, str(path)) from error
        if not there:
            raise UserError(f"no {self.name} at {path}. '{self.written_by} {path}' writes some.")
        if len(there) > 1:
            raise UserError(
                f"{path} has two files of {self.name}: {' and '.join(names)}. Remove one of them."
            )
        return there[0]

    def _parts(self, document: Any) -> tuple[int, list[Any]]:
        """The schema's version, and the records as they stand there."""
        if not isinstance(document, dict):
            raise DamagedError(f"it is {shown(document)}, and must be an object")
        for name in ("schema_version", self.key):
            if name not in document:
                raise DamagedError(f"it has no {name}")
        version, records = document["schema_version"], document[self.key]
        if type(version) is not int or version < OLDEST:
            raise DamagedError(
                f"schema_version is {shown(version)}, and must be a whole number from {OLDEST}"
            )
        if not isinstance(records, list):
            raise DamagedError(f"{self.key} is {shown(records)}, and must be a list")
        return version, records

    def _record(self, record: Any, version: int, place: int) -> Record:
        try:
            return self.model.model_validate(migrated(record, version))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = dotted((self.key, place, *first["loc"]))
            given = "" if first["type"] in ("impossible", "missing") else f", and is {shown(first['input'])}"
            message = first["msg"].removesuffix(".")
            raise DamagedError(f"{where}: {message}{given}") from error
        except DamagedError as error:
            raise DamagedError(f"{dotted((self.key, place))}: {error}") from error
