"""`bench export`: what it writes, and what it says about mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command

Plant = Callable[..., Path]


@pytest.fixture
def folder(plant: Plant) -> Path:
    return plant("run", {"found": [True, False]})


def test_it_names_the_files_that_it_wrote(bench: Command, folder: Path, tmp_path: Path) -> None:
    done = bench("export", folder, "--to", "huggingface", "--out", tmp_path / "out")
    assert (done.status, done.err) == (0, "")
    written = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert set(map(Path, done.out.splitlines())) == written
    assert tmp_path / "out" / "eval.yaml" in written


def test_an_unknown_format_is_one_line(bench: Command, folder: Path, tmp_path: Path) -> None:
    line = bench("export", folder, "--to", "bibtext", "--out", tmp_path / "out").one_line()
    assert "no format 'bibtext'. Did you mean 'bibtex'?" in line
    assert not (tmp_path / "out").exists()


def test_no_folder_to_write_into_is_one_line(bench: Command, folder: Path, tmp_path: Path) -> None:
    assert "Type --out bibtex." in bench("export", folder, "--to", "bibtex").one_line()
    (tmp_path / "file").write_text("kept")
    line = bench("export", folder, "--to", "bibtex", "--out", tmp_path / "file").one_line()
    assert "choose another --out" in line
    assert (tmp_path / "file").read_text() == "kept"


def test_records_that_are_not_there_are_one_line(bench: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    asked = ("export", tmp_path / "empty", "--to", "bibtex", "--out", tmp_path / "out")
    assert "no records at" in bench(*asked).one_line()
    (tmp_path / "empty" / "records.json").write_text('{"schema_version": 2, "cells": []}')
    assert "no record in" in bench(*asked).one_line()
    assert not (tmp_path / "out").exists()


def test_a_clock_that_is_none_is_one_line(bench: Command, folder: Path, tmp_path: Path) -> None:
    done = bench(
        "export", folder, "--to", "huggingface", "--out", tmp_path / "out", SOURCE_DATE_EPOCH="today"
    )
    assert "SOURCE_DATE_EPOCH is 'today'" in done.one_line()
