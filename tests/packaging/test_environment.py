"""The set-up gives uv what pip would choose, and nothing of its own."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "environment.py"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The set-up script, asking this environment's pip."""
    spec = importlib.util.spec_from_file_location("environment", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PYTHON", sys.executable)
    return module


def empty_wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def test_uv_is_given_the_very_files_that_pip_would_take(
    environment: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the local build wins over the plain one of the same version; the cap keeps the newest out
    for version in ("2.12.0", "2.13.0", "2.13.0+cpu", "2.14.0"):
        empty_wheel(tmp_path, "torch", version)
    empty_wheel(tmp_path, "torchvision", "0.28.0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.chdir(SCRIPT.parents[1])
    chosen = [line.rpartition("/")[2] for line in environment.torch_that_pip_chooses()]
    assert chosen == ["torch-2.13.0%2Bcpu-py3-none-any.whl", "torchvision-0.28.0-py3-none-any.whl"]


def test_a_variable_beats_pips_files(
    environment: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured = tmp_path / "pip.conf"
    configured.write_text(
        "[global]\nfind-links = /from-file\nindex-url = https://all.example\n"
        "[install]\nindex-url = https://install.example\n[download]\nno-index = true\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configured))
    for name in ("PIP_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_FIND_LINKS", "/from-variable")
    settings = environment.pip_settings()
    assert settings["find-links"] == "/from-variable"
    assert settings["index-url"] == "https://install.example"
    assert "no-index" not in settings


def test_settings_in_uvs_words(environment: ModuleType, tmp_path: Path) -> None:
    settings = {
        "index-url": "https://mirror.example/simple",
        "extra-index-url": "https://a.example https://b.example",
        "find-links": f"{tmp_path} {tmp_path / 'missing'} https://wheels.example/list.html",
        "trusted-host": "mirror.example",
        "no-index": "false",
    }
    assert environment.uv_options(settings, {}) == [
        *("--index-url", "https://mirror.example/simple"),
        *("--extra-index-url", "https://a.example", "--extra-index-url", "https://b.example"),
        *("--index-strategy", "unsafe-best-match"),
        *("--find-links", str(tmp_path), "--find-links", "https://wheels.example/list.html"),
        *("--allow-insecure-host", "mirror.example"),
    ]


def test_uvs_own_variables_stay_in_charge(environment: ModuleType, tmp_path: Path) -> None:
    settings = {
        "index-url": "https://p.example",
        "extra-index-url": "https://q.example",
        "find-links": str(tmp_path),
    }
    own = {"UV_DEFAULT_INDEX": "https://u.example", "UV_INDEX": "https://v.example", "UV_FIND_LINKS": ""}
    assert environment.uv_options(settings, own) == []
