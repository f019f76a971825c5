"""The distribution holds everything, and lives beside the one that owns the name `datasets`.

Everything happens in copies: building in the checkout would leave files that a later wheel picks up.
Nothing here needs a network: dependencies are this environment's own, on the path of the new ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGIN_FOLDERS = ("defenses", "attackers", "datasets")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
PLUGINS = """
import sys, bench, datasets
from bench import registry
assert datasets.OWNER == "another distribution", datasets
for kind in ("defenses", "attackers", "datasets"):
    for name in registry.names(kind):
        print(kind, name, registry.load(kind, name).__name__ if "load" in sys.argv else "")
print("from", bench.__file__)
"""


def python(executable: Path | str, *arguments: str, cwd: Path) -> str:
    """Run Python there, with what is installed there; its standard output."""
    command = [str(executable), *arguments]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=variables, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def build_wheel(project: Path, into: Path) -> Path:
    into.mkdir(exist_ok=True)
    python(sys.executable, "-c", BUILD, str(into), cwd=project)
    [wheel] = into.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a wheel is made of."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for folder in ("bench", *PLUGIN_FOLDERS):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(source, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def other_datasets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a distribution that owns the import name `datasets`, as Hugging Face's does."""
    project = tmp_path_factory.mktemp("other")
    (project / "datasets").mkdir()
    (project / "datasets" / "__init__.py").write_text('OWNER = "another distribution"\n')
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "datasets"\nversion = "1"\n[tool.setuptools]\npackages = ["datasets"]\n'
    )
    return build_wheel(project, tmp_path_factory.mktemp("other-wheel"))


class Venv:
    """A new virtual environment with `datasets` of another distribution in it."""

    def __init__(self, folder: Path, other_datasets: Path) -> None:
        python(sys.executable, "-m", "venv", "--without-pip", str(folder), cwd=folder.parent)
        self.python = folder / "bin" / "python"
        self.bench = folder / "bin" / "bench"
        [self.packages] = (folder / "lib").glob("python*/site-packages")
        # a path named in a .pth file is searched, but its own .pth files are not read: no editable checkout
        (self.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        self.elsewhere = folder.parent / "elsewhere"
        self.elsewhere.mkdir()
        self.pip("install", "--no-deps", "--no-index", str(other_datasets))

    def pip(self, *arguments: str) -> None:
        quiet = ("--disable-pip-version-check", "--quiet")
        python(
            sys.executable, "-m", "pip", "--python", str(self.python), *quiet, *arguments, cwd=self.elsewhere
        )


@pytest.fixture
def venv(tmp_path: Path, other_datasets: Path) -> Venv:
    return Venv(tmp_path / "venv", other_datasets)


def plugins() -> set[str]:
    """`defenses advmask-universal`, … as the files of the checkout say it."""
    files = (p for folder in PLUGIN_FOLDERS for p in (ROOT / folder).glob("[!_]*.py"))
    return {f"{p.parent.name} {p.stem}" for p in files}


def test_the_wheel_holds_every_file_of_the_packages_and_no_other(source: Path, wheel: Path) -> None:
    expected = set()
    for folder in ("bench", *PLUGIN_FOLDERS):
        inside = "" if folder == "bench" else "bench/"
        files = (p for p in (source / folder).rglob("*") if p.is_file())
        expected |= {inside + p.relative_to(source).as_posix() for p in files}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert sorted(expected - held) == [], "not in the wheel: see packages and package-data in pyproject.toml"
    assert sorted(held - expected) == []
    assert "bench/types.py" in held


@pytest.mark.slow
def test_installed_beside_another_datasets_and_removed_again(venv: Venv, wheel: Path) -> None:
    venv.pip("install", "--no-deps", "--no-index", str(wheel))
    said = python(venv.python, "-c", PLUGINS, "load", cwd=venv.elsewhere).splitlines()
    assert said[-1] == f"from {venv.packages / 'bench' / '__init__.py'}"
    assert len(said) - 1 == len(plugins())
    assert "run" in python(venv.bench, "--help", cwd=venv.elsewhere)
    venv.pip("uninstall", "--yes", "cloakbench")
    owner = python(venv.python, "-c", "import datasets; print(datasets.OWNER)", cwd=venv.elsewhere)
    assert owner == "another distribution\n"
    assert not (venv.packages / "bench").exists()


@pytest.mark.slow
def test_editable_from_its_root_and_from_elsewhere(venv: Venv, source: Path) -> None:
    venv.pip("install", "--no-deps", "--no-index", "--no-build-isolation", "--editable", str(source))
    # from the root the folder `datasets` itself lies on the path
    for cwd, load in ((source, ["load"]), (venv.elsewhere, [])):
        said = python(venv.python, "-c", PLUGINS, *load, cwd=cwd).splitlines()
        assert said[-1] == f"from {source / 'bench' / '__init__.py'}"
        assert len(said) - 1 == len(plugins())


def test_the_real_hugging_face_datasets_where_it_is_installed() -> None:
    try:
        version("datasets")
    except PackageNotFoundError:
        pytest.skip("Hugging Face datasets is not installed here; a stand-in of the same name was tested")
    code = "import datasets; from bench import registry; registry.names('datasets'); print(datasets.Dataset)"
    assert "arrow_dataset" in python(sys.executable, "-c", code, cwd=ROOT)
