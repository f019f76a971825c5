"""`bench fetch` as a user types it, in a process of its own, beside a server on this machine."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAME, FILE = "facenet-casia", "20180408-102900-casia-webface.pt"
"""A name without a digest that is known in advance: any bytes may be served for it."""

Bench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    return os.environ | {"BENCH_HOME": str(home), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def bench(environment: dict[str, str]) -> Bench:
    def go(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bench.cli", "fetch", *words],
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return go


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """Of a command that the user got wrong."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


def test_the_list(bench: Bench) -> None:
    shown = bench()
    assert shown.returncode == 0
    assert shown.stderr == ""
    assert shown.stdout == bench("--list").stdout
    for part in ("lfw-deepfunneled", "buffalo_l", "289 MB", "not here", "non-commercial research only"):
        assert part in shown.stdout
    found = {row["name"]: row for row in json.loads(bench("--json").stdout)}
    assert found["lfw"]["bytes"] > 243_000_000
    assert found["buffalo_s"]["files"][0]["sha256"].startswith("d85a87f5")


def test_licence_then_bytes_then_the_place(
    bench: Bench, server: Any, home: Path, weights_file: bytes
) -> None:
    url = server.serve("/casia.pt", weights_file)
    done = bench(NAME, "--from", url, "--accept-licence")
    assert done.returncode == 0, done.stderr
    path = home / "weights" / FILE
    assert done.stdout == f"{path}\n"
    assert path.read_bytes() == weights_file
    for part in ("licence: repository under MIT", "cite: Schroff", "arXiv:1411.7923"):
        assert part in done.stderr
    # it is here: nothing is asked, shown or sent for
    again = bench(NAME, "--json")
    assert (again.returncode, again.stderr) == (0, "")
    assert json.loads(again.stdout) == {NAME: [str(path)]}
    assert len(server.asked) == 1
    path.write_bytes(b"PK\x03\x04")
    assert "is altered or damaged" in last_line(bench(NAME))


def test_without_a_terminal_the_licence_needs_a_flag(bench: Bench, server: Any, weights_file: bytes) -> None:
    done = bench(NAME, "--from", server.serve("/casia.pt", weights_file))
    assert "--accept-licence" in last_line(done)
    assert "licence: repository under MIT" in done.stderr
    assert server.asked == []


@pytest.mark.parametrize("answer", ["y", "n"])
def test_on_a_terminal_the_licence_is_asked_for(
    environment: dict[str, str], server: Any, weights_file: bytes, answer: str
) -> None:
    url = server.serve("/casia.pt", weights_file)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "bench.cli", "fetch", NAME, "--from", url]
    with subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        os.write(ours, f"{answer}\n".encode())
        _, said = running.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert "Fetch it under this licence? [y/N]" in said
    assert running.returncode == (0 if answer == "y" else 2)
    assert len(server.asked) == (1 if answer == "y" else 0)


def test_killed_and_resumed(
    bench: Bench, environment: dict[str, str], server: Any, home: Path, weights_file: bytes
) -> None:
    url = server.serve("/casia.pt", weights_file, etag='"v1"', trickle=0.05)
    part = home / "weights" / f"{FILE}.part"
    command = [sys.executable, "-m", "bench.cli", "fetch", NAME, "--from", url, "--accept-licence"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as running:
        deadline = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size > 500_000):
            assert time.monotonic() < deadline
            assert running.poll() is None, running.communicate()
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
    held = part.stat().st_size
    assert 500_000 < held < len(weights_file)
    assert not (home / "weights" / FILE).exists()
    server.pages["/casia.pt"].trickle = 0
    done = bench(NAME, "--from", url, "--accept-licence")
    assert done.returncode == 0, done.stderr
    assert server.ranges() == ["", f"bytes={held}-"]
    assert (home / "weights" / FILE).read_bytes() == weights_file


@pytest.mark.parametrize("how", ["--offline", "BENCH_OFFLINE"])
def test_offline(bench: Bench, home: Path, weights_file: bytes, tmp_path: Path, how: str) -> None:
    def offline(*words: str) -> subprocess.CompletedProcess[str]:
        return bench(*words, how) if how.startswith("--") else bench(*words, **{how: "1"})

    said = last_line(offline(NAME))
    assert f"not here: {FILE} (https://github.com/timesler/facenet-pytorch" in said
    (tmp_path / FILE).write_bytes(weights_file)
    assert offline(NAME, "--accept-licence", "--from", str(tmp_path)).returncode == 0
    assert offline(NAME).stdout == f"{home / 'weights' / FILE}\n"


def test_mistakes_are_one_line(bench: Bench, home: Path, tmp_path: Path) -> None:
    assert "Did you mean 'buffalo_l'" in last_line(bench("bufalo_l"))
    gone = last_line(bench("buffalo_l", "--accept-licence", "--from", str(tmp_path / "gone.zip")))
    assert "there is no such file" in gone
    (tmp_path / "buffalo_l.zip").write_bytes(b"<html>")
    page = last_line(bench("buffalo_l", "--accept-licence", "--from", str(tmp_path / "buffalo_l.zip")))
    assert "it is a web page" in page
    home.mkdir(exist_ok=True)
    (home / "bench.lock.json").write_text("{")
    (tmp_path / FILE).write_bytes(b"PK\x03\x04")
    damaged = last_line(bench(NAME, "--accept-licence", "--from", str(tmp_path)))
    assert "bench.lock.json is damaged" in damaged


def test_nothing_else_uses_the_network() -> None:
    # what can open a connection is not even imported until something is fetched
    code = (
        "import sys, bench.store.weights, bench.cli.fetching, bench.store.sources;"
        "print(*{'requests', 'urllib3', 'http.client', 'bench.fetching.downloads'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
