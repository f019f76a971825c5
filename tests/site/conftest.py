"""Sites that several tests look at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.board.loading import load
from bench.machine.progress import Silent
from bench.site.build import Site

RESULTS = Path(__file__).resolve().parents[2] / "results"


def site_of(*folders: Path) -> dict[str, bytes]:
    return Site(*load(folders, of_users=True, of_photos=True), Silent()).files()


@pytest.fixture(scope="session")
def demo() -> dict[str, bytes]:
    """The site of what `make demo` computes."""
    return site_of(RESULTS / "built-in")


@pytest.fixture(scope="session")
def real() -> dict[str, bytes]:
    """A site with several budgets, surrogates and knowledges."""
    return site_of(RESULTS / "lfw", RESULTS / "built-in")


@pytest.fixture(scope="session")
def build() -> Callable[..., dict[str, bytes]]:
    """What makes the files of a site of folders of records."""
    return site_of
