"""What an ONNX file says of itself, read without running it, and held against its card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import onnx
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]  # it has no stubs

from bench.errors import UserError
from bench.types import EncoderCard

_FLOATS = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.FLOAT16: "float16"}


@dataclass(frozen=True, slots=True)
class Interface:
    """How a graph is called.

    Attributes:
        input: name of its one input.
        output: name of its one output.
        batch: how many crops it takes, where that is fixed.
        dtype: of the input, `float32` or `float16`.
    """

    input: str
    output: str
    batch: int | None
    dtype: str


def parse(data: bytes, where: str) -> onnx.ModelProto:
    """The graph.

    Args:
        data: the file.
        where: its path, for the message.

    Raises:
        UserError: if this is no whole ONNX file.
    """
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise UserError(
            f"{where} is not an ONNX file, or only part of one ({error}). Get it again."
        ) from error
    if not model.graph.node:
        raise UserError(f"{where} is not an ONNX file: it holds no graph. Get it again.")
    if any(map(onnx.external_data_helper.uses_external_data, _tensors(model))):
        raise UserError(
            f"{where} keeps its weights in other files, which no digest would cover. Save it as one file "
            "(onnx.save_model with save_as_external_data=False)."
        )
    return model


def _tensors(part: Message) -> Iterator[onnx.TensorProto]:
    """Every tensor of a file, also those in nodes, branches and functions."""
    if isinstance(part, onnx.TensorProto):
        yield part
        return
    for field, value in part.ListFields():
        if field.message_type is not None:
            for one in value if isinstance(value, Iterable) else (value,):
                yield from _tensors(one)


def interface(model: onnx.ModelProto, card: EncoderCard, where: str) -> Interface:
    """How the graph is called, if it is what its card says.

    Args:
        model: the graph.
        card: of the encoder.
        where: the file's path, for the message.

    Raises:
        UserError: for more than one input or output, and for an input or an output of other sizes.
    """
    weights = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in weights]
    for what, found in (("input", inputs), ("output", list(model.graph.output))):
        if len(found) != 1:
            has = ", ".join(one.name for one in found) or "none"
            raise UserError(
                f"{where} has {len(found)} {what}s ({has}); an encoder has one: cut the graph there "
                "(onnx.utils.extract_model)."
            )
    given, made = inputs[0], model.graph.output[0]
    dtype = _FLOATS.get(given.type.tensor_type.elem_type)
    if dtype is None:
        kind = onnx.TensorProto.DataType.Name(given.type.tensor_type.elem_type).lower()
        raise UserError(f"{where} takes {kind} as {given.name!r}; an encoder takes float32 or float16.")
    shape, size = _shape(given), card.crop.size
    usual = card.preprocessing.layout == "nchw"
    wanted = [None, 3, size, size] if usual else [None, size, size, 3]
    if len(shape) != 4 or any(w and s and w != s for w, s in zip(wanted, shape, strict=False)):
        raise UserError(
            f"{where} takes {_told(shape)} as {given.name!r}, and its card says {_told(wanted)} "
            f"({card.preprocessing.layout}, size {size}): correct the card."
        )
    out = _shape(made)
    if len(out) > 1 and (length := _product(out[1:])) is not None and length != card.dimensions:
        raise UserError(
            f"{where} gives {length} numbers a face, and its card says dimensions {card.dimensions}: "
            "correct the card."
        )
    return Interface(given.name, made.name, shape[0], dtype)


def _shape(value: onnx.ValueInfoProto) -> list[int | None]:
    """Sizes; None where any goes."""
    return [one.dim_value or None for one in value.type.tensor_type.shape.dim]


def _product(sizes: list[int | None]) -> int | None:
    length = 1
    for size in sizes:
        if size is None:
            return None
        length *= size
    return length


def _told(shape: list[int | None]) -> str:
    return f"[{', '.join('n' if size is None else str(size) for size in shape)}]"
