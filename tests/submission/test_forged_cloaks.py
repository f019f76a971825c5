"""Packs with cloaked photos and a list of photos: what somebody who cheats changes in them is named.

Whoever cheats also writes the digests of the changed files anew, so the list of files matches.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.experiment.cloaks import write_cloaks
from bench.experiment.files import write
from bench.experiment.session import execute
from bench.machine.progress import Silent
from bench.photos.decode import decode, encode_png
from bench.plan.spec import RunSpec
from bench.store.digests import array_digest
from bench.submission import archive
from bench.submission.names import SUBMISSION, cloak, cloak_file
from bench.submission.packing import pack

pytestmark = pytest.mark.slow

Wrong = Callable[..., set[tuple[str, str]]]
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory, bench_home: Path) -> bytes:
    """The pack of a small run, with its cloaks."""
    out = tmp_path_factory.mktemp("run")
    spec = RunSpec(
        dataset="synthetic:people=60,photos-each=6",
        users=2,
        photos=3,
        background=6,
        encoders=("synth-inc",),
        defenses=("noise",),
        attackers=("dbscan",),
        device="cpu",
    )
    result = execute(spec)
    write(result, out / "run")
    write_cloaks(result, out / "cloaks", Silent())
    return pack(out / "run", out / "cloaks", None, Silent())


@pytest.fixture
def forged(content: bytes, tmp_path: Path) -> Callable[[Callable[[Files], object]], Path]:
    """Changes the files of the pack, and what it says of them."""

    def forge(change: Callable[[Files], object]) -> Path:
        file = tmp_path / "pack.zip"
        file.write_bytes(content)
        files = archive.read_pack(file)
        change(files)
        stated: dict[str, Any] = json.loads(files[SUBMISSION])
        stated["files"] = {
            name: {"sha256": hashlib.sha256(held).hexdigest(), "size": len(held)}
            for name, held in files.items()
            if name != SUBMISSION
        }
        files[SUBMISSION] = json.dumps(stated).encode()
        file.write_bytes(archive.write_pack(files))
        return file

    return forge


def a_cloak(files: Files) -> str:
    return min(name for name in files if cloak(name) and "clean" not in name)


def weaker(files: Files) -> None:
    """A cloak that hides more: its file keeps the name of the one that was attacked."""
    name = a_cloak(files)
    files[name] = encode_png(255 - decode(files[name]))


def renamed(files: Files) -> None:
    """The same under the name of its own pixels: no released photo has it."""
    pixels = 255 - decode(files.pop(a_cloak(files)))
    files[cloak_file(array_digest(np.ascontiguousarray(pixels))[:16])] = encode_png(pixels)


def no_photo(files: Files) -> None:
    files[a_cloak(files)] = b"<script>alert(1)</script>"


def in_the_list(old: str, new: str) -> Callable[[Files], None]:
    def change(files: Files) -> None:
        listed = files["manifest.csv"].decode()
        assert old in listed
        files["manifest.csv"] = listed.replace(old, new, 1).encode()

    return change


def another_photo(files: Files) -> None:
    lines = files["manifest.csv"].decode().splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("released,"))
    lines[place] = f"{lines[place].rpartition(',')[0]},{'0' * 64}"
    files["manifest.csv"] = ("\n".join(lines) + "\n").encode()


FORGED: dict[str, tuple[Callable[[Files], object], set[tuple[str, str]]]] = {
    "nothing": (lambda files: None, set()),
    "the pixels of a cloak": (weaker, {("cloaks", "digest of pixels")}),
    "a cloak and its name": (renamed, {("cloaks", "released")}),
    "a cloak that is no photo": (no_photo, {("cloaks", "pixels")}),
    "a photo of a user": (another_photo, {("manifest", "photos of users")}),
    "a photo that plays another part": (
        in_the_list("released,", "background,"),
        {("manifest", "photos of users")},
    ),
    "a line of the list": (in_the_list("released,", "released,x"), {("manifest", "lines")}),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_photo_and_a_forged_list_are_named(
    name: str, forged: Callable[[Callable[[Files], object]], Path], wrong: Wrong
) -> None:
    change, expected = FORGED[name]
    found = wrong(forged(change))
    assert expected <= found
    assert bool(found) == bool(expected)
