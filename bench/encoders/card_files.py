"""Cards of networks that users bring, as in `onnx:FILE`: each lies in a file beside the network's.

The card of `net.onnx` is `net.card.toml` (design/009-encoders-from-files.md). Nothing here imports torch.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bench.errors import UserError, unknown_name
from bench.store import weights
from bench.types import ARCFACE_CROP, Crop, EncoderCard, Preprocessing

_MINIMAL = 'architecture = "…", training_set = "…", licence = "…", source = "…", dimensions = 512'
_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Number = Annotated[float, Field(ge=0, le=255)]


class CardFile(BaseModel):
    """The keys of a card file. `mean` and `std` are of 8-bit values."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: Annotated[str, Field(pattern=_NAME)] | None = None
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
    parameters: Annotated[int, Field(ge=0)] = 0
    released: str = ""
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


def card_path(file: Path) -> Path:
    """Where the card of a network's file lies: `net.onnx` -> `net.card.toml`."""
    return file.with_name(f"{file.stem}.card.toml")


def card(scheme: str, file: Path, *, program: str = "") -> EncoderCard:
    """The card of a user's network. The network's file is read for its digest, not for what is in it.

    Args:
        scheme: The word before the colon of the name by which the user brings the network.
        file: The network's file.
        program: The kind of file, if such a file is a program: its card must then state its digest.

    Raises:
        UserError: if the file or its card is missing, for anything wrong with the card, and for a digest
            that is not the file's.
    """
    if not file.is_file():
        raise UserError(f"no file {file}. Type --encoder {scheme}:FILE with a file that is there.")
    beside = card_path(file)
    stated = _stated(beside)
    sha256 = hashlib.sha256(weights.read(file)).hexdigest()
    if stated.sha256 and stated.sha256 != sha256:
        raise UserError(
            f"{beside} says sha256 {stated.sha256}, but {file} has {sha256}: "
            "not the file that the card is of."
        )
    if program and not stated.sha256:
        raise UserError(
            f"{beside} states no sha256, and a {program} file is a program: if you trust this one, add "
            f'sha256 = "{sha256}".'
        )
    name = stated.name or file.stem
    if re.match(_NAME, name) is None:
        raise UserError(
            f'{name!r} is no name for an encoder. Add a line such as name = "my-net" to {beside}.'
        )
    return EncoderCard(
        name=name,
        architecture=stated.architecture,
        training_set=stated.training_set,
        crop=_crop(beside, stated),
        dimensions=stated.dimensions,
        parameters=stated.parameters,
        released=stated.released,
        licence=stated.licence,
        source=stated.source,
        sha256=sha256,
        preprocessing=Preprocessing(
            stated.colour, _triple(beside, "mean", stated.mean), _std(beside, stated), stated.layout
        ),
        location=f"{scheme}:{file.absolute()}",
    )


def _stated(path: Path) -> CardFile:
    if not path.is_file():
        raise UserError(f"no card {path}. Write one: {_MINIMAL}; docs/add-an-encoder.md has all its keys.")
    try:
        values = tomllib.loads(weights.read(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not TOML: {error}.") from error
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
    return f"{key} = {problem['input']!r}: {problem['msg'].lower()}."


def _crop(path: Path, stated: CardFile) -> Crop:
    size = stated.size
    if stated.crop == "box":
        if not stated.margin < size:
            raise UserError(
                f"{path}: margin = {stated.margin:g} leaves nothing of a crop of {size} pixels for the face. "
                "Write less than size; it counts both sides together."
            )
        return Crop(size=size, kind="box", margin=stated.margin)
    # insightface's rule: sizes of 128 leave 8 of 128 columns on either side of the 112 template
    unit, shift = (128, 8.0) if size % 128 == 0 else (112, 0.0)
    scale = size / unit
    template = tuple(((x + shift) * scale, y * scale) for x, y in ARCFACE_CROP.template)
    return Crop(size=size, kind="similarity", template=template)


def _std(path: Path, stated: CardFile) -> tuple[float, float, float]:
    std = _triple(path, "std", stated.std)
    if min(std) < 1:
        raise UserError(f"{path}: std = {stated.std} is not of 8-bit values. For 0.5 of [0, 1] write 127.5.")
    return std


def _triple(path: Path, key: str, value: float | list[float]) -> tuple[float, float, float]:
    if not isinstance(value, list):
        return (value, value, value)
    if len(value) != 3:
        raise UserError(f"{path}: {key} has {len(value)} values; it takes one, or one for each of 3 colours.")
    return (value[0], value[1], value[2])
