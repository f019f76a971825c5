"""Records of old schemas are read; the committed ones among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.records import SCHEMA_VERSION, read
from bench.records.migrations import OLDEST, migrated
from bench.records.packed import SUFFIX, unpacked
from bench.types import Flag, FlagCode
from bench.verification.records import read as read_verifications

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = sorted(ROOT.glob("results/*/records.json*"))
VERIFIED = sorted(ROOT.glob("results/*/verification.json"))


def of(path: Path) -> Any:
    return path.relative_to(ROOT).as_posix()


def kept(old: Any, new: Any) -> bool:
    """Whether everything of the old is in the new, which may have further fields."""
    if isinstance(old, dict):
        return all(key in new and kept(value, new[key]) for key, value in old.items())
    return bool(old == new)


@pytest.mark.parametrize("path", COMMITTED, ids=of)
def test_a_committed_record_is_read_and_only_its_flags_change(path: Path) -> None:
    content = path.read_bytes()
    stored = json.loads(unpacked(content) if path.suffix == SUFFIX else content)["cells"]
    records = read(path)
    assert [record.cell for record in records] == [cell["cell"] for cell in stored]
    for cell, record in zip(stored, records, strict=True):
        assert record.schema_version == SCHEMA_VERSION
        assert FlagCode.OTHER not in {flag.code for flag in record.flags}
        assert all(flag.reason for flag in record.flags)
        same = {key: value for key, value in cell.items() if key not in ("flags", "schema_version")}
        assert kept(same, record.model_dump(mode="json"))
        assert len(record.flags) == len(cell["flags"])


@pytest.mark.parametrize("path", VERIFIED, ids=of)
def test_a_committed_verification_is_read(path: Path) -> None:
    stored = json.loads(path.read_text("utf-8"))["verifications"]
    assert [record.encoder.name for record in read_verifications(path)] == [
        record["encoder"]["name"] for record in stored
    ]


def test_there_are_committed_records() -> None:
    assert len(COMMITTED) >= 6
    assert len(VERIFIED) >= 1


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        (
            "weak attacker: no evidence of protection (clean CFR below .8)",
            Flag(FlagCode.WEAK_ATTACKER, "no evidence of protection (clean CFR below .8)"),
        ),
        (
            "weak encoder: AUC below 0.95 on this data (0.940)",
            Flag(FlagCode.WEAK_ENCODER, "AUC below 0.95 on this data (0.940)"),
        ),
        ("out of budget", Flag(FlagCode.OUT_OF_BUDGET, "on at least one photo")),
        ("oracle: told the true number of people", Flag(FlagCode.ORACLE, "told the true number of people")),
        ("weaker than: it looks", Flag(FlagCode.OTHER, "weaker than: it looks")),
        ("", Flag(FlagCode.OTHER, "")),
    ],
)
def test_a_flag_of_schema_1_becomes_a_code_and_a_reason(text: str, flag: Flag) -> None:
    old = {"schema_version": 1, "flags": [text], "seed": 3}
    assert migrated(old, 1) == {
        "schema_version": 2,
        "flags": [{"code": flag.code, "reason": flag.reason}],
        "seed": 3,
    }
    assert old["flags"] == [text]


def test_a_record_without_flags_is_migrated_and_the_present_schema_is_left_alone() -> None:
    assert migrated({"schema_version": 1}, OLDEST) == {"schema_version": SCHEMA_VERSION, "flags": []}
    present = {"schema_version": SCHEMA_VERSION, "flags": [{"code": "oracle", "reason": "why"}]}
    assert migrated(present, SCHEMA_VERSION) == present
