"""Photos of the people on whom encoders are trained, chosen and judged. No benchmark run draws them."""

from __future__ import annotations

import importlib
import json
import math
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bench.store.writing import write_whole

SIDE = 160

TRAINING_HARDNESS = (0.6, 0.7, 0.8, 0.9, 1.0)
"""The renderer's spread of nuisances, in turn over a person's photos. The benchmark uses the first."""

_CHUNK = 16


def population(name: str) -> range:
    """The identity numbers that are kept for one purpose, as the data set's own list has them.

    `train-ir`, `train-inc` and `train-vit` are for training, one each, so that one encoder against another is
    a true black box. `validation` is for every choice, and `test` for the figures on cards only.
    """
    numbers: range = importlib.import_module("bench.datasets._synthetic.populations").POPULATIONS[name]
    return numbers


def training_population(encoder: str) -> range:
    """The identity numbers that one encoder, such as `synth-ir`, is trained on."""
    return population("train-" + encoder.removeprefix("synth-"))


def renderer_revision() -> str:
    """The digest of the renderer. The figures on cards hold for photos of this revision."""
    return str(importlib.import_module("bench.datasets._synthetic.revision").renderer_revision())


@dataclass(frozen=True, slots=True)
class Photos:
    """Photos of `identities` people, person by person.

    Attributes:
        pixels: uint8 [photo, SIDE, SIDE, 3].
        landmarks: float32 [photo, 5, 2], the true landmarks in pixels.
        first: The identity number of the first person; the others follow without a gap.
        each: The photos of each person; photo i shows person first + i // each.
        hardness: The renderer's hardness, in turn over a person's photos.
    """

    pixels: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    first: int
    each: int
    hardness: tuple[float, ...]

    @property
    def people(self) -> npt.NDArray[np.int64]:
        """The person on each photo, int64 [photo]; 0 is the first person."""
        return np.arange(len(self.pixels), dtype=np.int64) // self.each

    @property
    def identities(self) -> tuple[int, int]:
        """The first and the last identity number."""
        return self.first, self.first + len(self.pixels) // self.each - 1


@dataclass(frozen=True, slots=True)
class Order:
    """What to draw: `identities` people from `first` on, with `each` photos of everybody."""

    first: int
    identities: int
    each: int
    hardness: tuple[float, ...] = TRAINING_HARDNESS[:1]


def draw(
    order: Order,
    folder: Path,
    *,
    device: str = "cpu",
    workers: int = 1,
    minutes: float | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Photos:
    """Draw a population with several processes, into files that are mapped and not held in memory.

    When time runs out, the people that are complete so far are the result. A folder in which the same order
    was completed before is read and not drawn again.

    Args:
        order: What to draw.
        folder: The folder of the files; new, or of an earlier call.
        device: The device on which the renderer draws.
        workers: The number of processes.
        minutes: The time after which no more people are drawn; None for never.
        report: Called with progress.

    Raises:
        RuntimeError: Not even the first people were complete in time.
    """
    total = order.identities * order.each
    folder.mkdir(parents=True, exist_ok=True)
    pixels_file, landmarks_file, whole = (folder / n for n in ("pixels.npy", "landmarks.npy", "whole.json"))
    ordered = json.dumps({**asdict(order), "renderer": renderer_revision(), "device": device})
    if whole.is_file() and whole.read_text(encoding="utf-8") == ordered:
        report(f"found {total} photos of {order.identities} people, drawn before")
        return _photos(order, folder, total)
    whole.unlink(missing_ok=True)
    np.lib.format.open_memmap(pixels_file, "w+", np.uint8, (total, SIDE, SIDE, 3)).flush()
    np.lib.format.open_memmap(landmarks_file, "w+", np.float32, (total, 5, 2)).flush()
    starts = range(0, order.identities, _CHUNK)
    done = 0
    if workers == 1:
        deadline = math.inf if minutes is None else time.monotonic() + minutes * 60
        for start in starts:
            if time.monotonic() > deadline:
                break
            done = _draw_people(order, start, folder, device)
    else:
        done = _in_processes(order, folder, device, workers, minutes, report)
    if done == 0:
        raise RuntimeError(f"no person was complete after {minutes} minutes of drawing")
    count = done * order.each
    report(f"drew {count} photos of {done} people")
    if count == total:
        write_whole(whole, ordered.encode())
    return _photos(order, folder, count)


def _photos(order: Order, folder: Path, count: int) -> Photos:
    pixels = np.load(folder / "pixels.npy", mmap_mode="r+")[:count]
    landmarks = np.load(folder / "landmarks.npy")[:count]
    return Photos(pixels, landmarks, order.first, order.each, order.hardness)


def _in_processes(
    order: Order,
    folder: Path,
    device: str,
    workers: int,
    minutes: float | None,
    report: Callable[[str], None],
) -> int:
    """Draw chunk after chunk. The result is the number of people before the first missing chunk."""
    began, done, reported = time.monotonic(), 0, 0.0
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        chunks: list[Future[int]] = [
            pool.submit(_draw_people, order, start, folder, device)
            for start in range(0, order.identities, _CHUNK)
        ]
        for chunk in chunks:
            left = None if minutes is None else max(0.0, minutes * 60 - (time.monotonic() - began))
            try:
                done = chunk.result(timeout=left)
            except TimeoutError:
                pool.shutdown(wait=False, cancel_futures=True)
                report(f"stopped drawing after {minutes} minutes")
                break
            elapsed = time.monotonic() - began
            if elapsed > reported + 15:
                reported = elapsed
                report(f"{done} of {order.identities} people drawn in {elapsed:.0f} s")
    return done


def _draw_people(order: Order, start: int, folder: Path, device: str) -> int:
    """Draw one chunk of people into the files. The result is the number of the first person after it."""
    render = importlib.import_module("bench.datasets._synthetic.render").render
    stop = min(start + _CHUNK, order.identities)
    people = np.repeat(np.arange(start, stop), order.each)
    numbers = np.tile(np.arange(order.each), stop - start)
    pixels = np.load(folder / "pixels.npy", mmap_mode="r+")
    landmarks = np.load(folder / "landmarks.npy", mmap_mode="r+")
    for turn, hardness in enumerate(order.hardness):
        mine = numbers % len(order.hardness) == turn
        where = (people * order.each + numbers)[mine]
        if len(where) == 0:
            continue
        drawn, points = render(
            (people[mine] + order.first).tolist(),
            numbers[mine].tolist(),
            hardness=hardness,
            device=device,
            batch=100,
        )
        pixels[where], landmarks[where] = drawn, points
    return stop
