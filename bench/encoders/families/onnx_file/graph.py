"""The interface of an ONNX file, read without running the file, and compared with its card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import onnx
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped]  # it has no stubs

from bench.errors import UserError
from bench.store.reasons import reason
from bench.types import EncoderCard

_FLOATS = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.FLOAT16: "float16"}


@dataclass(frozen=True, slots=True)
class Interface:
    """How a graph is called.

    Attributes:
        input: The name of its one input.
        output: The name of its one output.
        batch: The number of crops that it takes; None where any number will do.
        dtype: The type of the input, `float32` or `float16`.
    """

    input: str
    output: str
    batch: int | None
    dtype: str


def parse(data: bytes, path: str) -> onnx.ModelProto:
    """The graph in a file.

    Args:
        data: The file's bytes.
        path: The file's path, for the message.

    Raises:
        UserError: if the file is no whole ONNX file, or keeps weights in other files.
    """
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise UserError(
            f"{path} is not an ONNX file, or only part of one ({reason(error)}). Get it again."
        ) from error
    if not model.graph.node:
        raise UserError(f"{path} is not an ONNX file: it holds no graph. Get it again.")
    if any(map(onnx.external_data_helper.uses_external_data, _tensors(model))):
        raise UserError(
            f"{path} keeps its weights in other files, which no digest would cover. Save it as one file "
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
            for inner in value if isinstance(value, Iterable) else (value,):
                yield from _tensors(inner)


def interface(model: onnx.ModelProto, card: EncoderCard, path: str) -> Interface:
    """How the graph is called, if it is what its card says.

    Args:
        model: The graph.
        card: The encoder's card.
        path: The file's path, for the message.

    Raises:
        UserError: for more than one input or output, and for an input or an output of other sizes.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    for kind, values in (("input", inputs), ("output", list(model.graph.output))):
        if len(values) != 1:
            names = ", ".join(value.name for value in values) or "none"
            raise UserError(
                f"{path} has {len(values)} {kind}s ({names}); an encoder has one: cut the graph there "
                "(onnx.utils.extract_model)."
            )
    entry, exit_ = inputs[0], model.graph.output[0]
    dtype = _FLOATS.get(entry.type.tensor_type.elem_type)
    if dtype is None:
        taken = onnx.TensorProto.DataType.Name(entry.type.tensor_type.elem_type).lower()
        raise UserError(f"{path} takes {taken} as {entry.name!r}; an encoder takes float32 or float16.")
    stated, size = _shape(entry), card.crop.size
    shape: list[int | None] = [None] * 4 if stated is None else stated
    channels_first = card.preprocessing.layout == "nchw"
    wanted = [None, 3, size, size] if channels_first else [None, size, size, 3]
    pairs = zip(wanted, shape, strict=False)
    if len(shape) != 4 or 0 in shape or any(None not in (w, s) and w != s for w, s in pairs):
        raise UserError(
            f"{path} takes {_written(shape)} as {entry.name!r}, and its card says {_written(wanted)} "
            f"({card.preprocessing.layout}, size {size}): correct the card."
        )
    out = _shape(exit_) or []
    if len(out) > 1 and (length := _product(out[1:])) is not None and length != card.dimensions:
        raise UserError(
            f"{path} gives {length} numbers a face, and its card says dimensions {card.dimensions}: "
            "correct the card."
        )
    return Interface(entry.name, exit_.name, shape[0], dtype)


def _shape(value: onnx.ValueInfoProto) -> list[int | None] | None:
    """The sizes of a tensor, read as onnxruntime reads them; None for a tensor without a shape.

    A size is None where any will do: where it has a name, where it is not stated, and where it is negative,
    as some exporters write it. A size of 0 is 0.
    """
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    return [
        size.dim_value if size.HasField("dim_value") and size.dim_value >= 0 else None
        for size in tensor.shape.dim
    ]


def _product(sizes: list[int | None]) -> int | None:
    length = 1
    for size in sizes:
        if size is None:
            return None
        length *= size
    return length


def _written(shape: list[int | None]) -> str:
    return f"[{', '.join('n' if size is None else str(size) for size in shape)}]"
