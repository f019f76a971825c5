"""A JSON document with records of one kind and the version of their schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from bench.errors import UserError
from bench.records.migrations import OLDEST, migrated
from bench.records.record import Model
from bench.store.reading import read_text

Record = TypeVar("Record", bound=Model)


@dataclass(frozen=True, slots=True)
class Document(Generic[Record]):
    """A kind of document.

    Attributes:
        name: of the records, in messages.
        file: that holds it in a folder.
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
            UserError: if there is none, or the file is not such a document, or of a newer schema.
        """
        file = path / self.file if path.is_dir() else path
        if not file.is_file():
            raise UserError(f"no {self.name} at {path}. '{self.written_by} {path}' writes some.")
        try:
            document = json.loads(read_text(file))
            version, records = document["schema_version"], document[self.key]
            if version not in range(OLDEST, self.version + 1):
                raise UserError(
                    f"{file} has {self.name} of schema {version}; this program reads {OLDEST} to "
                    f"{self.version}. Install the cloakbench that wrote them, or a newer one."
                )
            return [self.model.model_validate(migrated(record, version)) for record in records]
        except (ValueError, KeyError, TypeError) as error:
            first = str(error).splitlines()[0]
            raise UserError(f"{file} does not hold {self.name} ({first}). {self.explained_by}") from error
