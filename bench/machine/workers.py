"""Computing so that a result never depends on other photos: one process-wide pool of one-thread workers.

Embeddings and detections are computed one photo at a time. So a photo's neighbours, the size of the batch and
the number of threads cannot reach the bits of its result. The cores are filled by computing several photos at
once. In onnxruntime a batch of one costs little more per face than a larger one (InceptionResnetV1, one core:
16 ms against 14 in a batch of 8).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

_inside = threading.local()


def each(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """`[function(item) for item in items]`, several at once, with one torch thread in each.

    There are as many workers as torch has threads at the first call, so OMP_NUM_THREADS is obeyed. The first
    exception of any item is raised. A call from inside a worker runs in that worker.
    """
    if getattr(_inside, "worker", False):
        return [function(item) for item in items]
    return list(_pool().map(function, items))


def alone(function: Callable[[], Result]) -> Result:
    """What a function gives that runs with one torch thread, so that the number of threads cannot matter."""
    return each(lambda _: function(), [None])[0]


@contextmanager
def exact_gpu() -> Iterator[None]:
    """Full float32 and deterministic kernels, chosen by shape and not by trial. On a CPU nothing changes."""
    matmul = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = matmul


@cache
def _pool() -> ThreadPoolExecutor:
    workers = torch.get_num_threads()
    ready = threading.Barrier(workers + 1)

    def enter() -> None:
        _inside.worker = True
        torch.get_num_threads()  # torch sets a thread up when first asked, which would undo the next line
        torch.set_num_threads(1)
        ready.wait()

    pool = ThreadPoolExecutor(workers, "bench-worker", initializer=enter)
    for _ in range(workers):
        pool.submit(int)  # a worker starts with its first task; each waits until all have entered
    ready.wait()
    torch.set_num_threads(workers)  # threads that others start later find torch as it was
    return pool
