"""Paths that a newcomer types: `~`, endings of pictures, and folders that hold another run."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.board import preview
from bench.cli.options import _expanded
from bench.errors import UserError
from bench.experiment import files
from bench.plan.kinds import Place
from bench.records.files import read
from bench.store.folders import folders
from bench.verification import records as verification

ROOT = Path(__file__).resolve().parents[2]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_a_path_at_home_is_there_at_every_door(rest: str) -> None:
    home = Path.home()
    if rest.strip() and not rest.startswith("/"):
        assert Place().read(f"~/{rest}") == home / rest
        assert Path(_expanded(f"--out=~/{rest}").partition("=")[2]) == home / rest
        assert Path(_expanded(f"~/{rest}")) == home / rest
    for other in (f"./~/{rest}", f"a~/{rest}", f"--out=a/~/{rest}", f"--defense={rest}"):
        assert _expanded(other) == other


def test_both_folders_of_the_environment_may_be_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    for name, value in (("HOME", str(tmp_path)), ("BENCH_HOME", "~/x"), ("BENCH_REAL_DATA", "~/real")):
        monkeypatch.setenv(name, value)
    assert (folders().home, folders().real_data) == (str(tmp_path / "x"), str(tmp_path / "real"))


@pytest.mark.parametrize("ending", ["", ".png", ".jpg", ".JPG", ".jpeg", ".webp"])
def test_a_preview_is_what_its_name_says(tmp_path: Path, ending: str) -> None:
    import numpy as np

    photo = np.zeros((40, 40, 3), np.uint8)
    path = tmp_path / f"x{ending}"
    preview.draw(path, [("noise", photo, photo + 1)])
    said = {"": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}.get(ending.lower(), ending[1:].upper())
    assert PIL.Image.open(path).format == said


@pytest.mark.parametrize("ending", [".gif", ".pdf", ".txt", ".jpgx"])
def test_a_preview_of_another_ending_is_refused(tmp_path: Path, ending: str) -> None:
    with pytest.raises(UserError, match=rf"no picture is drawn as \{ending}\. Choose \.png, \.jpg"):
        preview.form(tmp_path / f"x{ending}")


def test_records_of_another_run_are_not_replaced(tmp_path: Path) -> None:
    cells = json.loads((ROOT / "results" / "built-in" / "records.json").read_text("utf-8"))
    (tmp_path / "records.json").write_text(json.dumps(cells | {"cells": cells["cells"][:3]}), "utf-8")
    before = (tmp_path / "records.json").read_bytes()
    digests = [record.cell for record in read(tmp_path)]
    refuse = files.spare(tmp_path)
    refuse(digests)  # the same run again
    refuse([*digests, "more"])  # and with a further attacker
    for others, lost in ((digests[:2], 1), ([], 3), (["another"], 3)):
        with pytest.raises(UserError, match=rf"holds the records of {lost} other cells"):
            refuse(others)
    assert (tmp_path / "records.json").read_bytes() == before
    files.spare(tmp_path / "new")(digests)


def test_packed_records_of_a_folder_are_not_joined_by_others(tmp_path: Path) -> None:
    (tmp_path / "records.json.xz").write_bytes(b"")
    with pytest.raises(UserError, match="packed"):
        files.spare(tmp_path)([])


def test_verifications_of_other_encoders_are_not_replaced(tmp_path: Path) -> None:
    records = verification.read(ROOT / "results" / "encoders")
    verification.write(records[:2], "", tmp_path)
    verification.write(records[:3], "", tmp_path)
    with pytest.raises(UserError, match=f"holds the verification of {records[2].encoder.name}"):
        verification.write(records[:2], "", tmp_path)
    assert len(verification.read(tmp_path)) == 3
