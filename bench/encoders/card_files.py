"""Cards of networks that users bring, as in `onnx:FILE`: each lies in a file beside the network's.

The card of `net.onnx` is `net.card.toml` (design/009-encoders-from-files.md). Nothing here imports torch,
and pydantic only when a card is read.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from bench.encoders.written import NAME, Written
from bench.errors import UserError
from bench.store import weights
from bench.types import ARCFACE_CROP, Crop, EncoderCard, Preprocessing

if TYPE_CHECKING:
    from bench.encoders.card_schema import CardFile


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
    from bench.encoders.card_schema import read

    if not file.is_file():
        raise UserError(f"no file {file}. {_advice(scheme, file)}")
    beside = card_path(file)
    stated = read(beside)
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
    if re.fullmatch(NAME, name) is None:
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
        detector=stated.detector,
        location=f"{scheme}:{file.absolute()}",
    )


def _advice(scheme: str, file: Path) -> str:
    path, plus, behind = str(file).rpartition("+")
    if plus and Path(path).is_file():
        return (
            f"{path} is there, and no encoder is called {behind!r}: 'bench list encoders' names all. A file "
            f"with a plus sign in its name may be quoted: {Written((f'{scheme}:{file}',))}."
        )
    return f"Type --encoder {scheme}:FILE with a file that is there."


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
