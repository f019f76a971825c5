"""The gate in a test: an assertion on two folders of records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.gate.verdict import Verdict, gate


def assert_defense_strength(
    records: Path | str, *, baseline: Path | str, max_drop: float, defenses: Sequence[str] = ()
) -> Verdict:
    """Fail unless a defense is as strong as its baseline, user by user.

    Args:
        records: The folder of a fresh run.
        baseline: The committed folder.
        max_drop: The largest rise of the share of users who are found that is allowed, in [0, 1).
        defenses: The defenses that are gated; all of the baseline by default; see `bench.gate.verdict.gate`.

    Returns:
        The verdict, which is `passed`.

    Raises:
        AssertionError: The defense is weaker, it could not be told, or there are too few users; the message
            is the line that `bench gate` prints.
        UserError: A folder cannot be read.
    """
    verdict = gate(Path(records), Path(baseline), max_drop, defenses)
    if verdict.verdict != "passed":
        raise AssertionError(verdict.headline)
    return verdict
