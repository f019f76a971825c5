"""What servers and wires do to a download, against a real server: resumed, refused, or said in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.errors import UserError
from bench.fetching import downloads
from bench.fetching.install import Wishes, fetch
from bench.machine.progress import Advance
from bench.store import lock
from bench.store.sources import Item
from bench.types import Folders

Offer = Callable[..., Item]


@pytest.fixture
def toy(folders: Folders) -> Path:
    """Where the toy goes."""
    return Path(folders.home) / "weights" / "toy.pt"


def part(toy: Path) -> Path:
    return toy.with_name("toy.pt.part")


def refused(folders: Folders, wishes: Wishes) -> str:
    with pytest.raises(UserError) as caught:
        fetch("toy", folders, wishes)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_a_file_comes_and_leaves_nothing_else(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path, make: Any
) -> None:
    offer("toy.pt", server.serve("/toy.pt", weights_file), sha256=make.digest(weights_file))
    assert fetch("toy", folders, wishes) == [toy]
    assert toy.read_bytes() == weights_file
    assert [p.name for p in toy.parent.iterdir()] == ["toy.pt"]
    # what is here is verified, and no byte is asked for
    assert fetch("toy", folders, wishes) == [toy]
    assert len(server.asked) == 1


@pytest.mark.parametrize("validator", [{"etag": '"v1"'}, {"modified": "Mon, 01 Jan 2024 00:00:00 GMT"}])
def test_cut_off_twice_and_resumed_each_time(
    server: Any,
    offer: Offer,
    weights_file: bytes,
    folders: Folders,
    wishes: Wishes,
    toy: Path,
    validator: Any,
) -> None:
    cuts = [1_000_000, 500_000]
    offer("toy.pt", server.serve("/toy.pt", weights_file, cuts=cuts, **validator))  # no digest is known
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    assert server.ranges() == ["", "bytes=1000000-", "bytes=1500000-"]
    assert {h["If-Range"] for _, h in server.asked[1:]} == set(validator.values())


def test_a_later_run_goes_on_where_the_last_one_stopped(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    url = server.serve("/toy.pt", weights_file, etag='"v1"', cuts=[2_000_000, 0, 0, 0])
    offer("toy.pt", url)
    said = refused(folders, wishes)
    assert f"{url}: it ended after 2000000 of 3000004 bytes" in said
    assert "first 2000000 bytes are kept" in said
    assert not toy.exists()
    server.asked.clear()
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    assert server.ranges() == ["bytes=2000000-"]


def test_a_part_that_is_already_whole(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    # as a kill between the last byte and the rename leaves it
    url = server.serve("/toy.pt", weights_file, etag='"v1"')
    offer("toy.pt", url)
    toy.parent.mkdir(parents=True)
    part(toy).write_bytes(weights_file)
    known = {"url": url, "validator": '"v1"', "total": len(weights_file)}
    part(toy).with_name("toy.pt.part.json").write_text(json.dumps(known))
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    assert server.ranges() == [f"bytes={len(weights_file)}-"]


def test_a_file_that_changed_in_between_starts_over(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    url = server.serve("/toy.pt", weights_file, etag='"v1"', cuts=[2_000_000, 0, 0, 0])
    offer("toy.pt", url)
    refused(folders, wishes)
    other = b"PK\x03\x04" + weights_file[::-1]
    server.serve("/toy.pt", other, etag='"v2"')
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == other


def test_without_a_validator_or_a_digest_nothing_is_pieced_together(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    offer("toy.pt", server.serve("/toy.pt", weights_file, cuts=[1_000_000]))
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    assert server.ranges() == ["", ""]


def test_with_a_digest_a_part_of_another_file_is_found_out(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path, make: Any
) -> None:
    # no validator: the parts are put together, do not fit, and the whole is fetched anew
    url = server.serve("/toy.pt", b"PK\x03\x04" + weights_file[::-1][4:], cuts=[1_000_000, 0, 0, 0])
    offer("toy.pt", url, sha256=make.digest(weights_file))
    refused(folders, wishes)
    server.asked.clear()
    server.serve("/toy.pt", weights_file)
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    assert server.ranges() == ["bytes=1000000-", ""]


def test_a_server_without_ranges_starts_over(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    offer("toy.pt", server.serve("/toy.pt", weights_file, etag='"v1"', ranges=False, cuts=[1_000_000]))
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    assert server.ranges() == ["", "bytes=1000000-"]


def test_always_cut_at_the_same_byte_ends_in_a_line(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    offer("toy.pt", server.serve("/toy.pt", weights_file, ranges=False, cuts=[1_000_000] * 9))
    assert "it ended after 1000000 of 3000004 bytes" in refused(folders, wishes)
    assert len(server.asked) == 4
    assert not toy.exists()


def test_a_body_shorter_than_it_should_be_without_a_length(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    url = server.serve("/toy.pt", weights_file, length=False, etag='"v1"', cuts=[1_000_000])
    offer("toy.pt", url, size=len(weights_file))
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    assert server.ranges() == ["", "bytes=1000000-"]


def test_corrupted_shows_both_digests_and_installs_nothing(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path, make: Any
) -> None:
    bad = weights_file[:-1] + b"?"
    offer("toy.pt", server.serve("/toy.pt", bad), sha256=make.digest(weights_file))
    said = refused(folders, wishes)
    assert f"its sha256 is {make.digest(bad)}, it should be {make.digest(weights_file)}" in said
    assert list(toy.parent.iterdir()) == []


def test_an_md5_is_checked_where_there_is_no_better(
    server: Any, offer: Offer, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    # md5 of nothing but "PK\x03\x04" is not that of the empty file
    url = server.serve("/toy.pt", b"PK\x03\x04")
    offer("toy.pt", url, md5="d41d8cd98f00b204e9800998ecf8427e")
    assert "it should be d41d8cd98f00b204e9800998ecf8427e" in refused(folders, wishes)
    # printf 'PK\003\004' | md5sum
    offer("toy.pt", url, md5="10893fd7cff66dca193f658ca9438d15")
    fetch("toy", folders, wishes)


@pytest.mark.parametrize(
    ("content_type", "start"),
    [
        ("text/html; charset=utf-8", b"PK\x03\x04 says the server, and calls it a page"),
        ("application/octet-stream", b"\n <!DOCTYPE html><title>Sign in</title>"),
        ("application/zip", b"\xef\xbb\xbf<HTML>"),
    ],
)
def test_a_web_page_instead_of_weights(
    server: Any, offer: Offer, folders: Folders, wishes: Wishes, toy: Path, content_type: str, start: bytes
) -> None:
    offer("toy.pt", server.serve("/toy.pt", start + b"x" * 10**5, content_type=content_type))
    assert "web page" in refused(folders, wishes)
    assert list(toy.parent.iterdir()) == []
    assert len(server.asked) == 1


def test_a_web_page_does_not_cost_what_is_here(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    offer("toy.pt", server.serve("/toy.pt", weights_file, etag='"v1"', cuts=[2_000_000, 0, 0, 0]))
    refused(folders, wishes)
    server.serve("/toy.pt", b"<html>please log in</html>", content_type="text/html")
    assert "web page" in refused(folders, wishes)
    assert part(toy).stat().st_size == 2_000_000


def test_rubbish_instead_of_weights(server: Any, offer: Offer, folders: Folders, wishes: Wishes) -> None:
    offer("toy.pt", server.serve("/toy.pt", b"rate limit exceeded, try again"))
    assert "does not begin as a .pt file" in refused(folders, wishes)


def test_mirrors_in_order(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path, make: Any
) -> None:
    urls = (
        f"{server.url}/gone.pt",
        server.serve("/page.pt", b"<html>", content_type="text/html"),
        server.serve("/bad.pt", b"PK\x03\x04" + b"?" * 3_000_000),
        server.serve("/good.pt", weights_file),
        server.serve("/never.pt", weights_file),
    )
    offer("toy.pt", *urls, sha256=make.digest(weights_file))
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    assert [path for path, _ in server.asked] == ["/gone.pt", "/page.pt", "/bad.pt", "/good.pt"]


def test_a_mirror_goes_on_with_what_another_began(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path, make: Any
) -> None:
    urls = (
        server.serve("/a.pt", weights_file, etag='"a"', cuts=[2_000_000, 0, 0, 0]),
        server.serve("/b.pt", weights_file, etag='"b"'),
    )
    offer("toy.pt", *urls, sha256=make.digest(weights_file))
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    assert server.asked[-1][0] == "/b.pt"
    assert server.ranges()[-1] == "bytes=2000000-"
    assert "If-Range" not in server.asked[-1][1]  # the other server's ETag means nothing to this one


def test_every_mirror_says_what_is_wrong(server: Any, offer: Offer, folders: Folders, wishes: Wishes) -> None:
    busy = server.serve("/busy.pt", b"", statuses=[503] * 9)
    offer("toy.pt", f"{server.url}/gone.pt", busy, "http://127.0.0.1:1/x.pt", "gopher://x")
    said = refused(folders, wishes)
    for part in ("/gone.pt: HTTP 404", "/busy.pt: HTTP 503", "x.pt: it cannot be reached", "gopher"):
        assert part in said
    assert "--from FILE" in said


def test_a_busy_server_is_asked_again(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    offer("toy.pt", server.serve("/toy.pt", weights_file, statuses=[503, 429]))
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file


def test_more_bytes_than_there_should_be(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, make: Any
) -> None:
    about: dict[str, Any] = {"sha256": make.digest(weights_file), "size": 1_000_000}
    offer("toy.pt", server.serve("/toy.pt", weights_file), **about)
    assert "3000004 bytes there instead of 1000000" in refused(folders, wishes)
    offer("toy.pt", server.serve("/toy.pt", weights_file, length=False), **about)
    assert "more than 1000000 bytes" in refused(folders, wishes)


def test_an_archive_that_a_server_calls_encoded_stays_an_archive(
    server: Any, offer: Offer, folders: Folders, wishes: Wishes, make: Any
) -> None:
    archive = make.tar(("toy/a.txt", b"a"))
    url = server.serve("/toy.tgz", archive, encoding="gzip")
    offer("toy.tgz", url, archive=True, sha256=make.digest(archive))
    [folder] = fetch("toy", folders, wishes)
    assert (folder / "a.txt").read_bytes() == b"a"


def test_pinned_at_first_use_and_verified_ever_after(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path, make: Any
) -> None:
    offer("toy.pt", server.serve("/toy.pt", weights_file))
    fetch("toy", folders, wishes)
    held = Path(folders.home) / lock.LOCK
    assert json.loads(held.read_text()) == {"toy.pt": make.digest(weights_file)}
    # altered here: said, and left alone
    toy.write_bytes(b"PK\x03\x04 altered")
    said = refused(folders, wishes)
    assert make.digest(weights_file) in said
    assert make.digest(b"PK\x03\x04 altered") in said
    assert toy.read_bytes() == b"PK\x03\x04 altered"
    # altered there: not installed
    toy.unlink()
    server.serve("/toy.pt", weights_file[::-1])
    server.pages["/toy.pt"].body = b"PK\x03\x04" + weights_file[::-1]
    said = refused(folders, wishes)
    assert f"it was {make.digest(weights_file)} when {held} pinned it" in said
    assert not toy.exists()


def test_pins_of_the_former_lock_still_count(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes
) -> None:
    home = Path(folders.home)
    home.mkdir()
    (home / lock.FORMER).write_text(json.dumps({"toy.pt": "0" * 64}))
    offer("toy.pt", server.serve("/toy.pt", weights_file))
    assert "0" * 64 in refused(folders, wishes)


def test_resumed_through_a_redirect(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, toy: Path
) -> None:
    # as GitHub and figshare answer: a 302 to a store, which is what knows the ETag
    store = server.serve("/store?signed=1", weights_file, etag='"v1"', cuts=[1_000_000])
    offer("toy.pt", server.serve("/toy.pt", b"", moved=store))
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    asked = [(path, headers.get("Range")) for path, headers in server.asked]
    assert asked[-2:] == [("/toy.pt", "bytes=1000000-"), ("/store?signed=1", "bytes=1000000-")]


def test_a_redirect_to_a_log_in_page(server: Any, offer: Offer, folders: Folders, wishes: Wishes) -> None:
    portal = server.serve("/login", b"<html>", content_type="text/html")
    offer("toy.pt", server.serve("/toy.pt", b"", moved=portal))
    assert "web page" in refused(folders, wishes)


def test_redirects_in_a_circle(server: Any, offer: Offer, folders: Folders, wishes: Wishes) -> None:
    url = server.serve("/toy.pt", b"", moved=f"{server.url}/toy.pt")
    offer("toy.pt", url)
    assert "redirects" in refused(folders, wishes)


def test_a_server_that_falls_silent(
    server: Any,
    offer: Offer,
    weights_file: bytes,
    folders: Folders,
    wishes: Wishes,
    toy: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "_TIMEOUT", (1.0, 0.1))
    silent = server.serve("/silent.pt", weights_file, trickle=2.0)
    offer("toy.pt", silent, server.serve("/toy.pt", weights_file))
    fetch("toy", folders, wishes)
    assert toy.read_bytes() == weights_file
    assert server.asked[-1][0] == "/toy.pt"


def test_progress_counts_megabytes(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes
) -> None:
    told: list[tuple[str, int]] = []
    counts: list[int] = []

    class Seen:
        @contextmanager
        def stage(self, name: str, total: int) -> Iterator[Advance]:
            told.append((name, total))

            def advance(count: int = 1) -> None:
                counts.append(count)

            yield advance

    offer("toy.pt", server.serve("/toy.pt", weights_file))
    fetch("toy", folders, replace(wishes, progress=Seen()))
    assert told == [("toy.pt, MB", 3)]
    assert sum(counts) == 3
