"""Packs: the same bytes for the same files, and nothing in them but these files."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.errors import UserError
from bench.machine.progress import Silent
from bench.records.record import Author
from bench.submission import archive
from bench.submission.contents import open_contents
from bench.submission.packing import author, pack

RESULTS = Path(__file__).resolve().parents[2] / "results"
Wrong = Callable[..., set[tuple[str, str]]]
ANN = Author(name="Ann", url="https://example.org")


@pytest.fixture
def packed(folder: Path, tmp_path: Path) -> Path:
    file = tmp_path / "mine.zip"
    file.write_bytes(pack(folder, None, ANN, Silent()))
    return file


def test_a_pack_is_the_same_bytes_and_matches(folder: Path, packed: Path, wrong: Wrong) -> None:
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    assert pack(folder, None, ANN, Silent()) == packed.read_bytes()
    assert wrong(packed) == set()
    stated = json.loads(open_contents(packed).files["submission.json"])
    assert (stated["by"], stated["cells"]) == (ANN.model_dump(), 2)
    assert set(stated["files"]) == {"records.json", "users.parquet", "photos.parquet", "COMMAND"}


def remade(file: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    files = archive.read_pack(file)
    change(files)
    file.write_bytes(archive.write_pack(files))
    return file


def test_a_changed_a_lost_and_an_added_file_are_named(packed: Path, wrong: Wrong) -> None:
    assert wrong(remade(packed, lambda files: files.update(COMMAND=b"bench run"))) == {
        ("files", "sha256"),
        ("files", "size"),
    }
    assert wrong(remade(packed, lambda files: files.pop("COMMAND"))) == {("files", "sha256")}
    added = remade(packed, lambda files: files.update({"COMMAND": b"x", "manifest-7.csv": b"x"}))
    assert ("files", "sha256") in wrong(added)


def hostile(packed: Path, name: str, content: bytes = b"x", mode: int = stat.S_IFREG, **how: Any) -> None:
    with zipfile.ZipFile(packed, "a", **how) as file:
        member = zipfile.ZipInfo(name)
        member.external_attr = (mode | 0o777) << 16
        member.compress_type = how.get("compression", zipfile.ZIP_STORED)
        file.writestr(member, content)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a path that leaves": (lambda p: hostile(p, "../records.json"), "leads out of the pack"),
    "a path from the root": (lambda p: hostile(p, "/etc/passwd"), "leads out of the pack"),
    "a drive": (lambda p: hostile(p, "C:records.json"), "leads out of the pack"),
    "a backslash": (lambda p: hostile(p, "..\\records.json"), "leads out of the pack"),
    "a link": (lambda p: hostile(p, "panel.md", b"/etc/passwd", stat.S_IFLNK), "is a link"),
    "a device": (lambda p: hostile(p, "panel.md", mode=stat.S_IFCHR), "is a link, a folder or a device"),
    "a folder": (lambda p: hostile(p, "cloaks/", b""), "is a link, a folder"),
    "a name twice": (lambda p: hostile(p, "COMMAND"), "stands in it twice"),
    "another file": (lambda p: hostile(p, "index.html"), "is no file of a submission"),
    "a page among cloaks": (lambda p: hostile(p, "cloaks/x.html"), "is no file of a submission"),
    "a bomb": (
        lambda p: hostile(p, "panel.md", bytes(10**7), compression=zipfile.ZIP_DEFLATED),
        "is compressed",
    ),
    "half of it": (lambda p: p.write_bytes(p.read_bytes()[:-30]), "no whole zip file"),
    "a byte of it": (lambda p: p.write_bytes(p.read_bytes().replace(b"PAR1", b"PAR2", 1)), "no whole zip"),
    "no zip file": (lambda p: p.write_bytes(b"PK"), "no whole zip file"),
    "nothing": (lambda p: p.write_bytes(b""), "no whole zip file"),
}


def refused_in_one_line(place: Path, reason: str, wrong: Wrong) -> None:
    with pytest.raises(UserError) as refused:
        wrong(place)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_pack_is_refused_in_one_line(packed: Path, name: str, wrong: Wrong) -> None:
    change, reason = REFUSED[name]
    change(packed)
    refused_in_one_line(packed, reason, wrong)


def test_files_that_lie_in_each_other_are_refused(packed: Path, wrong: Wrong) -> None:
    # two entries of the list point at the same bytes, so that the list claims more than there is
    content = packed.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        first = max(file.infolist(), key=lambda member: member.file_size)
        out = io.BytesIO(content)
        with zipfile.ZipFile(out, "a") as longer:
            for number in range(3):
                twin = zipfile.ZipInfo(f"manifest-{number}.csv")
                for field in ("header_offset", "CRC", "compress_size", "file_size", "external_attr"):
                    setattr(twin, field, getattr(first, field))
                longer.filelist.append(twin)
                longer.NameToInfo[twin.filename] = twin
            longer._didModify = True  # type: ignore[attr-defined]
    packed.write_bytes(out.getvalue())
    with pytest.raises(UserError, match="claim"):
        wrong(packed)


def test_a_link_in_a_folder_is_not_followed(folder: Path, wrong: Wrong) -> None:
    (folder / "panel.md").symlink_to("/etc/hostname")
    with pytest.raises(UserError, match="link"):
        wrong(folder)


def document(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = folder / "records.json"
    stated = json.loads(file.read_text("utf-8"))
    change(stated)
    file.write_text(json.dumps(stated), "utf-8")


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "two protocols": (
        lambda f: document(f, lambda d: d["cells"][0].update(protocol="cloakbench/1")),
        "2 protocols, cloakbench/1, cloakbench/2",
    ),
    "two schemas": (
        lambda f: document(f, lambda d: d["cells"][0].update(schema_version=1)),
        "2 schemas, 1, 2",
    ),
    "a field of nobody": (lambda f: document(f, lambda d: d["cells"][0].update(rank=1)), "cells[0].rank"),
    "a text for a number": (lambda f: document(f, lambda d: d["cells"][0].update(seed="1")), "cells[0].seed"),
    "no record": (lambda f: document(f, lambda d: d.update(cells=[])), "has no record"),
    "a cut record": (
        lambda f: (f / "records.json").write_bytes((f / "records.json").read_bytes()[:-99]),
        "records.json does not hold records",
    ),
    "no number": (
        lambda f: (f / "records.json").write_text(
            (f / "records.json").read_text().replace(": 8.0", ": NaN", 1)
        ),
        "NaN, which is no number",
    ),
    "an empty folder": (lambda f: list(map(Path.unlink, f.iterdir())), "has no records"),
    "no users": (lambda f: (f / "users.parquet").unlink(), "has no users.parquet"),
    "a cut table": (
        lambda f: (f / "photos.parquet").write_bytes((f / "photos.parquet").read_bytes()[:-99]),
        "photos.parquet is damaged",
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_records_that_cannot_be_read_are_refused_in_one_line(folder: Path, name: str, wrong: Wrong) -> None:
    change, reason = UNREADABLE[name]
    change(folder)
    refused_in_one_line(folder, reason, wrong)


def test_a_table_that_claims_a_billion_rows_is_refused(folder: Path, wrong: Wrong) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    from bench.board.parquet import MOST_ROWS

    columns = {name: pa.array(["a"]) for name in ("cell", "user", "photo", "released", "outcome")}
    batch = pa.table(columns).take(pa.array([0] * 1_000_000))
    with parquet.ParquetWriter(folder / "photos.parquet", batch.schema) as writer:
        for _ in range(MOST_ROWS // 1_000_000 + 1):
            writer.write_table(batch)
    assert (folder / "photos.parquet").stat().st_size < 1_000_000
    with pytest.raises(UserError, match="rows"):
        wrong(folder)


def test_photos_of_real_people_are_never_packed(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        pack(RESULTS / "chosen-lfw", tmp_path, None, Silent())
    assert "'lfw' are not packed: they may show real people" in str(refused.value)


def test_a_link_of_whoever_hands_in_leads_to_the_web() -> None:
    assert author("Ann", "https://example.org") == ANN
    assert author(None, None) is None
    for name, url in (
        ("Ann", "javascript:alert(1)"),
        ("Ann", "file:///etc"),
        (None, "https://example.org"),
        ("", None),
    ):
        with pytest.raises(UserError):
            author(name, url)


def test_a_folder_without_a_table_of_a_cell_is_not_packed(folder: Path) -> None:
    users = pd.read_parquet(folder / "users.parquet")
    users[users["cell"] != users["cell"][0]].to_parquet(folder / "users.parquet", index=False)
    with pytest.raises(UserError, match="no table for 1 cells"):
        pack(folder, None, None, Silent())
