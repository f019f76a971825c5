"""What a pack says of itself: its files with digests, and who hands it in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, ValidationError

from bench.errors import UserError
from bench.records.parsing import DamagedError, dotted, parse, shown
from bench.records.record import Author, Model

_Stated = TypeVar("_Stated", bound=Model)

FORMAT: Final = 1
"""The version of packs that this program writes and reads."""


class PackedFile(Model):
    """A file of a pack."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(strict=True, ge=0)]


class Submission(Model):
    """The list of a pack."""

    format: Literal[1]
    tool: Annotated[str, Field(max_length=100)]
    protocol: Annotated[str, Field(max_length=100)]
    cells: Annotated[int, Field(strict=True, ge=1)]
    by: Author | None = None
    files: dict[str, PackedFile]


def written(files: Mapping[str, bytes], tool: str, protocol: str, cells: int, by: Author | None) -> bytes:
    """The list of some files, with a newline at its end.

    Args:
        files: Name -> content.
        tool: The program and its version.
        protocol: Of all records.
        cells: How many there are.
        by: Who hands them in; None where nobody says.
    """
    listed = {
        name: PackedFile(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for name, content in sorted(files.items())
    }
    stated = Submission(format=FORMAT, tool=tool, protocol=protocol, cells=cells, by=by, files=listed)
    return json.dumps(stated.model_dump(mode="json"), indent=1, sort_keys=True).encode() + b"\n"


def read_submission(content: bytes, file: str) -> Submission:
    """Read the list of a pack.

    Args:
        content: Its bytes.
        file: Its name, for messages.

    Raises:
        UserError: It is damaged, or of another version.
    """
    return read_model(Submission, content, file)


def read_model(model: type[_Stated], content: bytes, file: str) -> _Stated:
    """Read a JSON document of one model, strictly.

    Args:
        model: What it is.
        content: Its bytes.
        file: Its name, for messages.

    Raises:
        UserError: It is damaged; the message names the field.
    """
    try:
        return model.model_validate(parse(content))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        given = "" if first["type"] == "missing" else f", and is {shown(first['input'])}"
        raise UserError(f"{file}: {dotted(first['loc']) or 'it'}: {first['msg']}{given}.") from error
    except DamagedError as error:
        raise UserError(f"{file} is damaged: {error}.") from error
