"""Photos are computed side by side, and nothing of a result says how many were."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bench.machine.workers import each

AT_ONCE = """
import sys, threading, torch
torch.set_num_threads(int(sys.argv[1]))  # torch itself takes no more threads than there are cores
from bench.machine.workers import each
meet = threading.Barrier(3)
print(each(lambda item: meet.wait(60) in range(3), range(3)))
"""
BITS = """
import hashlib, sys, torch
torch.set_num_threads(int(sys.argv[1]))
from bench import registry
from bench.encoders import load
from bench.faces.align import matrix, warp
from bench.faces.detect import Detector
from bench.types import Folders
folders = Folders(home=sys.argv[2])
photos = registry.make("datasets", "synthetic:people=6,photos-each=1")[1].open(folders)
names = photos.catalogue().photos
pixels = photos.read(names)
faces = Detector().detect(pixels)
assert sum(face is not None for face in faces) >= 5
encoder = load("synth-ir", folders, "cpu")
crop = encoder.card.crop
crops = torch.cat([
    warp(torch.from_numpy(p).permute(2, 0, 1)[None] / 255, matrix(f, crop)[None], crop.size)
    for p, f in zip(pixels, faces) if f is not None
])
digest = hashlib.sha256(repr(faces).encode() + encoder.embed(crops).numpy().tobytes())
print(torch.get_num_threads(), digest.hexdigest())
"""


def printed(script: str, threads: int, *arguments: str) -> str:
    """What a script prints in a process that has so many threads."""
    command = [sys.executable, "-c", script, str(threads), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def test_a_worker_computes_with_one_thread_and_leaves_the_caller_alone() -> None:
    before = torch.get_num_threads()
    assert each(lambda _: torch.get_num_threads(), range(8)) == [1] * 8
    assert torch.get_num_threads() == before


def test_results_come_in_order_and_a_call_inside_a_worker_runs_right_there() -> None:
    assert each(lambda i: i * i, range(50)) == [i * i for i in range(50)]
    assert each(lambda i: each(lambda k: k + i, [1, 2]), [10, 20]) == [[11, 12], [21, 22]]
    with pytest.raises(ZeroDivisionError):
        each(lambda i: 1 // i, [1, 0])


def test_three_threads_compute_three_items_at_once() -> None:
    # a worker that waited for another's end would never meet the other two
    assert printed(AT_ONCE, 3).strip() == "[True, True, True]"


def test_the_number_of_threads_is_in_no_bit(tmp_path: Path) -> None:
    (one, digest), (three, other) = (printed(BITS, n, str(tmp_path)).split() for n in (1, 3))
    assert (one, three) == ("1", "3")
    assert digest == other
