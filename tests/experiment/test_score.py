"""Cloaks that other tools made stand scored beside ours: same users, same stages, same controls."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import bench
from bench.errors import PassingError, RefusedError
from bench.experiment.api import CellsFailed
from bench.machine.progress import Silent
from bench.photos.decode import decode
from bench.plan.resolve import open_dataset
from bench.plan.spec import RunSpec
from bench.plan.tool_cloaks import ToolCloaks
from bench.plan.tool_folders import OWN, USERS, write_photos
from bench.records.record import CellRecord
from bench.store.folders import folders
from bench.types import Album, Image

TOOLS = Path(__file__).parent / "outside_tools"
Score = Callable[..., dict[str, CellRecord]]


def darker(photos: list[Image]) -> list[Image]:
    return [np.where(photo > 5, photo - 5, 0).astype(np.uint8) for photo in photos]


@pytest.fixture(scope="module")
def drawn(small: RunSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos for tools: of two users, and of the people whom attackers cloak themselves."""
    folder = tmp_path_factory.mktemp("tools") / "drawn"
    _, data, parts = open_dataset(small, folders())
    assert write_photos(parts, data, folder, Silent()) == 2 * 4 + 5 * 4
    return folder


@pytest.fixture
def cloaked(drawn: Path, tmp_path: Path) -> Path:
    """The users' photos as `darker` releases them; a test may damage them."""
    for file in drawn.rglob("*.png"):
        out = tmp_path / "darker" / file.relative_to(drawn)
        out.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(darker([decode(file.read_bytes())])[0]).save(out)
    return tmp_path / "darker"


@pytest.fixture
def score(small: RunSpec, drawn: Path) -> Score:
    """Scores a folder; defense, and level where it is not oblivious -> its record."""

    def go(folder: Path, tool: str = "tool", **changes: Any) -> dict[str, CellRecord]:
        options: dict[str, Any] = {
            **{"dataset": small.dataset, "encoder": small.encoders, "photos": small.photos},
            **{"background": small.background, "device": "cpu", "tool_version": "1"},
        }
        records = bench.score(drawn / USERS, folder, tool=tool, **(options | changes))
        return {r.defense.name + ("" if r.level == "oblivious" else f" {r.level}"): r for r in records}

    return go


def by_tool(name: str, source: Path, target: Path) -> Path:
    subprocess.run([sys.executable, TOOLS / name, source, target], check=True, timeout=300)
    return target


def test_files_fare_as_the_function_that_made_them(score: Score, cloaked: Path) -> None:
    # the same pixels by two ways: whatever differs would be a second pipeline
    records = score(cloaked / USERS, defense=["none", darker])
    files, function = records["tool 1"], records["darker"]
    assert files.status == "ok"
    assert files.outcomes == function.outcomes == {"ok": 8}
    assert files.metrics == function.metrics
    assert files.controls == function.controls
    assert files.perceptual == function.perceptual
    assert files.perceptual["photo"]["linf"]["worst"] == 5
    assert files.dataset == function.dataset == records["none"].dataset
    report = files.defense.parameters["report"]
    assert {key: report[key] for key in ("photos", "paired", "missing", "identical")} == {
        **{"photos": 8, "paired": 8, "missing": 0, "identical": 0},
    }
    assert report["untouched"] == 0


def test_three_tools_beside_ours(score: Score, drawn: Path, tmp_path: Path) -> None:
    noise = by_tool("noise.py", drawn / USERS, tmp_path / "noise")
    pushed = by_tool("push_away.py", drawn / USERS, tmp_path / "pushed")
    rows = score(noise, "noise", surrogate="none", defense=["noise"])
    push = {
        name: score(pushed, "push", surrogate="synth-inc", encoder=name)["push 1"]
        for name in ("synth-ir", "synth-inc")
    }
    assert {row.knowledge for row in rows.values()} == {"none"}
    assert rows["noise 1"].perceptual["photo"]["linf"]["worst"] == 8
    assert rows["noise 1"].dataset == rows["noise"].dataset
    assert (
        rows["noise 1"].controls.keys() == rows["noise"].controls.keys() == {"clean", "noise", "permutation"}
    )
    assert push["synth-ir"].knowledge == "black-box"
    assert push["synth-inc"].knowledge == "white-box"
    assert {record.defense.parameters["report"]["renamed"] for record in push.values()} == {8}


def test_what_is_not_stated_is_no_stranger(score: Score, cloaked: Path) -> None:
    record = score(cloaked / USERS)["tool 1"]
    assert record.knowledge == "grey-box"
    assert [surrogate.name for surrogate in record.surrogate] == ["unstated"]


def test_every_photo_stays_in_the_denominator(score: Score, drawn: Path, cloaked: Path) -> None:
    one, two = sorted((cloaked / USERS).iterdir())
    (missing, resized, text, far), (same, jpeg, *_) = sorted(one.iterdir()), sorted(two.iterdir())
    missing.unlink()
    PIL.Image.open(resized).resize((40, 40)).save(resized)
    text.write_text("not a photo")
    PIL.Image.fromarray(255 - decode(far.read_bytes())).save(far)
    shutil.copy(drawn / USERS / two.name / same.name, same)
    PIL.Image.open(jpeg).save(jpeg.with_suffix(".jpg"), quality=95)
    jpeg.unlink()
    (two / "extra.png").write_bytes(b"")
    record = score(cloaked / USERS, budget="linf:64")["tool 1"]
    # three have nothing to publish, one is a negative; the copy and the JPEG are photos
    assert record.outcomes == {"cloak_failed": 3, "ok": 4, "out_of_budget": 1}
    assert record.metrics["cfr"].bounds is not None
    report = record.defense.parameters["report"]
    counts = {key: value for key, value in report.items() if key != "untouched"}
    assert counts == {
        **{"photos": 8, "paired": 7, "renamed": 0, "missing": 1, "extra": 1, "unreadable": 1},
        **{"resized": 1, "identical": 1, "reencoded": 1},
    }


def test_a_user_without_any_cloak_stays(score: Score, cloaked: Path) -> None:
    shutil.rmtree(min((cloaked / USERS).iterdir()))
    record = score(cloaked / USERS)["tool 1"]
    assert record.outcomes == {"cloak_failed": 4, "ok": 4}
    assert record.metrics["cfr"].n == 2


def test_the_digest_follows_the_content_and_nothing_else(score: Score, cloaked: Path, tmp_path: Path) -> None:
    first = score(cloaked / USERS)["tool 1"]
    moved = score(Path(shutil.move(cloaked / USERS, tmp_path / "elsewhere")))["tool 1"]
    assert moved.comparable() == first.comparable()
    assert str(tmp_path) not in first.model_dump_json()
    file = min((tmp_path / "elsewhere").rglob("*.png"))
    pixels = decode(file.read_bytes())
    pixels[0, 0, 0] ^= 1
    PIL.Image.fromarray(pixels).save(file)
    other = score(tmp_path / "elsewhere")["tool 1"]
    assert other.cell != first.cell
    assert other.defense.parameters["cloaks"] != first.defense.parameters["cloaks"]
    assert score(tmp_path / "elsewhere", tool_version="2")["tool 2"].cell != other.cell


def test_who_knows_the_tool_needs_its_cloaks_of_other_people(score: Score, cloaked: Path) -> None:
    with pytest.raises(RefusedError, match="with --own-cloaks"):
        score(cloaked / USERS, level="adaptive")
    with pytest.raises(CellsFailed) as caught:
        score(cloaked / USERS, level=["oblivious", "adaptive"])
    assert [record.status for record in caught.value.records] == ["ok", "failed"]
    rows = score(cloaked / USERS, level=["oblivious", "adaptive"], own_cloaks=cloaked / OWN, defense=darker)
    assert rows["tool 1 adaptive"].own_cloaks
    assert rows["tool 1 adaptive"].own_cloaks == rows["darker adaptive"].own_cloaks
    assert rows["tool 1 adaptive"].metrics == rows["darker adaptive"].metrics
    assert not rows["tool 1"].own_cloaks


def test_a_cloak_that_changes_during_a_run_ends_it(tmp_path: Path) -> None:
    path, photo = tmp_path / "a.png", np.zeros((4, 4, 3), np.uint8)
    PIL.Image.fromarray(photo).save(path)
    tool = ToolCloaks("tool", "1", "", files={"a": (path, "0" * 64), "b": None})
    given: Any = None
    with pytest.raises(PassingError, match="no longer the file"):
        tool.cloak([Album((photo,), (None,), ("a",))], given)
    assert tool.cloak([Album((photo,), (None,), ("b",))], given) == [[None]]
    assert tool.cloak([Album((), (), ())], given) == [[]]
