"""Other people's programs are stopped at their limits, and nothing of them is left running."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from bench.machine.processes import Ended, Limits, run_limited

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits are those of POSIX")
USUAL = Limits(seconds=120, memory_mib=2000, output_mib=50, processes=40)

Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs Python's source as a program; its log is `log` in the test's folder."""

    def go(source: str, environment: Mapping[str, str] | None = None, **limits: float) -> Ended:
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        asked = Limits(**{**{name: getattr(USUAL, name) for name in Limits.__slots__}, **limits})
        return run_limited(
            [sys.executable, "-I", "-S", "-c", source],
            folder=folder,
            log=tmp_path / "log",
            environment=environment or {},
            limits=asked,
        )

    return go


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_program_ends_by_itself(run: Run, tmp_path: Path) -> None:
    ended = run(
        "import os, sys; print(sorted(os.environ)); print(os.getcwd()); sys.exit(7)", {"COLOUR": "red"}
    )
    assert ended == Ended(7, "")
    said = (tmp_path / "log").read_text()
    assert "COLOUR" in said
    assert "PYTHONPATH" not in said
    assert str(tmp_path / "work") in said


def test_a_crash_has_a_signal(run: Run) -> None:
    assert str(run("import os; os.kill(os.getpid(), 11)")) == "signal 11 ended it"


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    ended = run_limited(["/none"], folder=tmp_path, log=tmp_path / "log", environment={}, limits=USUAL)
    assert ended.status != 0
    assert "/none" not in str(ended)


def test_a_program_that_hangs_is_stopped_with_its_children(run: Run, tmp_path: Path) -> None:
    # the child leaves the session, as a daemon does
    source = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    open('child', 'w').write(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    ended = run(source, seconds=5)
    assert ended.stopped == "it took longer than 5 seconds"
    assert not alive(int((tmp_path / "work" / "child").read_text()))


def test_nothing_outlives_a_program_that_ended(run: Run, tmp_path: Path) -> None:
    source = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    open('half', 'w').write(str(os.getpid())); os.rename('half', 'child')\n"
        "    time.sleep(600)\n"
        "while not os.path.exists('child'): time.sleep(.01)\n"
    )
    assert run(source) == Ended(0, "")
    assert not alive(int((tmp_path / "work" / "child").read_text()))


def test_a_program_that_forks_is_stopped(run: Run, tmp_path: Path) -> None:
    source = (
        "import os, time\n"
        "for _ in range(60):\n"
        "    if os.fork() == 0:\n"
        "        open(f'child-{os.getpid()}', 'w')\n"
        "        time.sleep(600)\n"
        "time.sleep(600)\n"
    )
    assert run(source).stopped == "it had more than 40 processes"
    children = [int(path.name.removeprefix("child-")) for path in (tmp_path / "work").iterdir()]
    assert children
    assert not [child for child in children if alive(child)]


def test_a_disk_is_not_filled(run: Run, tmp_path: Path) -> None:
    many = "import time\nfor i in range(100): open(str(i), 'wb').write(bytes(2**20))\ntime.sleep(600)\n"
    assert run(many, output_mib=20).stopped == "it wrote more than 20 MiB"
    # one file: the system stops it, and the program sees an error or a signal
    one = "f = open('one', 'wb')\nfor _ in range(100): f.write(bytes(2**20)); f.flush()\n"
    ended = run(one, output_mib=5)
    assert ended.status != 0 or ended.stopped
    assert (tmp_path / "work" / "one").stat().st_size <= 5 * 2**20


def test_what_lay_in_the_folder_before_is_nobodys_output(run: Run, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "input").write_bytes(bytes(3 * 2**20))
    assert run("import time; time.sleep(1)", output_mib=2) == Ended(0, "")


def test_memory_is_not_filled(run: Run) -> None:
    source = "import time\nheld = b'x' * (600 * 2**20)\ntime.sleep(600)\n"
    assert run(source, memory_mib=300).stopped == "it took more than 300 MiB of memory"


def test_a_program_is_stopped_with_the_one_that_waits_for_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child, sleep, raised = tmp_path / "work" / "child", time.sleep, list[bool]()

    def interrupted(seconds: float) -> None:
        if child.exists() and not raised:
            raised.append(True)
            raise KeyboardInterrupt
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", interrupted)
    source = (
        "import os, time\n"
        "open('half', 'w').write(str(os.getpid())); os.rename('half', 'child')\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(KeyboardInterrupt):
        run(source)
    assert not alive(int(child.read_text()))
