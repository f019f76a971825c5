"""The keys of a card file, and how such a file is read. The one module of encoders that needs pydantic."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.encoders.written import NAME
from bench.errors import UserError, unknown_name
from bench.store.reading import read_text
from bench.store.reasons import reason

_MINIMAL = 'architecture = "…", training_set = "…", licence = "…", source = "…", dimensions = 512'
_MOST = 60
"""Characters of a value that a message shows."""

Number = Annotated[float, Field(ge=0, le=255)]


class CardFile(BaseModel):
    """The keys of a card file. `mean` and `std` are of 8-bit values."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(pattern=rf"^{NAME}$")] | None = None
    architecture: Annotated[str, Field(min_length=1)]
    training_set: str
    licence: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    dimensions: Annotated[int, Field(ge=1)]
    size: Annotated[int, Field(ge=16, le=1024)] = 112
    crop: Literal["arcface", "box"] = "arcface"
    margin: Annotated[float, Field(ge=0)] = 0.0
    colour: Literal["rgb", "bgr"] = "rgb"
    mean: Number | list[Number] = 0.0
    std: Number | list[Number] = 255.0
    layout: Literal["nchw", "nhwc"] = "nchw"
    detector: Annotated[str, Field(min_length=1)] = "mtcnn"
    parameters: Annotated[int, Field(ge=0)] = 0
    released: str = ""
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


def read(path: Path) -> CardFile:
    """The content of a card file.

    Raises:
        UserError: if the file is missing, is not TOML, or says what a card cannot say.
    """
    if not path.is_file():
        raise UserError(f"no card {path}. Write one: {_MINIMAL}; docs/add-an-encoder.md has all its keys.")
    try:
        values = tomllib.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not TOML: {reason(error)}.") from error
    keys = CardFile.model_fields
    for key in values:
        if key not in keys:
            raise unknown_name(f"key in {path}:", key, keys, command="docs/add-an-encoder.md")
    try:
        return CardFile.model_validate(values)
    except ValidationError as error:
        raise UserError(f"{path}: {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    problem: Any = error.errors()[0]
    key = str(problem["loc"][0])
    if problem["type"] == "missing":
        return f"{key!r} is missing. A card has at least {_MINIMAL}."
    given = repr(problem["input"])
    shown = given if len(given) <= _MOST else f"{given[:_MOST]}…"
    return f"{key} = {shown}: {problem['msg'].lower()}."
