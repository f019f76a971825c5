"""Sessions of onnxruntime as this project runs them: on one thread, and without a word on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as faults

CPU = "CPUExecutionProvider"

FAULTS: tuple[type[Exception], ...] = (
    *(faults.Fail, faults.InvalidArgument, faults.InvalidGraph, faults.InvalidProtobuf),
    *(faults.NotImplemented, faults.RuntimeException, faults.NoModel, faults.EPFail),
)
"""What onnxruntime raises; they share no base of their own."""

_SILENT = 4  # what is wrong is raised, and told by whoever catches it


def open_session(graph: bytes, order: Sequence[Any] = (CPU,)) -> onnxruntime.InferenceSession:
    """A session of a graph.

    Args:
        graph: The bytes of an ONNX file.
        order: The providers that it may run on, the first choice first.

    Raises:
        Exception: One of `FAULTS`: the graph does not load.
    """
    onnxruntime.set_default_logger_severity(_SILENT)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # photos run side by side instead, see bench.machine.workers
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    return onnxruntime.InferenceSession(graph, options, providers=list(order))
