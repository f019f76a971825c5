"""Archives that somebody made in order to harm: nothing outside the folder, no links, no bombs."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bench.fetching.archives import ArchiveError, Limits, unpack

OUTSIDE = ["../evil", "a/../../evil", "/tmp/evil", "a/./../../evil", "..\\evil", "C:/evil", "a/b:c"]
SMALL = Limits(members=10, total=10**6, ratio=20, floor=10**5)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "deep" / "into"
    folder.mkdir(parents=True)
    return folder


def archive(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(content)
    return path


def everything(tmp_path: Path) -> set[str]:
    """Files anywhere around, but for the archive itself."""
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if not p.is_dir() or p.is_symlink()}
    return found - {"archive"}


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_files_come_out_as_they_went_in(tmp_path: Path, into: Path, make: Any, kind: str) -> None:
    files = {"toy/a.txt": b"a", "toy/deep/b.txt": b"bb" * 10**6, "c": b""}
    content = make.zip(files) if kind == "zip" else make.tar(*files.items())
    digests = unpack(archive(tmp_path, content), into)
    assert digests == {name: make.digest(data) for name, data in files.items()}
    for name, data in files.items():
        assert (into / name).read_bytes() == data
        assert not (into / name).stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_member_leads_out(tmp_path: Path, into: Path, make: Any, name: str) -> None:
    for content in (make.zip({name: b"evil"}), make.tar((name, b"evil"))):
        with pytest.raises(ArchiveError, match="leads out of the folder"):
            unpack(archive(tmp_path, content), into)
    assert everything(tmp_path) == set()


@pytest.mark.parametrize("name", ["a\nb", "x" * 300, "\x1b[2Ja"])
def test_no_member_has_a_name_that_no_file_should_have(
    tmp_path: Path, into: Path, make: Any, name: str
) -> None:
    with pytest.raises(ArchiveError, match="a name that no file should have"):
        unpack(archive(tmp_path, make.tar((name, b"evil"))), into)
    assert everything(tmp_path) == set()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside", "inside"])
def test_no_links_and_no_devices(tmp_path: Path, into: Path, make: Any, kind: bytes, target: str) -> None:
    link = tarfile.TarInfo("link")
    link.type, link.linkname = kind, target
    # what would follow the link, had it been made
    content = make.tar(("inside", b""), (link, b""), ("link/evil", b"evil"))
    with pytest.raises(ArchiveError, match="'link' is a link or a device"):
        unpack(archive(tmp_path, content), into)
    assert everything(tmp_path) <= {"deep/into/inside"}


def test_no_link_in_a_zip(tmp_path: Path, into: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as opened:
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(ArchiveError, match="'link' is a link or a device"):
        unpack(archive(tmp_path, out.getvalue()), into)
    assert everything(tmp_path) == set()


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_bomb_of_bytes(tmp_path: Path, into: Path, make: Any, kind: str) -> None:
    # 50 MB of zeros in some 50 kB; at most a MB may come out
    content = make.zip({"a": b"\0" * 5 * 10**7}) if kind == "zip" else make.tar(("a", b"\0" * 5 * 10**7))
    path = archive(tmp_path, content)
    assert path.stat().st_size < 10**5
    with pytest.raises(ArchiveError, match="far more than its own size"):
        unpack(path, into, SMALL)
    assert sum(p.stat().st_size for p in into.rglob("*")) <= 10**6


def test_no_bomb_whose_sizes_lie(tmp_path: Path, into: Path, make: Any) -> None:
    # many members, each of which is small enough
    content = make.zip({str(i): b"\0" * 90_000 for i in range(9)})
    with pytest.raises(ArchiveError, match="far more than its own size"):
        unpack(archive(tmp_path, content), into, SMALL)


def test_no_bomb_in_a_header(tmp_path: Path, into: Path) -> None:
    # a header's own contents are read into memory before any member is seen
    long = tarfile.TarInfo("././@LongLink")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 10**8
    content = gzip.compress(long.tobuf() + b"a" * 10**8)
    with pytest.raises(ArchiveError, match="far more than its own size"):
        unpack(archive(tmp_path, content), into, SMALL)
    assert everything(tmp_path) == set()


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_bomb_of_members(tmp_path: Path, into: Path, make: Any, kind: str) -> None:
    files = {str(i): b"" for i in range(11)}
    content = make.zip(files) if kind == "zip" else make.tar(*files.items())
    with pytest.raises(ArchiveError, match="more than 10 members"):
        unpack(archive(tmp_path, content), into, SMALL)


def test_a_file_does_not_come_twice(tmp_path: Path, into: Path, make: Any) -> None:
    with pytest.raises(ArchiveError, match="'a' twice"):
        unpack(archive(tmp_path, make.tar(("a", b"1"), ("a", b"2"))), into)
    with pytest.raises(ArchiveError, match="'b/c' twice"):
        unpack(archive(tmp_path, make.tar(("b", b"1"), ("b/c", b"2"))), into)


def test_an_encrypted_zip(tmp_path: Path, into: Path, make: Any) -> None:
    content = bytearray(make.zip({"a": b"a"}))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1  # general purpose flag of the directory's entry
    with pytest.raises(ArchiveError, match="encrypted"):
        unpack(archive(tmp_path, bytes(content)), into)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_damaged_in_the_middle(tmp_path: Path, into: Path, make: Any, kind: str) -> None:
    files = {"a": os.urandom(10**5), "b": os.urandom(10**5)}
    content = bytearray(make.zip(files) if kind == "zip" else make.tar(*files.items()))
    content[50_000:50_100] = bytes(100)
    with pytest.raises(ArchiveError, match="damaged"):
        unpack(archive(tmp_path, bytes(content)), into)


def test_cut_short(tmp_path: Path, into: Path, make: Any) -> None:
    with pytest.raises(ArchiveError, match="damaged"):
        unpack(archive(tmp_path, make.tar(("a", os.urandom(10**5)))[:50_000]), into)
    with pytest.raises(ArchiveError, match="damaged"):
        unpack(archive(tmp_path, make.zip({"a": os.urandom(10**5)})[:50_000]), into)
    with pytest.raises(ArchiveError, match="damaged"):
        unpack(archive(tmp_path, b""), into)
