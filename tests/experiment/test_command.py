"""A program in another environment is a defense: folder in, folder out, and its faults are outcomes."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.errors import PassingError, UserError
from bench.plan.command import FORMAT
from bench.plan.command_file import command_defense
from bench.protocols import Kit
from bench.records.record import CellRecord
from bench.types import Album, Budget, Image

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits are those of POSIX")
PATTERN = Path(__file__).parent / "outside_tools" / "pattern.py"
WORDS = ("{manifest}", "{input}", "{output}")
COPY = "import shutil, sys\nshutil.copytree(sys.argv[2], sys.argv[3], dirs_exist_ok=True)\n"
State = Callable[..., Path]


@pytest.fixture
def state(tmp_path: Path) -> State:
    """Writes the file of a command whose program is Python's source, without any package."""

    def go(source: str = COPY, **keys: Any) -> Path:
        (tmp_path / "cloak.py").write_text(source, "utf-8")
        stated: dict[str, Any] = {
            "command": [sys.executable, "-I", "-S", "{here}/cloak.py", *WORDS],
            "version": "1.0",
            "files": ["cloak.py"],
            **keys,
        }
        path = tmp_path / "tool.toml"
        lines = [f"{key} = {json.dumps(value)}" for key, value in stated.items() if value is not None]
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    return go


PHOTOS = tuple(np.full((6, 5 + i, 3), 40 * i, np.uint8) for i in range(3))


def cloaked(file: Path) -> list[list[Image | None]]:
    """What a command makes of three photos of two users, under L-infinity 8."""
    defense = command_defense(str(file)).plugin
    defense.check(Budget("linf", 8))
    albums = [Album(PHOTOS[:2], (None, None), ("a", "b")), Album(PHOTOS[2:], (None,), ("c",))]
    engine: Any = None
    answer: list[list[Image | None]] = defense.cloak(
        albums, Kit(Budget("linf", 8), 5, (), Album((), (), ()), engine, "cpu")
    )
    return answer


def delivered(answer: list[list[Image | None]]) -> list[list[bool]]:
    return [[photo is not None for photo in album] for album in answer]


def test_a_program_without_any_package_stands_beside_ours(
    one: Callable[..., CellRecord], state: State
) -> None:
    file = state(PATTERN.read_text("utf-8"), name="pattern")
    record = one(defenses=(f"command:{file}",), levels=("adaptive",))
    assert record.defense.name == "pattern 1.0"
    assert record.outcomes == {"ok": 8}
    assert record.knowledge == "none"
    assert record.perceptual["photo"]["linf"]["worst"] == 8
    assert record.own_cloaks
    assert record.controls.keys() == {"clean", "noise", "permutation"}
    assert str(file.parent) not in record.model_dump_json()
    again = one(defenses=(f"command:{file}",), levels=("adaptive",))
    assert again.cost.reused


def test_photos_come_back_in_their_places(state: State) -> None:
    for album, own in zip(cloaked(state()), (PHOTOS[:2], PHOTOS[2:]), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(album, own, strict=True) if a is not None)
        assert None not in [type(photo) for photo in album]


def test_the_manifest_says_what_is_asked(state: State, tmp_path: Path) -> None:
    cloaked(state(f"import shutil, sys\nshutil.copy(sys.argv[1], {str(tmp_path / 'seen.json')!r})\n"))
    seen = json.loads((tmp_path / "seen.json").read_text("utf-8"))
    assert seen["format"] == FORMAT
    assert (seen["budget"], seen["seed"]) == ({"kind": "linf", "value": 8.0}, 5)
    files = [[photo["file"] for photo in user["photos"]] for user in seen["users"]]
    assert files == [["0000/0000.png", "0000/0001.png"], ["0001/0000.png"]]
    assert [photo["digest"] for user in seen["users"] for photo in user["photos"]] == ["a", "b", "c"]


def test_surrogates_come_as_files(one: Callable[..., CellRecord], state: State, tmp_path: Path) -> None:
    source = f"{COPY}shutil.copy(sys.argv[1], {str(tmp_path / 'seen.json')!r})\n"
    record = one(defenses=(f"command:{state(source, surrogates=True)}",), surrogates=("synth-inc",), seed=3)
    (surrogate,) = json.loads((tmp_path / "seen.json").read_text("utf-8"))["surrogates"]
    assert Path(surrogate["file"]).is_file()
    assert (surrogate["name"], surrogate["sha256"]) == ("synth-inc", record.surrogate[0].digest)
    assert record.knowledge == "black-box"


FAULTS = {
    "crash": (COPY + "raise SystemExit('out of luck')\n", [[True, True], [True]]),
    "crash at once": ("raise SystemExit('out of luck')\n", [[False, False], [False]]),
    "missing": (COPY + "import os\nos.remove(sys.argv[3] + '/0000/0001.png')\n", [[True, False], [True]]),
    "no photo": (COPY + "open(sys.argv[3] + '/0001/0000.png', 'w').write('x')\n", [[True, True], [False]]),
    "resized": (
        COPY + "shutil.copy(sys.argv[2] + '/0000/0001.png', sys.argv[3] + '/0000/0000.png')\n",
        [[False, True], [True]],
    ),
    "link": (
        COPY + "import os\np = sys.argv[3] + '/0000/0000.png'\nos.remove(p)\n"
        "os.symlink(sys.argv[2] + '/0000/0000.png', p)\n",
        [[False, True], [True]],
    ),
    "pipe": (
        COPY + "import os\np = sys.argv[3] + '/0000/0000.png'\nos.remove(p)\nos.mkfifo(p)\n",
        [[False, True], [True]],
    ),
    "folder gone": ("import os, sys\nos.rmdir(sys.argv[3])\n", [[False, False], [False]]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_delivered_has_no_cloak(
    state: State, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    source, expected = FAULTS[fault]
    with caplog.at_level(logging.WARNING, "bench"):
        assert delivered(cloaked(state(source))) == expected
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("command tool 1.0 delivered ")
    kept = Path(line.rpartition("(")[2].removesuffix(" has what it said)"))
    if "crash" in fault:
        assert "its exit status is 1; it said last: out of luck" in line
        assert kept.read_text("utf-8") == "out of luck\n"


def test_a_program_that_hangs_is_an_outcome(state: State, caplog: pytest.LogCaptureFixture) -> None:
    file = state(COPY + "import time\ntime.sleep(600)\n", seconds=5.0)
    assert delivered(cloaked(file)) == [[True, True], [True]]
    assert "it was stopped: it took longer than 5 seconds" in caplog.text
    assert not list((Path(os.environ["BENCH_HOME"]) / "scratch").iterdir())


def test_a_cell_of_a_program_that_crashes_is_a_row(one: Callable[..., CellRecord], state: State) -> None:
    record = one(defenses=(f"command:{state('raise SystemExit(3)')}",))
    assert record.outcomes == {"cloak_failed": 8}
    assert record.metrics["cfr"].bounds is not None


def test_the_digest_is_of_all_that_is_stated(state: State, tmp_path: Path) -> None:
    def digest(**keys: Any) -> object:
        source = keys.pop("source", COPY)
        return command_defense(str(state(source, **keys))).parameters

    first = digest()
    others = [
        digest(source=COPY + "# more\n"),
        digest(version="1.1"),
        digest(name="other"),
        digest(command=[sys.executable, "{here}/cloak.py", *WORDS]),
        digest(surrogates=True),
        digest(budgets=["ssim"]),
        digest(seconds=10.0),
        digest(memory_mib=10),
        digest(output_mib=10),
        digest(processes=10),
    ]
    assert len({json.dumps(each, sort_keys=True) for each in [first, *others]}) == len(others) + 1
    assert digest() == first
    assert str(tmp_path) not in json.dumps(first)
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("tool.toml", "cloak.py"):
        (moved / name).write_bytes((tmp_path / name).read_bytes())
    assert command_defense(str(moved / "tool.toml")).parameters == first


def test_a_program_that_changes_during_a_run_ends_it(state: State, tmp_path: Path) -> None:
    defense = command_defense(str(state())).plugin
    (tmp_path / "cloak.py").write_text("pass\n", "utf-8")
    given: Any = None
    with pytest.raises(PassingError, match="was changed during the run"):
        defense.cloak([], given)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"version": None}, "'version' is missing. A command has at least"),
        ({"command": []}, "command = []"),
        ({"command": "run me"}, "command = 'run me'"),
        ({"command": ["no-such-program"]}, "there is no program 'no-such-program'"),
        ({"files": ["none.py"]}, "none.py, which a command names among its files"),
        ({"limits": 3}, "no key in"),
        ({"seconds": 0.0}, "seconds = 0.0"),
        ({"name": "<script>"}, "name '<script>': it takes"),
        ({"version": "a\nb"}, "version 'a\\nb': it takes"),
        ({"budgets": ["linf:8"]}, "no budget in"),
    ],
)
def test_a_wrong_file_is_one_line(state: State, keys: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        cloaked(state(**keys))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Write one: command = "):
        command_defense(str(tmp_path / "none.toml"))
    with pytest.raises(UserError, match=r"Type command:FILE\.toml"):
        command_defense("")
