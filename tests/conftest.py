"""What every test may rely on: a BENCH_HOME of its own, and the real photos where there are any."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def bench_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """BENCH_HOME of this test session, also for child processes: no test touches the user's cache."""
    home = tmp_path_factory.mktemp("bench-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_HOME", str(home))
        yield home


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real photos and encoders; mark its tests `@pytest.mark.real`."""
    asked = os.environ.get("BENCH_REAL_DATA")
    if not asked:
        pytest.skip("BENCH_REAL_DATA is not set: no real photos, no real encoders")
    folder = Path(asked)
    if not folder.is_dir():
        pytest.fail(f"BENCH_REAL_DATA is {asked!r}, which is not a folder", pytrace=False)
    return folder.resolve()


@pytest.fixture(scope="session", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Child processes share compiled modules, also where nothing compiled is kept: loading torch halves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.getbasetemp() / "compiled"))
        yield
