"""Photos as people have them: whatever a file is, the run goes on, and the record says what became of it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import pytest

from bench import registry
from bench.types import Folders

Command = Callable[..., Any]
PEOPLE, USERS = 6, 2
KINDS = 14
"""Photos of each person: 4 plain ones, and one of each kind below."""


def saved(photo: PIL.Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    photo.save(out, kind, **options)
    return out.getvalue()


def odd(photo: PIL.Image.Image, other: PIL.Image.Image, person: int) -> dict[str, bytes]:
    """One file of each kind, from a photo with one face; no other person has the same."""
    turned = PIL.Image.Exif()
    turned[0x0112] = 6  # to be turned by 90 degrees clockwise for show
    both = PIL.Image.new("RGB", (320, 160))
    both.paste(photo, (0, 0))
    both.paste(other, (160, 0))
    deep = np.asarray(photo.convert("L")).astype(np.uint16) * 257
    noise = np.random.Generator(np.random.Philox(person)).integers(0, 256, (90, 90, 3))
    return {
        "corrupt": bytes(range(person, 256)) * 8,
        "truncated": saved(photo)[:900],
        "empty": b"",
        "one pixel": saved(PIL.Image.new("RGB", (1, 1), (255, person, 0)), "PNG"),
        "no face": saved(PIL.Image.fromarray(noise.astype(np.uint8)), "PNG"),
        "two faces": saved(both, "PNG"),
        "cmyk": saved(photo.convert("CMYK"), quality=95),
        "palette": saved(photo.quantize(200), "PNG"),
        "16 bits": saved(PIL.Image.fromarray(deep), "PNG"),
        "turned": saved(photo.transpose(PIL.Image.Transpose.ROTATE_90), exif=turned, quality=95),
    }


@pytest.fixture
def tree(real_folder: Path) -> Path:
    """BENCH_REAL_DATA with lfw/: drawn people, each with the same kinds of files."""
    data = registry.make("datasets", f"synthetic:people={PEOPLE},hardness=0.2")[1].open(Folders(home=""))
    names = data.catalogue().photos
    for person in range(PEOPLE):
        own = [name for name in names if name.startswith(f"p{person:06d}/")][:6]
        drawn = [PIL.Image.fromarray(pixels) for pixels in data.read(own)]
        files = {f"plain {i}": saved(photo, quality=95) for i, photo in enumerate(drawn[:4])}
        files |= odd(drawn[4], drawn[5], person)
        assert len(files) == KINDS
        folder = real_folder / "lfw" / f"P{person}"
        folder.mkdir()
        for number, content in enumerate(files.values()):
            (folder / f"P{person}_{number:04d}.jpg").write_bytes(content)
    return real_folder


@pytest.fixture
def asked(encoder: str) -> tuple[str, ...]:
    base = ("run", "--attacker", "dbscan", "--dataset", "lfw", "--encoder", encoder, "--device", "cpu")
    return (*base, "--users", str(USERS), "--photos", str(KINDS))


def test_odd_files_are_outcomes(bench: Command, asked: tuple[str, ...], tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = bench(
        *asked, "--defense", "none", "--defense", "noise", "--json", "--out", out, BENCH_REAL_DATA=tree
    )
    assert done.status == 0, done.err
    assert "Traceback" not in done.err
    cells = json.loads(done.out)["cells"]
    assert [cell["status"] for cell in cells] == ["ok", "ok"]
    for cell in cells:
        assert sum(cell["outcomes"].values()) == USERS * KINDS
        assert cell["metrics"]["cfr"]["n"] == USERS
    none, noise = cells
    # three files of each user are no photos; a pixel and noise have no face, nor may a hard photo
    assert none["outcomes"]["unreadable"] == noise["outcomes"]["unreadable"] == 3 * USERS
    assert none["outcomes"]["not_detected"] >= 2 * USERS
    assert none["outcomes"]["ok"] >= 7 * USERS
    assert noise["outcomes"]["cloak_failed"] >= 2 * USERS  # nothing to protect: published as they are
    photos = pd.read_parquet(out / "photos.parquet")
    photos = photos[photos["cell"] == none["cell"]]
    assert (photos["faces"] == 2).sum() >= USERS  # two faces: one was chosen, and the table says so
    assert set(photos[photos["outcome"] == "unreadable"]["faces"]) == {0}


def test_a_cloak_meets_odd_files(bench: Command, asked: tuple[str, ...], tree: Path, encoder: str) -> None:
    done = bench(*asked, "--defense", "pgd:steps=2", "--surrogate", encoder, "--json", BENCH_REAL_DATA=tree)
    assert done.status == 0, done.err
    (cell,) = json.loads(done.out)["cells"]
    assert cell["status"] == "ok"
    assert cell["outcomes"]["unreadable"] == 3 * USERS
    assert cell["outcomes"]["ok"] >= 6 * USERS
    assert cell["outcomes"].get("out_of_budget", 0) == 0


def test_nothing_but_rubbish(bench: Command, asked: tuple[str, ...], tree: Path) -> None:
    for i, path in enumerate(sorted((tree / "lfw").rglob("*.jpg"))):
        path.write_bytes(b"rubbish %d" % i)
    said = bench(*asked, "--defense", "none", BENCH_REAL_DATA=tree).one_line()
    assert "calibrat" in said


def test_a_photo_replaced_is_another_photo(bench: Command, asked: tuple[str, ...], tree: Path) -> None:
    def cell() -> str:
        done = bench(*asked, "--defense", "none", "--json", BENCH_REAL_DATA=tree)
        assert done.status == 0, done.err
        digest: str = json.loads(done.out)["cells"][0]["cell"]
        return digest

    before = cell()
    assert cell() == before
    for folder in (tree / "lfw").iterdir():
        other = PIL.Image.open(folder / f"{folder.name}_0003.jpg")
        other.save(folder / f"{folder.name}_0000.jpg", quality=80)
    assert cell() != before
