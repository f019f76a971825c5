"""Reasons of other libraries' errors: they come first, whatever stands before them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from bench.encoders.sessions import open_session
from bench.store.reasons import MOST, reason

WORD = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
QUALIFIED = st.lists(WORD, min_size=2, max_size=4).map("::".join)
TYPES = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "const ", "std::vector<std::pair<int, long> > const "]),
    st.one_of(WORD, QUALIFIED, st.just("std::function<void (int, char)>")),
    st.sampled_from(["", "&", "*", "&&"]),
)
SIGNATURE = st.builds(
    "{}{}({}){}".format,
    st.sampled_from(["", "void ", "const char* ", "std::unique_ptr<int> ", "static bool "]),
    QUALIFIED,
    st.lists(TYPES, max_size=9).map(", ".join),
    st.sampled_from(["", " const"]),
)
PLACE = st.builds(
    "{}{}.{}:{}".format,
    st.sampled_from(["", "/onnxruntime_src/core/", "../c10/core/"]),
    WORD,
    st.sampled_from(["cc", "cpp", "h", "cu"]),
    st.integers(1, 9999),
)
CODE = st.builds(
    "[ONNXRuntimeError] : {} : {} : ".format, st.integers(1, 12), st.sampled_from(["FAIL", "INVALID_GRAPH"])
)
REASON = st.lists(st.from_regex(r"[A-Za-z0-9]{1,9}", fullmatch=True), min_size=2, max_size=8).map(
    lambda words: " ".join(["Because", *words])
)


@settings(max_examples=300)
@given(
    st.one_of(st.just(""), CODE),
    st.one_of(
        st.just(""),
        st.builds("{} {} ".format, PLACE, SIGNATURE),
        st.builds("{} Compute ".format, PLACE),
        st.builds("[enforce fail at {}] . ".format, PLACE),
        st.builds(
            "Non-zero status code returned while running Conv node. Name:'' Status Message: {} Run ".format,
            PLACE,
        ),
    ),
    REASON,
    st.sampled_from(
        ["", "\n", "\nException raised from a at b.cpp:1 (most recent call first):\nframe #0: x"]
    ),
)
def test_the_reason_comes_first(code: str, place: str, why: str, behind: str) -> None:
    said = reason(RuntimeError(code + place + why + behind))
    assert said in (why, f"{why} (node Conv)")


@settings(max_examples=200)
@given(st.text(), st.integers(2, 300))
def test_any_text_is_one_line_of_bounded_length(text: str, most: int) -> None:
    said = reason(ValueError(text), most)
    assert 0 < len(said) <= max(most, len("ValueError"))
    assert len(said.splitlines()) == 1


def _graph(change: Callable[[onnx.ModelProto], object] = lambda model: None, kind: str = "Relu") -> bytes:
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node(kind, ["x"], ["y"])], "net", value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    change(model)
    content: bytes = model.SerializeToString()
    return content


def _script() -> bytes:
    stream = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(3, 2)), stream)
    return stream.getvalue()


def _newer(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


REAL: dict[str, tuple[Callable[[], object], str]] = {
    "IR": (
        lambda: open_session(_graph(lambda model: setattr(model, "ir_version", 99))),
        "its IR version 99 is newer than onnxruntime here knows",
    ),
    "opset": (lambda: open_session(_graph(_newer)), "its opset 99 is newer than onnxruntime here knows"),
    "operation": (lambda: open_session(_graph(kind="Frobnicate")), "No Op registered for Frobnicate"),
    "no ONNX": (lambda: open_session(b"abc"), "Failed to load model because protobuf parsing failed"),
    "script": (lambda: torch.jit.load(io.BytesIO(b"abc")), "istream reader failed"),
    "a script that runs": (
        lambda: torch.jit.load(io.BytesIO(_script()))(torch.zeros(4, 5)),
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied",
    ),
    "weights": (
        lambda: torch.nn.Linear(3, 2).load_state_dict({}),
        "Error(s) in loading state_dict for Linear: Missing key(s)",
    ),
    "safetensors": (lambda: safetensors.torch.load(b"abcdefgh1"), "Error while deserializing"),
}


@pytest.mark.parametrize(("breaks", "says"), REAL.values(), ids=REAL)
def test_real_errors_of_the_libraries(breaks: Callable[[], object], says: str) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        breaks()
    said = reason(caught.value)
    assert said.startswith(says), said
    assert len(said) <= MOST
    assert not re.search(r"::|\.(?:cc|h|cpp):\d", said)


def test_nothing_of_onnxruntime_reaches_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    session = open_session(_graph())
    faults = onnxruntime.capi.onnxruntime_pybind11_state
    with pytest.raises(faults.InvalidArgument):
        session.run(None, {"x": np.zeros((2, 2, 2), np.float32)})
    with pytest.raises(faults.InvalidGraph):
        open_session(_graph(kind="Frobnicate"))
    assert capfd.readouterr() == ("", "")
