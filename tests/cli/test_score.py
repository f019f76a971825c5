"""`bench score` and `bench manifest --write`: what they print, and one line for each mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

Command = Callable[..., Any]
STATED = ("--tool", "shade", "--tool-version", "1.0")


@pytest.fixture
def drawn(bench: Command, small: tuple[str, ...], tmp_path: Path) -> Path:
    """A folder with the photos of two users, and of people whom attackers cloak."""
    dataset = small[: small.index("--encoder")]
    users = small[small.index("--users") :]
    done = bench("manifest", *dataset, *users, "--write", tmp_path / "drawn")
    assert (done.status, done.out) == (0, f"28 photos in {tmp_path / 'drawn'}\n")
    return tmp_path / "drawn"


@pytest.fixture
def options(small: tuple[str, ...]) -> tuple[str, ...]:
    """The small run without a number of users: they are the people of a folder."""
    at = small.index("--users")
    return (*small[:at], *small[at + 2 :])


def shaded(source: Path, target: Path) -> Path:
    """A copy of each photo that is a little darker, as a tool makes it."""
    for file in source.rglob("*.png"):
        out = target / file.relative_to(source).with_suffix(".webp")
        out.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.open(file).point(lambda level: max(0, level - 3)).save(out, lossless=True)
    return target


def test_a_tool_stands_on_the_board_beside_ours(
    bench: Command, drawn: Path, options: tuple[str, ...], tmp_path: Path
) -> None:
    cloaks = shaded(drawn / "users", tmp_path / "cloaks")
    min(cloaks.rglob("*.webp")).unlink()
    command = ("score", "--original", drawn / "users", "--cloaked", cloaks, *STATED, *options)
    done = bench(*command, "--defense", "none", "--out", tmp_path / "out")
    assert done.status == 0, done.err
    rows = [line.split()[:2] for line in done.out.splitlines()]
    assert ["shade", "1.0"] in rows
    assert ["none", "1.000"] in rows
    assert (
        "cloaks of shade 1.0: photos without a cloak, which count as cloak_failed: 1 (such as p" in done.err
    )
    assert "cloaks of another format than the photo's: 7 (such as " in done.err
    again = bench(*command, "--json")
    (record,) = json.loads(again.out)["cells"]
    assert record["cost"]["reused"] is True
    assert record["outcomes"] == {"cloak_failed": 1, "ok": 7}
    assert str(tmp_path) not in again.out
    listed = bench("board", tmp_path / "out", "--format", "csv").out
    assert "shade 1.0" in listed


def test_photos_are_not_written_among_others(bench: Command, small: tuple[str, ...], drawn: Path) -> None:
    dataset, users = small[: small.index("--encoder")], small[small.index("--users") :]
    assert "is not empty" in bench("manifest", *dataset, *users, "--write", drawn).one_line()


@pytest.fixture
def refused(bench: Command, drawn: Path, options: tuple[str, ...], tmp_path: Path) -> Callable[..., str]:
    """The line of a command whose originals, cloaks or options are wrong."""
    shaded(drawn / "users", tmp_path / "cloaks")

    def go(
        *further: str, original: str = "drawn/users", cloaked: str = "cloaks", stated: Any = STATED
    ) -> str:
        folders = ("--original", tmp_path / original, "--cloaked", tmp_path / cloaked)
        line: str = bench("score", *folders, *stated, *further, *options).one_line()
        return line

    return go


def test_mistakes_of_names(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.png").write_bytes(b"")
    assert "there is no folder" in refused(original="none")
    assert "no photos of data set 'folder'" in refused(original="empty")
    assert "there is no folder" in refused(cloaked="none")
    assert "holds no files. Give cloaks the names" in refused(cloaked="empty")
    assert "has files such as 'x.png'. Give" in refused(cloaked="other")
    assert "cannot read" in refused("--pairs", str(tmp_path / "none.csv"))


def test_mistakes_of_statements(refused: Callable[..., str], tmp_path: Path) -> None:
    script = "<script>alert(1)</script>"
    assert "--tool '<script>" in refused(stated=("--tool", script, "--tool-version", "1"))
    assert "--tool-version 'a\\nb'" in refused(stated=("--tool", "x", "--tool-version", "a\nb"))
    assert "of one making" in refused("--surrogate", "synth-ir", "--surrogate", "synth-inc")
    assert "no encoder 'stranger'" in refused("--surrogate", "stranger")
    assert "with --own-cloaks" in refused("--level", "adaptive")
    assert "holds no cloak of a person" in refused("--own-cloaks", str(tmp_path / "cloaks"))


def test_users_with_too_few_photos(refused: Callable[..., str], drawn: Path) -> None:
    first, second = sorted((drawn / "users").iterdir())
    for file in [*sorted(first.iterdir())[1:], *sorted(second.iterdir())[2:]]:
        file.unlink()
    assert "nobody has more than 2. Ask for fewer --photos" in refused()


def test_a_data_set_has_to_be_named(bench: Command, tmp_path: Path) -> None:
    line = bench("score", "--original", tmp_path, "--cloaked", tmp_path, *STATED).one_line()
    assert "Name a data set, such as --dataset lfw" in line
