"""Photo collections that a user brings, through the command line: runs, records, manifests and mistakes."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from bench import registry
from bench.types import Folders

Command = Callable[..., Any]
PEOPLE, EACH = 8, 4
PHOTOS = ("--users", "2", "--photos", str(EACH))
KINDS = (".jpg", ".png", ".webp", ".tif")


@pytest.fixture(scope="module")
def faces() -> list[list[PIL.Image.Image]]:
    """Drawn faces: person by person."""
    text = f"synthetic:people={PEOPLE},photos-each={EACH},hardness=0.2"
    data = registry.make("datasets", text)[1].open(Folders(home=""))
    pixels = [PIL.Image.fromarray(photo) for photo in data.read(data.catalogue().photos)]
    return [pixels[i : i + EACH] for i in range(0, len(pixels), EACH)]


@pytest.fixture
def own(tmp_path: Path, faces: list[list[PIL.Image.Image]]) -> Path:
    """A folder of one's own photos, in several formats, with some that are of no use."""
    root = tmp_path / "our photos, 2024"
    for number, photos in enumerate(faces):
        person = root / f"Zoë {number}" / "phone"
        person.mkdir(parents=True)
        for i, photo in enumerate(photos):
            photo.save(person / f"{i}{KINDS[i % len(KINDS)]}", quality=95)
    (root / ".DS_Store").write_bytes(b"x")
    (root / "Zoë 0" / "notes.txt").write_text("dear diary")
    shutil.copy(root / "Zoë 1" / "phone" / "1.png", root / "Zoë 1" / "again.png")
    return root


@pytest.fixture
def vggface2(tmp_path: Path, faces: list[list[PIL.Image.Image]]) -> Path:
    """BENCH_REAL_DATA with a small tree in VGGFace2's layout: a few boxes, a list with one file too many."""
    root = tmp_path / "lent" / "vggface2"
    names = []
    for number, photos in enumerate(faces):
        person = root / "test" / f"n{number:06d}"
        person.mkdir(parents=True)
        for i, photo in enumerate(photos):
            names.append(f"n{number:06d}/{i:04d}_01")
            photo.save(root / "test" / f"{names[-1]}.jpg", quality=95)
    (root / "bb_landmark").mkdir()
    boxes = [f'"{name}",-5,10,150,200' for name in names[::3]]  # partly outside the photos of 160 x 160
    (root / "bb_landmark" / "loose_bb_test.csv").write_text("\r\n".join(["NAME_ID,X,Y,W,H", *boxes]))
    (root / "test_list.txt").write_text("\n".join(f"{name}.jpg" for name in [*names, "n000001/0099_01"]))
    return root.parent


def run(bench: Command, encoder: str, dataset: str, *more: str | Path, **variables: Any) -> Any:
    base = ("run", "--defense", "none", "--attacker", "dbscan", "--encoder", encoder, "--device", "cpu")
    return bench(*base, "--dataset", dataset, *PHOTOS, *more, **variables)


def test_a_folder_of_ones_own(bench: Command, encoder: str, own: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = run(bench, encoder, f"folder:{own}", "--json", "--out", out)
    assert done.status == 0, done.err
    (cell,) = json.loads(done.out)["cells"]
    assert cell["status"] == "ok"
    assert cell["dataset"]["name"] == "folder"
    assert cell["dataset"]["parameters"] == {}
    assert len(cell["dataset"]["digest"]) == 64
    assert sum(cell["outcomes"].values()) == 2 * EACH
    assert "data set 'folder': 1 not used: the same file as another photo (such as Zoë 1/" in done.err
    assert "data set 'folder': 1 not used: not a photo" in done.err
    # nobody is named, and no path is told, in anything that is written
    written = b"".join(path.read_bytes() for path in out.iterdir()) + done.out.encode()
    for secret in ("Zoë", "our photos", str(tmp_path), "notes", ".webp"):
        assert secret.encode() not in written, secret


def test_vggface2(bench: Command, encoder: str, vggface2: Path, tmp_path: Path) -> None:
    done = run(bench, encoder, "vggface2", "--json", BENCH_REAL_DATA=vggface2)
    assert done.status == 0, done.err
    (cell,) = json.loads(done.out)["cells"]
    assert cell["dataset"]["parameters"] == {"part": "test"}
    assert sum(cell["outcomes"].values()) == 2 * EACH
    # the same photos elsewhere, under a name of one's own: the same cell
    shutil.copytree(vggface2 / "vggface2", tmp_path / "mine")
    again = run(bench, encoder, f"vggface2:root={tmp_path / 'mine'}", "--json", BENCH_REAL_DATA=None)
    assert again.status == 0, again.err
    assert json.loads(again.out)["cells"][0]["cell"] == cell["cell"]
    assert str(tmp_path) not in again.out


def test_a_variant_is_in_the_record(
    bench: Command, encoder: str, faces: list[list[PIL.Image.Image]], tmp_path: Path
) -> None:
    root = tmp_path / "home" / "data" / "lfw_home" / "lfw_funneled"
    for number, photos in enumerate(faces):
        (root / f"P{number}").mkdir(parents=True)
        for i, photo in enumerate(photos):
            photo.save(root / f"P{number}" / f"P{number}_{i:04d}.jpg", quality=95)
    home = {"BENCH_HOME": tmp_path / "home", "BENCH_REAL_DATA": None}
    cells = []
    for asked in ("lfw", "lfw:variant=funneled", "lfw:variant=lfw_funneled"):
        done = run(bench, encoder, asked, "--json", **home)
        assert done.status == 0, done.err
        cells.append(json.loads(done.out)["cells"][0])
    assert {cell["dataset"]["parameters"]["variant"] for cell in cells} == {"funneled"}
    assert len({cell["cell"] for cell in cells}) == 1
    said = run(bench, encoder, "lfw:variant=original", **home).one_line()
    assert "no variant 'original' of data set 'lfw'" in said
    assert "Did you mean 'funneled'?" in run(bench, encoder, "lfw:variant=funnelled", **home).one_line()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_manifest_is_what_a_run_uses(bench: Command, encoder: str, own: Path, tmp_path: Path) -> None:
    assert run(bench, encoder, f"folder:{own}", "--seed", "3", "--out", tmp_path / "out").status == 0
    asked = ("manifest", "--dataset", f"folder:{own}", *PHOTOS, "--seed", "3")
    done = bench(*asked)
    assert done.status == 0, done.err
    assert done.out == (tmp_path / "out" / "manifest.csv").read_text()
    rows = table(done.out)
    assert [row["part"] for row in rows].count("released") == 2 * EACH
    # the photos that the tables of the run speak of
    import pandas as pd

    photos = pd.read_parquet(tmp_path / "out" / "photos.parquet")
    released = {row["sha256"] for row in rows if row["part"] == "released"}
    assert set(photos["photo"]) == {digest[:16] for digest in released}
    as_json = json.loads(bench(*asked, "--json").out)
    assert as_json["photos"] == [{**row, "person": int(row["person"])} for row in rows]
    assert as_json["dataset"] == "folder"
    other = bench("manifest", "--dataset", f"folder:{own}", *PHOTOS, "--seed", "4").out
    assert other != done.out


def test_a_manifest_of_a_linked_run(bench: Command, own: Path) -> None:
    asked = ("--users", "2", "--photos", "3", "--labelled", "1", "--scenario", "linked")
    rows = table(bench("manifest", "--dataset", f"folder:{own}", *asked).out)
    assert [row["person"] for row in rows if row["part"] == "labelled"] == ["0", "1"]


def test_what_is_left_out_is_named_when_asked(bench: Command, own: Path) -> None:
    done = bench("manifest", "--dataset", f"folder:{own}", "--left-out")
    assert done.status == 0
    assert {row["file"] for row in table(done.out)} == {"Zoë 0/notes.txt", "Zoë 1/phone/1.png"}
    assert "notes.txt" in bench("manifest", "--dataset", f"folder:{own}", "--left-out", "--json").out


MISTAKES = {
    "folder": "needs to know which",
    "folder:nowhere at all": "there is no folder",
    "folder:{file}": "is a file",
    "folder:{empty}": "no photos",
    "folder:{flat}": "no photos",
    "folder:{single}": "0 people with 4 photos",
    "vggface2": "no photos of part 'test'",
    "vggface2:part=val": "no part of data set 'vggface2' 'val'",
    "vggface2:root={empty}": "no photos of part 'test'",
    "vggface2:root={file}": "is a file",
    "vggface2:size=3": "has no parameter 'size=3'; it has: part, root",
    "lfw:variant=blurred": "no variant of data set 'lfw' 'blurred'",
    "lfw:root={empty}": "no photos of data set 'lfw'",
    "folders:x": "no dataset 'folders'. Did you mean 'folder'?",
}


@pytest.mark.parametrize("dataset", MISTAKES)
@pytest.mark.parametrize("verb", ["run", "manifest"])
def test_mistakes(bench: Command, encoder: str, tmp_path: Path, dataset: str, verb: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for i in range(9):
        photo = PIL.Image.new("RGB", (9, 9), (i, 0, 0))
        (tmp_path / "single" / str(i)).mkdir(parents=True)
        photo.save(tmp_path / "single" / str(i) / "1.png")
        (tmp_path / "flat").mkdir(exist_ok=True)
        photo.save(tmp_path / "flat" / f"{i}.png")
    text = dataset.format(**{name: tmp_path / name for name in ("file", "empty", "flat", "single")})
    empty = {"BENCH_REAL_DATA": tmp_path / "empty"}
    if verb == "run":
        said = run(bench, encoder, text, **empty).one_line()
    else:
        said = bench("manifest", "--dataset", text, *PHOTOS, **empty).one_line()
    assert MISTAKES[dataset] in said


@pytest.mark.skipif(find_spec("pillow_heif") is None, reason="the extra 'heic' is not installed")
def test_heic_with_and_without_the_extra(
    bench: Command, encoder: str, own: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from bench.photos import heif

    assert heif.readable()
    for photo in own.rglob("phone/0.jpg"):
        with PIL.Image.open(photo) as face:
            face.save(photo.with_suffix(".heic"), quality=95)
        photo.unlink()
    asked = (bench, encoder, f"folder:{own}", "--json")
    (cell,) = json.loads(run(*asked).out)["cells"]
    assert cell["outcomes"]["ok"] >= 2 * EACH - 1
    assert "unreadable" not in {k for k, count in cell["outcomes"].items() if count}
    monkeypatch.setattr(heif, "readable", lambda: False)
    (cell,) = json.loads(run(*asked, BENCH_HOME=tmp_path / "new home").out)["cells"]
    assert cell["outcomes"]["unreadable"] == 2


def test_a_run_says_who_plays_which_part_and_that_none_cloaks_nothing(
    bench: Command, small: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.machine.progress.PATIENCE", 0.0)
    monkeypatch.setattr("bench.machine.progress._LOG_EVERY", 0.0)
    done = bench("run", "--defense", "none", "--attacker", "dbscan", *small, "--seed", "77")
    assert done.status == 0
    assert "bench: photos of data set 'synthetic': 8 of 2 users; " in done.err
    assert "publish photos as they are: 8/8" in done.err
    assert "cloak none" not in done.err
