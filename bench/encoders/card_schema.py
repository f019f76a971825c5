"""The keys of a card file, and how such a file is read. The one module of encoders that needs pydantic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.encoders.written import NAME
from bench.store.toml_files import read_keys

_MINIMAL = 'architecture = "…", training_set = "…", licence = "…", source = "…", dimensions = 512'

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
    return read_keys(path, CardFile, what="card", minimal=_MINIMAL, page="docs/add-an-encoder.md")
