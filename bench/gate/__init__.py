"""The gate: whether a defense is weaker than a committed baseline (`bench gate`, docs/gate-a-defense.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.gate.asserting import assert_defense_strength as assert_defense_strength


def __getattr__(name: str) -> Any:
    """`assert_defense_strength`, without loading what it needs before somebody asks for it."""
    if name == "assert_defense_strength":
        from bench.gate.asserting import assert_defense_strength

        return assert_defense_strength
    raise AttributeError(f"module 'bench.gate' has no attribute {name!r}")
