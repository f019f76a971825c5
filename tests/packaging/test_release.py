"""What a release says of itself: pinned versions that fit, a container file that names what there is."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PINNED = sorted((ROOT / ".ci" / "constraints").glob("python*.txt"))
CONTAINER = ROOT / ".ci" / "container" / "Containerfile"


@pytest.fixture(scope="module")
def release() -> Any:
    """The script."""
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["release"] = module
    spec.loader.exec_module(module)
    return module


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("path", PINNED, ids=lambda path: path.stem)
def test_pinned_versions_are_exact_and_fit_what_is_asked_for(path: Path, release: Any) -> None:
    pins = [Requirement(line) for line in path.read_text("utf-8").splitlines()]
    versions = {canonical(pin.name): next(iter(pin.specifier)) for pin in pins}
    assert len(versions) == len(pins)
    assert all(pin.operator == "==" and not Version(pin.version).local for pin in versions.values())
    extras = PROJECT["optional-dependencies"]
    for line in (*PROJECT["dependencies"], *(line for name in release.EXTRAS for line in extras[name])):
        asked = Requirement(line)
        assert asked.specifier.contains(versions[canonical(asked.name)].version), line


def test_there_is_a_pinned_set() -> None:
    assert PINNED


def test_what_pip_freezes_becomes_pins(release: Any) -> None:
    frozen = "\n".join(
        [
            "numpy==2.3.1",
            "cloakbench @ file:///somewhere/cloakbench-0.2.0-py3-none-any.whl",
            "torch @ file:///somewhere/torch-2.13.0%2Bcpu-cp311-cp311-linux_x86_64.whl#sha256=0",
            "torchvision==0.28.0+cpu",
            "ml_dtypes @ https://example.org/ml_dtypes-0.5.1-cp311.whl",
            "# a remark",
        ]
    )
    assert release.pins(frozen) == [
        *("ml_dtypes==0.5.1", "numpy==2.3.1", "torch==2.13.0", "torchvision==0.28.0")
    ]


def test_two_wheels_are_the_same_if_their_files_are(release: Any, tmp_path: Path) -> None:
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("bench/x.py", content)
            archive.writestr("x.dist-info/RECORD", name)
    one, same, other = (release.members(tmp_path / name) for name in "abc")
    assert one == same != other


def test_a_command_that_fails_is_told_with_what_it_said(release: Any, tmp_path: Path) -> None:
    with pytest.raises(release.FailedError, match=r"exit 3: no such thing"):
        release.call(sys.executable, "-c", "import sys; sys.exit(sys.stderr.write('no such thing') and 3)",
                     here=tmp_path)  # fmt: skip


def test_the_container_file_names_extras_and_files_that_exist() -> None:
    text = CONTAINER.read_text("utf-8")
    [extras] = re.findall(r'^ARG EXTRAS="(.*)"$', text, re.MULTILINE)
    assert set(extras.split()) <= PROJECT["optional-dependencies"].keys()
    for name in re.findall(r"\.ci/[\w./-]+", text):
        assert (ROOT / name).exists(), name
    left_out = CONTAINER.with_name("Containerfile.dockerignore").read_text("utf-8").split()
    kept = {"bench", "defenses", "attackers", "datasets", "pyproject.toml", "README.md", "LICENSE", ".ci"}
    assert not kept & set(left_out)


def test_users_extras_are_all_but_those_of_developers(release: Any) -> None:
    assert {*release.EXTRAS, "dev", "docs", "perf", "release"} == PROJECT["optional-dependencies"].keys()
