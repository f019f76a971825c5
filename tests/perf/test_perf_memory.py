"""As many photos as LFW has, from files to embeddings, in a process of their own: seconds and memory."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from bench.datasets._synthetic.render import render

from bench.encoders.families import synth

PHOTOS = int(os.environ.get("BENCH_PERF_STREAMED", "13000"))
DRAWN, EACH = 240, 20
LIMIT = 2048
"""MiB."""

STREAM = """
import sys, time
from pathlib import Path
from bench import registry
from bench.store.cache import Cache
from bench.encoders import ready
from bench.photos.collection import clean_photos
from bench.recognition.observer import Observer
from bench.machine.progress import Silent
from bench.types import Folders

tree, home, encoder = sys.argv[1:]
where = Folders(home)
_, plugin = registry.make("datasets", f"folder:{tree}")
data = plugin.open(where)
photos = clean_photos(data, data.catalogue().photos)
observer = Observer.on("cpu", where, Cache(Path(home)), Silent())
began = time.perf_counter()
seen = observer.observe(photos, [ready(encoder, where)], "benchmark")
print(time.perf_counter() - began, len(set(photos.digests)), sum(face is not None for face in seen.faces))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn photos at LFW's size, each written many times with another comment: no two files are equal."""
    drawn = []
    for start in range(0, DRAWN, 40):
        people = range(start, min(start + 40, DRAWN, start + PHOTOS))
        for pixels in render(list(people), [0] * len(people))[0]:
            out = io.BytesIO()
            PIL.Image.fromarray(pixels).resize((250, 250)).save(out, "JPEG", quality=90)
            drawn.append(out.getvalue())
    root = tmp_path_factory.mktemp("tree")
    for at in range(PHOTOS):
        folder = root / f"{at // EACH:04d}"
        folder.mkdir(exist_ok=True)
        comment = f"{at:08d}".encode()
        file = drawn[at % len(drawn)]  # its first two bytes say that a JPEG starts
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        (folder / f"{at:05d}.jpg").write_bytes(file[:2] + segment + file[2:])
    return root


@pytest.mark.parametrize("encoder", [synth.cards()[0].name])
def test_stream_a_collection(
    benchmark: Any, peak_of: Callable[..., tuple[int, str]], tree: Path, tmp_path: Path, encoder: str
) -> None:
    benchmark.group = "files to embeddings, streamed"
    peak, said = benchmark.pedantic(peak_of, args=(STREAM, tree, tmp_path, encoder), rounds=1)
    seconds, different, faces = said.split()
    benchmark.extra_info.update(
        photos=PHOTOS, photos_per_second=PHOTOS / float(seconds), peak_mib=peak, faces=int(faces)
    )
    assert int(different) == PHOTOS
    assert int(faces) > 0.9 * PHOTOS
    assert peak < LIMIT
