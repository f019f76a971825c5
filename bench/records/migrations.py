"""Records of old schemas -> records of the present one. It happens in memory: files stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bench.records.parsing import DamagedError, shown
from bench.types import FlagCode

OLDEST = 1
"""The oldest schema that can be read, of cells and of verifications."""

FIRST_PROTOCOL = "cloakbench/1"
"""The protocol of records whose thresholds were tuned for BCubed F, at times on people trained on."""

_CODES = {
    "weak attacker": FlagCode.WEAK_ATTACKER,
    "weak encoder": FlagCode.WEAK_ENCODER,
    "out of budget": FlagCode.OUT_OF_BUDGET,
    "oracle": FlagCode.ORACLE,
}
"""How a flag of schema 1 began -> its code."""


def migrated(record: Mapping[str, Any], version: int) -> dict[str, Any]:
    """A record as the present schema has it.

    Args:
        record: as it stands in a file; it is not changed.
        version: its schema, at least `OLDEST`.

    Raises:
        DamagedError: if the record has no such shape.
    """
    if not isinstance(record, Mapping):
        raise DamagedError(f"a record must be an object, and one is {shown(record)}")
    out = dict(record)
    while (step := _STEPS.get(version)) is not None:
        out, version = step(out) | {"schema_version": version + 1}, version + 1
    return out


def _flags_with_codes(record: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 -> 2: a flag was one text, such as `oracle: told the true number of people`."""
    flags = record.get("flags", [])
    if not isinstance(flags, list):
        raise DamagedError(f"flags must be a list, and is {shown(flags)}")
    return record | {"flags": [_flag(text) for text in flags]}


def _flag(text: object) -> dict[str, str]:
    if not isinstance(text, str):
        raise DamagedError(f"a flag of schema 1 must be a text, and one is {shown(text)}")
    kind, _, reason = text.partition(": ")
    code = _CODES.get(kind)
    if code is None:
        return {"code": str(FlagCode.OTHER), "reason": text}
    return {"code": str(code), "reason": reason or "on at least one photo"}


_STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _flags_with_codes}
"""Schema -> what makes a record of it one of the next schema."""
