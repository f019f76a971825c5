"""F4, F10, F13, F15, R5: encoders from files. Networks are a matrix or two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from injecting.inputs.checkout import Done
from injecting.inputs.seen import Input, Seen, all_of, refused, went_well
from injecting.inputs.workshop import Workshop

CARD = {"architecture": "means", "training_set": "none", "licence": "MIT", "source": "drawn", "dimensions": 5}
_MATRIX = np.random.default_rng(5).normal(size=(147, 5)).astype(np.float32)


def card(path: Path, *, mark: bytes = b"", **more: object) -> Path:
    """Write the card of a network beside it, and return the network."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in {**CARD, **more}.items()]
    path.with_suffix(".card.toml").write_bytes(mark + "\n".join(lines).encode())
    return path


def network(
    path: Path,
    *,
    batch: int | str = "n",
    shape: bool = True,
    opset: int = 17,
    ir: int = 8,
    kind: int = TensorProto.FLOAT,
    convolved: bool = False,
    after: Sequence[onnx.NodeProto] = (),
    **described: Any,
) -> Path:
    """Write an ONNX network with its card: 7 x 7 mean colours times a matrix.

    Args:
        path: Of the file.
        batch: The first side of the input; -1 is another way to say any.
        shape: Whether the input states its sides.
        opset: The version of its operations.
        ir: The version of its format.
        kind: Of its numbers.
        convolved: Whether a convolution of 1 x 1 goes first.
        after: Nodes from `embedding` to `out`.
        described: Further lines of the card.
    """
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    first, start = (
        ([helper.make_node("Conv", ["photo", "kernel"], ["mixed"])], "mixed") if convolved else ([], "photo")
    )
    nodes = [
        *first,
        helper.make_node("AveragePool", [start], ["places"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Flatten", ["places"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["embedding"]),
        *after,
    ]
    sides: list[int | str] | None = [batch, 3, 112, 112] if shape else None
    given = helper.make_tensor_value_info("photo", kind, sides)
    result = helper.make_tensor_value_info("out" if after else "embedding", kind, None)
    matrix = numpy_helper.from_array(_MATRIX.astype(dtype), "matrix")
    kernel = numpy_helper.from_array(np.eye(3, dtype=dtype)[:, :, None, None], "kernel")
    graph = helper.make_graph(nodes, "net", [given], [result], [matrix, kernel] if convolved else [matrix])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    path.write_bytes(model.SerializeToString())
    return card(path, **described)


def embedding(workshop: Workshop, *encoders: str, **more: Any) -> Done:
    """A run with these encoders, of no defense."""
    words = [word for encoder in encoders for word in ("--encoder", encoder)]
    return workshop.run(workshop.photos, *words, "--defense", "none", "--attacker", "dbscan", **more)


def cloaking(workshop: Workshop, surrogate: str) -> Done:
    """A run that cloaks against a surrogate."""
    words = ("--surrogate", surrogate, "--defense", "pgd:steps=1", "--attacker", "dbscan")
    return workshop.run(workshop.photos, "--encoder", "synth-ir", *words)


class _Noisy(torch.nn.Module):
    """Means times a matrix, with dropout or with the statistics of the batch."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.layer = torch.nn.Dropout(0.5) if what == "dropout" else torch.nn.BatchNorm1d(147)
        self.matrix = torch.nn.Parameter(torch.from_numpy(_MATRIX))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        places: torch.Tensor = torch.nn.functional.avg_pool2d(crops, 16).flatten(1)
        embedded: torch.Tensor = self.layer(places) @ self.matrix
        return embedded


def traced_in_training(workshop: Workshop) -> Seen:
    """TorchScript files that were traced with dropout, and with the statistics of the batch."""
    seen = {}
    for what in ("dropout", "batch statistics"):
        path = workshop.folder / f"{what.partition(' ')[0]}.pt"
        crops = torch.rand(4, 3, 112, 112)
        traced = torch.jit.trace(_Noisy(what).train(), crops, check_trace=False)
        traced.save(str(path))
        card(path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        seen[what] = refused(embedding(workshop, f"torchscript:{path}"))
    return all_of(seen)


def other_spellings(workshop: Workshop) -> Seen:
    """What onnxruntime reads: a batch of -1, and an input without its sides."""
    any_batch = network(workshop.folder / "any.onnx", batch=-1)
    no_shape = network(workshop.folder / "shapeless.onnx", shape=False)
    return all_of(
        {path.stem: went_well(embedding(workshop, f"onnx:{path}")) for path in (any_batch, no_shape)}
    )


def too_new(workshop: Workshop) -> Seen:
    """An opset, and a version of the format, that the runtime does not know."""
    opset = network(workshop.folder / "opset.onnx", opset=99)
    ir = network(workshop.folder / "ir.onnx", ir=99)
    seen = {}
    for path, word in ((opset, "opset"), (ir, "IR version")):
        done = embedding(workshop, f"onnx:{path}")
        length = max(map(len, done.lines), default=0)
        one = refused(done, word)
        seen[word] = Seen(
            f"{one.says}{f', {length} characters' if length > 350 else ''}", one.right and length <= 350
        )
    return all_of(seen)


def strange_surrogates(workshop: Workshop) -> Seen:
    """As surrogates: a newer opset than the gradients need, and numbers of 16 bits."""
    newer = network(workshop.folder / "newer.onnx", opset=22, ir=10, convolved=True)
    half = network(workshop.folder / "half.onnx", kind=TensorProto.FLOAT16, convolved=True)
    seen = {}
    for path in (newer, half):
        done = cloaking(workshop, f"onnx:{path}")
        right = went_well(done).right or (refused(done).right and "Conv" not in done.err)
        seen[path.stem] = Seen(f"{done}{', blames Conv' if 'Conv' in done.err else ''}", right)
    return all_of(seen)


def names_with_plus(workshop: Workshop) -> Seen:
    """A plus sign in a file's name, and a file as the first of an ensemble."""
    plus = network(workshop.folder / "net+x.onnx", name="net")
    plain = network(workshop.folder / "a.onnx")
    return all_of(
        {
            "surrogate onnx:net+x.onnx": went_well(cloaking(workshop, f"onnx:{plus}")),
            "onnx:a.onnx+synth-ir": went_well(embedding(workshop, f"onnx:{plain}+synth-ir")),
            "synth-ir+onnx:a.onnx": went_well(embedding(workshop, f"synth-ir+onnx:{plain}")),
        }
    )


def byte_order_mark(workshop: Workshop) -> Seen:
    """A byte order mark at the head of a card, a suite and records."""
    path = network(workshop.folder / "a.onnx")
    card(path, mark=b"\xef\xbb\xbf")
    suite = workshop.folder / "suite.toml"
    suite.write_bytes(b"\xef\xbb\xbf[[run]]\ndefense = ['none']\nattacker = ['dbscan']\n")
    records = workshop.folder / "out" / "records.json"
    records.parent.mkdir()
    printed = workshop.stock.reference.out
    records.write_bytes(b"\xef\xbb\xbf" + printed.encode())
    return all_of(
        {
            "card": went_well(embedding(workshop, f"onnx:{path}")),
            "suite": went_well(workshop.run(workshop.photos, "--suite", suite, "--encoder", "synth-ir")),
            "records": went_well(workshop.bench("board", records.parent)),
        }
    )


def _nan_above(limit: float) -> list[onnx.NodeProto]:
    """Nodes that make the embedding of a crop NaN whose mean colour, in [0, 1], is above a limit."""
    return [
        helper.make_node("ReduceMean", ["flat"], ["bright"], axes=[1], keepdims=1),
        helper.make_node(
            "Constant", [], ["limit"], value=numpy_helper.from_array(np.array(limit, np.float32), "limit")
        ),
        helper.make_node("Sub", ["limit", "bright"], ["left"]),
        helper.make_node("Sqrt", ["left"], ["root"]),
        helper.make_node("Mul", ["embedding", "root"], ["out"]),
    ]


def not_a_number(workshop: Workshop) -> Seen:
    """An encoder that gives NaN for one bright photo in mid-run, beside a good one, in two cells each."""
    path = network(workshop.folder / "fragile.onnx", after=_nan_above(0.75))
    photo = workshop.photos / workshop.stock.users[0] / "0.jpg"
    from PIL import Image

    for each in sorted(photo.parent.iterdir()):
        bright = np.asarray(Image.open(each)).astype(int) // 8 + 223
        Image.fromarray(bright.astype(np.uint8)).save(each, quality=95)
    done = workshop.run(
        workshop.photos,
        *("--encoder", f"onnx:{path}", "--encoder", "synth-ir", "--defense", "none"),
        *("--attacker", "dbscan", "--attacker", "hdbscan"),
    )
    ended = sorted(cell["status"] for cell in done.cells().values())
    right = done.status == 2 and not done.tracebacks and ended == ["failed", "failed", "ok", "ok"]
    named = "fragile" in done.err
    told = ", ".join(f"{ended.count(each)} cells {each}" for each in dict.fromkeys(ended))
    return Seen(f"{done}, {told or 'no cells'}", right and named)


def verify_goes_on(workshop: Workshop) -> Seen:
    """`bench verify` of three encoders, of which the first is not a number for any face."""
    bad = network(workshop.folder / "bad.onnx", after=_nan_above(0.505))
    data = ("--dataset", "synthetic:people=22,photos-each=2", "--pairs", "20", "--json")
    done = workshop.bench("verify", f"onnx:{bad}", "synth-ir", *data)
    told = '"synth-ir"' in done.out
    right = done.status == 2 and not done.tracebacks and told
    return Seen(f"{done}, synth-ir {'measured' if told else 'not measured'}", right)


def endless_loop(workshop: Workshop) -> Seen:
    """A network with a Loop of 2**40 turns."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Mul", ["held", "held"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, None),
        ],
    )
    constants = {"turns": np.array(2**40, np.int64), "yes": np.array(True)}
    after = [
        *(
            helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value, name))
            for name, value in constants.items()
        ),
        helper.make_node("Loop", ["turns", "yes", "embedding"], ["out"], body=body),
    ]
    path = network(workshop.folder / "loop.onnx", after=after)
    return refused(embedding(workshop, f"onnx:{path}", limit=150))


INPUTS = (
    Input(
        "F4",
        "traced-in-training",
        "TorchScript files that were traced with dropout, and with the statistics of the batch",
        "they are refused in one line",
        traced_in_training,
    ),
    Input(
        "F10",
        "other-spellings-of-any",
        "ONNX files whose batch is -1, and whose input states no sides",
        "they embed, as onnxruntime reads them",
        other_spellings,
    ),
    Input(
        "F10",
        "newer-than-the-runtime",
        "ONNX files with opset 99, and with IR version 99",
        "one line of at most 350 characters that names the opset, or the IR version",
        too_new,
    ),
    Input(
        "F10",
        "strange-surrogates",
        "surrogates of opset 22, and of 16-bit numbers",
        "they work, or one line that does not blame Conv",
        strange_surrogates,
    ),
    Input(
        "F13",
        "plus-in-a-name",
        "--surrogate onnx:net+x.onnx; --encoder onnx:a.onnx+synth-ir, and the other way round",
        "all of them run",
        names_with_plus,
    ),
    Input(
        "F13",
        "byte-order-mark",
        "a card, a suite and records that begin with a byte order mark",
        "they are read",
        byte_order_mark,
    ),
    Input(
        "F15",
        "nan-in-mid-run",
        "an encoder that gives NaN for bright photos, beside another encoder, with two attackers",
        "its two cells fail, the other two are ok; the encoder is named; exit 2",
        not_a_number,
    ),
    Input(
        "F15",
        "verify-goes-on",
        "bench verify of an encoder that gives NaN for some photos, and of another",
        "the other is measured; exit 2",
        verify_goes_on,
    ),
    Input(
        "R5",
        "endless-loop",
        "an ONNX file with a Loop of 2**40 turns",
        "it is refused in one line, within 150 s",
        endless_loop,
    ),
)
