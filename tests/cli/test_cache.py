"""`bench cache`: what it prints, and what it says about mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.cli.sizes import in_units, read_size
from bench.errors import UserError
from bench.store.cache import Cache
from tests.cli.conftest import Command

KEY = "ab" * 32


@pytest.fixture
def home(tmp_path: Path) -> Path:
    cache = Cache(tmp_path / "home")
    cache.put_rows("face", {KEY: b"a face"})
    cache.put_file("cloak", KEY, bytes(60_000))
    cache.close()
    return tmp_path / "home"


def test_it_shows_what_is_stored(bench: Command, home: Path) -> None:
    done = bench("cache", BENCH_HOME=home)
    assert (done.status, done.err) == (0, "")
    assert "cloak" in done.out
    assert "60.0 KB" in done.out
    assert str(home / "cache") in done.out
    shown = json.loads(bench("cache", "show", "--json", BENCH_HOME=home).out)
    assert {stage: line["results"] for stage, line in shown["stages"].items()} == {"cloak": 1, "face": 1}


def test_it_verifies(bench: Command, home: Path) -> None:
    done = bench("cache", "verify", BENCH_HOME=home)
    assert (done.status, done.out, done.err) == (0, "whole: 2; damaged: 0\n", "")
    path = home / "cache" / "cloak" / "ab" / KEY
    path.write_bytes(path.read_bytes()[:100])
    done = bench("cache", "verify", BENCH_HOME=home)
    assert (done.status, done.out) == (1, f"damaged: cloak/{KEY}\nwhole: 1; damaged: 1\n")
    assert "computed again" in done.err
    assert json.loads(bench("cache", "verify", "--json", BENCH_HOME=home).out)["damaged"] == [["cloak", KEY]]


def test_it_prunes(bench: Command, home: Path) -> None:
    assert (
        "would go: 1 (60.0 KB); kept: 1 ("
        in bench("cache", "prune", "--limit", "50KB", "--dry-run", BENCH_HOME=home).out
    )
    done = bench("cache", "prune", "--limit", "50KB", "--json", BENCH_HOME=home)
    assert json.loads(done.out)["dropped"]["results"] == 1
    assert not (home / "cache" / "cloak" / "ab" / KEY).exists()


def test_it_exports(bench: Command, home: Path, tmp_path: Path) -> None:
    done = bench("cache", "export", "--to", tmp_path / "to", BENCH_HOME=home)
    assert f"BENCH_STORE={tmp_path / 'to'}" in done.out
    assert (tmp_path / "to" / "cloak" / "ab" / KEY).is_file()
    assert json.loads(bench("cache", "export", "--to", tmp_path / "to", "--json").out)["results"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prnue",), "no action 'prnue'. Did you mean 'prune'?"),
        (("prune",), "Type --unused-for DAYS, --limit SIZE or --records DIR."),
        (("prune", "--limit", "20"), "--limit '20' is no size. Type a number with KB, MB, GB or TB"),
        (("prune", "--limit", "-1GB"), "is no size"),
        (("prune", "--limit", "nanGB"), "is no size"),
        (("prune", "--unused-for", "-1"), "Input should be greater than or equal to 0"),
        (("prune", "--to", "x"), "--to is no option of bench cache prune; export has it."),
        (("show", "--records", "x"), "--records is no option of bench cache show; prune or export has it."),
        (("verify", "--dry-run"), "--dry-run is no option of bench cache verify; prune has it."),
        (("export",), "Type --to FOLDER or --to s3://BUCKET/FOLDER."),
        (("prune", "--records", "nowhere"), "no records at"),
        (("export", "--to", "smoke://x"), "is no store"),
    ],
)
def test_mistakes_are_one_line_and_drop_nothing(
    bench: Command, home: Path, words: tuple[str, ...], said: str
) -> None:
    assert said in bench("cache", *words, BENCH_HOME=home).one_line()
    assert bench("cache", "verify").out == "whole: 2; damaged: 0\n"


def test_a_store_that_is_not_there_is_one_line(bench: Command, tmp_path: Path) -> None:
    for words in (("show",), ("verify",), ("prune", "--limit", "1GB"), ("export", "--to", tmp_path / "to")):
        assert "no results are stored in" in bench("cache", *words, BENCH_HOME=tmp_path).one_line()


@pytest.mark.parametrize(
    ("text", "size"), [("1KB", 1000), ("1.5 gb", 1_500_000_000), (" 2 TB ", 2 * 10**12), ("0MB", 0)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert read_size("--limit", text) == size


@pytest.mark.parametrize("text", ["", "GB", "1e400GB", "one GB", "5 GiB", "5G"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="is no size"):
        read_size("--limit", text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (2_550_000, "2.5 MB"), (10**13, "10.0 TB")],
)
def test_sizes_are_printed(size: int, text: str) -> None:
    assert in_units(size) == text
