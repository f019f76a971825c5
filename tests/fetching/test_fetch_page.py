"""The page on fetching against the sources: names, sizes, places; and its example runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bench.fetching import archives
from bench.store.sources import SOURCES, Item, Source

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "fetching.md").read_text("utf-8")


def rows() -> dict[str, list[str]]:
    """Name -> cells of its row."""
    lines = re.findall(r"^\| `([a-z0-9_-]+)` \|(.+)\|$", PAGE, re.M)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in lines}


def test_every_source_is_on_the_page_and_no_other() -> None:
    assert list(rows()) == list(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_the_page_says_what_the_source_says(name: str) -> None:
    _, size, place, digest = rows()[name]
    source, item = SOURCES[name], SOURCES[name].items[0]
    if source.size is None:
        assert size == "not known"
    else:
        assert size == f"{max(source.size / 1e6, 1):.0f} MB"
    assert place.strip("`") in (item.place, str(Path(item.place).parent))
    assert digest.startswith("known:") == bool(item.sha256)
    assert digest.startswith("MD5") == bool(item.md5)


def test_the_page_says_what_an_archive_may_become() -> None:
    limits = archives.LIMITS
    assert f"more than {limits.ratio} times their size, {limits.total // 2**30} GiB, or" in PAGE.replace(
        "\n", " "
    )
    assert f"{limits.members:,} members" in PAGE


def test_the_example_runs(server: Any, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.serve("/lfw.zip", make.zip({"Ann/Ann_0001.jpg": b"ann"}))
    item = Item("lfw.zip", "data/lfw_home/lfw_funneled", (url,), archive=True)
    monkeypatch.setitem(SOURCES, "lfw", Source("LFW", (item,), "none", "Nobody 2026"))
    monkeypatch.setenv("BENCH_HOME", str(tmp_path))
    [block] = re.findall(r"^```python\n(.*?)^```", PAGE, re.S | re.M)
    names: dict[str, Any] = {}
    exec(compile(block, "fetching.md", "exec"), names)
    assert (names["photos_of_lfw"]() / "Ann_0001.jpg").read_bytes() == b"ann"
