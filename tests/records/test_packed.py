"""Documents that are packed with xz are read like any other, and never trusted."""

from __future__ import annotations

import lzma
from pathlib import Path

import pytest

from bench.errors import UserError
from bench.records import Records, packed, read
from tests.records.test_records import record

PLAIN = Records([record(), record(cell="e" * 64)]).to_json().encode()


def test_packed_records_are_read_from_a_folder_and_by_their_name(tmp_path: Path) -> None:
    (tmp_path / "records.json.xz").write_bytes(lzma.compress(PLAIN))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "records.json").write_bytes(PLAIN)
    assert (
        list(read(tmp_path)) == list(read(tmp_path / "records.json.xz")) == list(read(tmp_path / "elsewhere"))
    )


def test_two_files_in_one_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "records.json.xz").write_bytes(lzma.compress(PLAIN))
    (tmp_path / "records.json").write_bytes(PLAIN)
    with pytest.raises(UserError, match=r"records.json and records.json.xz. Remove one"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cut short"),
        (PLAIN, "cannot be unpacked"),
        (lzma.compress(PLAIN)[:-20], "cut short"),
        (lzma.compress(PLAIN) + b"more", "behind its end"),
        (lzma.compress(PLAIN, lzma.FORMAT_ALONE), "cannot be unpacked"),
        (lzma.compress(b"[]"), "must be an object"),
    ],
)
def test_what_is_no_packed_document_is_refused_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "records.json.xz").write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        read(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_changed_byte_never_gives_other_records(tmp_path: Path) -> None:
    whole = lzma.compress(PLAIN)
    for place in range(0, len(whole), 97):
        changed = bytearray(whole)
        changed[place] ^= 1
        (tmp_path / "records.json.xz").write_bytes(changed)
        with pytest.raises(UserError, match="unpacked"):
            read(tmp_path)


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "LARGEST", len(PLAIN) - 1)
    (tmp_path / "records.json.xz").write_bytes(lzma.compress(PLAIN))
    with pytest.raises(UserError, match="larger than"):
        read(tmp_path)


def test_a_file_that_asks_for_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "MEMORY", 2**16)
    (tmp_path / "records.json.xz").write_bytes(lzma.compress(PLAIN))
    with pytest.raises(UserError, match="unpacked"):
        read(tmp_path)
