"""Standard streams that are closed, full or narrow: one line or silence, never a traceback, no work lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from injecting import verbs
from injecting.injection import assert_all_right

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash opens and closes the streams")

Shell = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def shell() -> Shell:
    """`bench …` in a shell that does something to its streams."""

    def go(streams: str, *arguments: str, **environment: str | None) -> subprocess.CompletedProcess[bytes]:
        variables = {**os.environ, **environment}
        command = [
            "bash",
            "-c",
            f'set -o pipefail; "$@" {streams}',
            "bash",
            sys.executable,
            "-m",
            "bench.cli",
            *arguments,
        ]
        kept = {name: value for name, value in variables.items() if value is not None}
        return subprocess.run(command, env=kept, capture_output=True, check=False, cwd=ROOT)

    return go


CLOSED = {
    "2>&-": 0,
    ">&-": 0,
    "<&-": 0,
    "<&- >&- 2>&-": 0,
    ">&- 2>&-": 0,
    "2>/dev/full": 0,
    ">/dev/full": 2,
    ">/dev/full 2>&-": 2,
    ">/dev/full 2>/dev/full": 2,
    "| true": 0,
    "| head -1": 0,
    "2>&1 | true": 0,
}
"""What is done to the streams -> the exit status of a command that goes well."""


@pytest.mark.parametrize("streams", CLOSED)
def test_a_board_and_what_its_streams_are(shell: Shell, streams: str) -> None:
    done = shell(streams, "board", "results/draws", "--format", "csv")
    assert done.returncode == CLOSED[streams]
    full = streams == ">/dev/full"
    said = b"bench: cannot write to standard output: No space left on device. What was computed is kept.\n"
    assert done.stderr == (said if full else b"")
    if ">" not in streams.replace("2>", "") and "|" not in streams:
        assert done.stdout.startswith(b"cell,")
        assert done.stdout.endswith(b"\n")


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", "2>&1 >/dev/full", "<&- >&- 2>&-"])
def test_a_mistake_has_its_status_whatever_the_streams_are(shell: Shell, streams: str) -> None:
    for arguments in (("board", "nowhere"), ("run", "--defense", "nois"), ("list", "trees")):
        done = shell(streams, *arguments)
        assert done.returncode == 2
        assert b"Traceback" not in done.stdout + done.stderr
        if streams.startswith("2>&1"):
            assert len(done.stdout.splitlines()) == 1


@pytest.mark.slow
def test_a_verb_loses_nothing_to_its_streams(tmp_path: Path) -> None:
    assert_all_right(verbs.STREAMS_OF_VERBS, 5, 3, tmp_path)


NAME = b"caf\xe9.txt"
"""A name as an old archive brings it: no UTF-8."""


@pytest.fixture
def odd_names(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for person in ("Ann", "Bob"):
        (folder / person).mkdir(parents=True)
        (folder / person / "1.jpg").write_bytes(person.encode())
    try:
        Path(os.fsdecode(bytes(folder / "Ann") + b"/" + NAME)).write_bytes(b"no photo")
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error}")
    return folder


LOCALES: dict[str, dict[str, str | None]] = {
    "UTF-8": {"PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"},
    "UTF-8, strict": {"PYTHONIOENCODING": "utf-8:strict"},
    "Latin 1": {"PYTHONIOENCODING": "latin-1:strict"},
    "ASCII": {"PYTHONIOENCODING": "ascii:strict"},
    "C": {"LC_ALL": "C", "PYTHONIOENCODING": None, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("locale", LOCALES)
def test_names_that_are_no_text(shell: Shell, odd_names: Path, locale: str) -> None:
    asked = ("manifest", "--left-out", "--dataset", f"folder:{odd_names}")
    done = shell("", *asked, **LOCALES[locale])
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Ann/" + NAME in done.stdout  # the very bytes, as `ls` gives them to a pipe
    done = shell("", *asked, "--json", **LOCALES[locale])
    assert (done.returncode, done.stderr) == (0, b"")
    why = "not a photo in any format that Pillow reads"
    odd = {"Ann/" + os.fsdecode(NAME): why}
    assert json.loads(done.stdout) == odd | {f"{who}/1.jpg": f"unreadable: {why}" for who in ("Ann", "Bob")}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("verb", ["list", "doctor", "schema", "board"])
def test_every_table_can_be_written_in_every_encoding(
    shell: Shell, verb: str, locale: str, tmp_path: Path
) -> None:
    home = os.fsdecode(bytes(tmp_path) + b"/hom\xe9")
    more = ("results/built-in",) if verb == "board" else ()
    done = shell("", verb, *more, BENCH_HOME=home, **LOCALES[locale])
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert done.stdout.endswith(b"\n")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_mistake_with_a_name_that_is_no_text(shell: Shell, odd_names: Path, locale: str) -> None:
    done = shell("", "board", os.fsdecode(bytes(odd_names) + b"/hom\xe9"), **LOCALES[locale])
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(b"bench: no records at ")
