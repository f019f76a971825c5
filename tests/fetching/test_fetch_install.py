"""What is in place after a fetch, and what is not: atomic, verified, offline, in one line."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.encoders.families.facenet import FILES
from bench.errors import UserError
from bench.fetching import archives, downloads
from bench.fetching.install import MISSING, READY, Wishes, fetch, state
from bench.store import lock, weights
from bench.store.sources import SOURCES, Item, Source
from bench.types import Folders

Offer = Callable[..., Item]
TREE = {"Ann/Ann_0001.jpg": b"ann", "Bob/Bob_0001.jpg": b"bob"}


@pytest.fixture
def toy(server: Any, offer: Offer, folders: Folders, make: Any) -> Path:
    """An archive with a folder in it, offered; where it goes."""
    content = make.tar(*((f"toy_funneled/{name}", data) for name, data in TREE.items()))
    offer("toy.tgz", server.serve("/toy.tgz", content), archive=True, sha256=make.digest(content))
    return Path(folders.home) / "data" / "toy"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(folders: Folders, wishes: Wishes, name: str = "toy") -> str:
    with pytest.raises(UserError) as caught:
        fetch(name, folders, wishes)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_an_archive_becomes_its_folder(toy: Path, folders: Folders, wishes: Wishes, make: Any) -> None:
    assert fetch("toy", folders, wishes) == [toy]
    assert tree(toy) == TREE
    assert {p.name for p in toy.parent.iterdir()} == {"toy", "toy.sha256"}
    assert (toy.parent / "toy.sha256").read_text() == "".join(
        f"{make.digest(data)}  toy/{name}\n" for name, data in TREE.items()
    )
    assert lock.recorded("toy.sha256", folders) == weights.digest(toy.parent / "toy.sha256")
    assert toy.stat().st_mode & 0o777 == toy.parent.stat().st_mode & 0o777


def test_an_archive_without_a_folder_becomes_one(
    server: Any, offer: Offer, folders: Folders, wishes: Wishes, make: Any
) -> None:
    offer("toy.zip", server.serve("/toy.zip", make.zip({"a.onnx": b"a", "b.onnx": b"b"})), archive=True)
    [folder] = fetch("toy", folders, wishes)
    assert tree(folder) == {"a.onnx": b"a", "b.onnx": b"b"}


def test_a_folder_is_verified_when_asked_for_again(
    server: Any, toy: Path, folders: Folders, wishes: Wishes, make: Any
) -> None:
    fetch("toy", folders, wishes)
    (toy / "notes.txt").write_text("one's own files do not matter")
    fetch("toy", folders, wishes)
    assert len(server.asked) == 1
    (toy / "Bob" / "Bob_0001.jpg").write_bytes(b"altered")
    said = refused(folders, wishes)
    assert make.digest(b"altered") in said
    assert make.digest(b"bob") in said
    assert "1 of 2 files" in said
    (toy / "Bob" / "Bob_0001.jpg").unlink()
    assert "Bob_0001.jpg is missing" in refused(folders, wishes)
    assert (toy / "notes.txt").exists()  # nothing of the user's is deleted


def test_an_altered_manifest_verifies_nothing(toy: Path, folders: Folders, wishes: Wishes, make: Any) -> None:
    fetch("toy", folders, wishes)
    (toy / "Bob" / "Bob_0001.jpg").write_bytes(b"altered")
    listed = toy.parent / "toy.sha256"
    listed.write_text(listed.read_text().replace(make.digest(b"bob"), make.digest(b"altered")))
    assert "toy.sha256 is altered" in refused(folders, wishes)


def test_a_folder_of_the_users_is_left_alone(
    server: Any, toy: Path, folders: Folders, wishes: Wishes
) -> None:
    toy.mkdir(parents=True)
    (toy / "mine.jpg").write_bytes(b"mine")
    assert "not from 'bench fetch'" in refused(folders, wishes)
    assert tree(toy) == {"mine.jpg": b"mine"}
    assert server.asked == []


def test_an_unpacking_that_stops_leaves_nothing_half(
    toy: Path, folders: Folders, wishes: Wishes, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = archives.unpack

    def stopped(archive: Path, into: Path) -> dict[str, str]:
        real(archive, into)
        raise KeyboardInterrupt

    monkeypatch.setattr(archives, "unpack", stopped)
    with pytest.raises(KeyboardInterrupt):
        fetch("toy", folders, wishes)
    assert {p.name for p in toy.parent.iterdir()} == {"toy.tgz.part", "toy.tgz.part.json"}
    # one that was killed could not tidy up; the next does
    (toy.parent / ".toy.unpacking-abc").mkdir()
    (toy.parent / ".toy.unpacking-abc" / "half.jpg").touch()
    monkeypatch.setattr(archives, "unpack", real)
    fetch("toy", folders, wishes)
    assert {p.name for p in toy.parent.iterdir()} == {"toy", "toy.sha256"}


def test_an_archive_that_leads_out_is_not_installed(
    server: Any, offer: Offer, folders: Folders, wishes: Wishes, tmp_path: Path, make: Any
) -> None:
    offer("toy.tgz", server.serve("/toy.tgz", make.tar(("../../../evil", b"evil"))), archive=True)
    assert "leads out of the folder" in refused(folders, wishes)
    assert not (tmp_path / "evil").exists()
    assert list((Path(folders.home) / "data").iterdir()) == []
    assert lock.recorded("toy.tgz", folders) == ""  # what was not used is not pinned


@pytest.mark.parametrize("where", ["download", "unpack"])
def test_a_full_disk(
    toy: Path, folders: Folders, wishes: Wishes, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(toy))

    with monkeypatch.context() as patched:
        if where == "download":
            patched.setattr(downloads._Download, "_receive", full)
        else:
            patched.setattr(archives._Unpacked, "_fill", full)
        said = refused(folders, wishes)
    assert "No space left on device" in said
    assert "BENCH_HOME" in said
    assert not toy.exists()
    assert not list(toy.parent.glob(".toy*"))
    fetch("toy", folders, wishes)
    assert tree(toy) == TREE


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_fills_while_bytes_come(
    server: Any,
    offer: Offer,
    weights_file: bytes,
    folders: Folders,
    wishes: Wishes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offer("toy.pt", server.serve("/toy.pt", weights_file))
    part = Path(folders.home) / "weights" / "toy.pt.part"
    part.parent.mkdir(parents=True)

    def full(part: Path) -> None:
        part.unlink(missing_ok=True)
        part.symlink_to("/dev/full")

    monkeypatch.setattr(downloads, "drop", full)
    assert "No space left on device" in refused(folders, wishes)


@pytest.mark.parametrize("home", ["/proc/home", "file/home"])
def test_a_home_that_cannot_be_written(toy: Path, tmp_path: Path, wishes: Wishes, home: str) -> None:
    (tmp_path / "file").write_text("in the way")
    where = str(tmp_path / home)
    said = refused(Folders(home=where), wishes)
    assert where in said
    assert "BENCH_HOME" in said


def test_one_at_a_time(toy: Path, folders: Folders, wishes: Wishes) -> None:
    def again(name: str, source: Source) -> None:
        assert "another 'bench fetch' is at work" in refused(folders, Wishes(consent=lambda n, s: None))

    fetch("toy", folders, replace(wishes, consent=again))
    assert tree(toy) == TREE


def test_consent_comes_before_the_first_byte(server: Any, toy: Path, folders: Folders) -> None:
    def no(name: str, source: Source) -> None:
        assert (name, source.licence) == ("toy", "for playing only")
        raise UserError("no")

    assert refused(folders, Wishes(consent=no)) == "no"
    assert server.asked == []
    fetch("toy", folders, Wishes(consent=lambda name, source: None))
    fetch("toy", folders, Wishes(consent=no))  # it is here: nothing to agree to


def test_offline_says_what_to_bring(server: Any, toy: Path, folders: Folders, wishes: Wishes) -> None:
    offline = replace(wishes, offline=True)
    said = refused(folders, offline)
    assert f"not here: toy.tgz ({server.url}/toy.tgz, sha256 {SOURCES['toy'].items[0].sha256})." in said
    assert "--from" in said
    assert server.asked == []
    fetch("toy", folders, wishes)
    server.asked.clear()
    fetch("toy", folders, offline)  # what is here is enough
    assert server.asked == []


@pytest.mark.parametrize("origin", ["toy.tgz", "renamed", "."])
def test_brought_by_hand(
    server: Any, toy: Path, folders: Folders, wishes: Wishes, tmp_path: Path, origin: str
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    brought = stick / ("renamed" if origin == "renamed" else "toy.tgz")
    brought.write_bytes(server.pages["/toy.tgz"].body)
    fetch("toy", folders, replace(wishes, offline=True, origins=[str(stick / origin)]))
    assert tree(toy) == TREE
    assert brought.exists()
    assert server.asked == []


def test_offline_names_everything_that_is_missing(folders: Folders, wishes: Wishes) -> None:
    said = refused(folders, replace(wishes, offline=True), "lfw")
    for file in ("lfw-funneled.tgz (https://", "pairs.txt (https://", "pairsDevTest.txt (https://"):
        assert file in said


def test_a_file_brought_by_hand_is_copied(
    offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes, tmp_path: Path, make: Any
) -> None:
    offer("toy.pt", sha256=make.digest(weights_file))
    brought = tmp_path / "toy.pt"
    brought.write_bytes(b"PK\x03\x04 but another")
    hand = replace(wishes, offline=True, origins=[str(brought)])
    said = refused(folders, hand)
    assert make.digest(b"PK\x03\x04 but another") in said
    assert make.digest(weights_file) in said
    brought.write_bytes(weights_file)
    [path] = fetch("toy", folders, hand)
    assert path.read_bytes() == brought.read_bytes() == weights_file
    assert [p.name for p in path.parent.iterdir()] == ["toy.pt"]


def test_origins_that_will_not_do(toy: Path, folders: Folders, wishes: Wishes, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.tgz")
    assert f"--from {gone}: there is no such file" in refused(folders, replace(wishes, origins=[gone]))
    said = refused(folders, replace(wishes, origins=["http://127.0.0.1/"], offline=True))
    assert "--offline excludes --from http://127.0.0.1/" in said


@pytest.mark.parametrize("address", ["/mirror/", "/mirror/other-name"])
def test_ones_own_mirror_is_asked_alone(
    server: Any, toy: Path, folders: Folders, wishes: Wishes, address: str
) -> None:
    body = server.pages.pop("/toy.tgz").body
    path = address + ("toy.tgz" if address.endswith("/") else "")
    server.serve(path, body)
    fetch("toy", folders, replace(wishes, origins=[server.url + address]))
    assert [asked for asked, _ in server.asked] == [path]


def test_the_state_of_a_source(
    server: Any, offer: Offer, weights_file: bytes, folders: Folders, wishes: Wishes
) -> None:
    offer("toy.pt", server.serve("/toy.pt", weights_file, cuts=[2_000_000, 0, 0, 0], etag='"1"'))
    assert state(SOURCES["toy"], folders) == MISSING
    refused(folders, wishes)
    assert state(SOURCES["toy"], folders) == "begun, 2.0 MB here"
    fetch("toy", folders, wishes)
    assert state(SOURCES["toy"], folders) == READY


def test_unknown_names(folders: Folders, wishes: Wishes) -> None:
    assert "Did you mean 'buffalo_l'? 'bench fetch --list'" in refused(folders, wishes, "bufalo_l")
    assert "put mfn_espdl.onnx into" in refused(folders, wishes, "mfn_espdl")
    # not "did you mean 'facenet-vggface2'": a data set, to be brought by hand to where its loader looks
    assert str(Path(folders.home) / "data" / "vggface2") in refused(folders, wishes, "vggface2")


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_says_what_a_user_must_know(name: str) -> None:
    source = SOURCES[name]
    assert source.about
    assert source.licence
    assert source.citation[-4:].isdecimal()
    for item in source.items:
        assert item.urls[0].startswith(("https://", "http://vis-www.cs.umass.edu/"))
        assert item.place.startswith(("data/", "weights/"))
        assert not item.sha256 or len(bytes.fromhex(item.sha256)) == 32
        # without a secure address, only with a digest that is known
        assert item.sha256 or item.md5 or all(url.startswith("https://") for url in item.urls)


def test_encoders_are_looked_for_where_they_are_put(folders: Folders) -> None:
    for name, file in FILES.items():
        [item] = SOURCES[name].items
        assert Path(folders.home) / item.place in [place / file for place in weights.places(folders)]
