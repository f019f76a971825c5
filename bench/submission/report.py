"""What validation says: one line a check, one line for each thing that does not match."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bench.board.escaping import printable
from bench.records.parsing import shown

EQUAL: Final = 1e-9
"""How far two figures may differ: the last digits of sums differ from machine to machine."""

_SHOWN: Final = 200
"""Lines of one check that do not match and are printed."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that is otherwise than a submission says.

    Attributes:
        where: Of which record or file.
        field: Of it.
        said: What it says.
        computed: What it should say.
    """

    where: str
    field: str
    said: Any
    computed: Any

    def __str__(self) -> str:
        return f"{self.where}: {self.field} says {shown(self.said)}, and is {shown(self.computed)}"


@dataclass
class Check:
    """One check of a submission.

    Attributes:
        name: Of it, in a word or two.
        of: What is compared, in the plural.
        compared: How many were.
        mismatches: Those that do not match.
        left: Reason -> how many could not be recomputed.
    """

    name: str
    of: str
    compared: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)

    def compare(self, where: str, field: str, said: Any, computed: Any) -> None:
        """Count one comparison; numbers match if they differ in last digits only, and NaN is no number.

        Args:
            where: Of which record or file.
            field: Of it.
            said: What the submission says.
            computed: What was computed of it.
        """
        self.compared += 1
        if not same(said, computed):
            self.mismatches.append(Mismatch(where, field, _plain(said), _plain(computed)))

    def lines(self) -> Iterator[str]:
        """The check for people."""
        wrong = len(self.mismatches)
        if self.compared or not self.left:
            outcome = (
                f"{wrong} do not match" if wrong else "all match" if self.compared else "nothing to compare"
            )
            yield f"{'WRONG' if wrong else 'ok':<6}{self.name}: {self.compared} {self.of}, {outcome}"
        for mismatch in self.mismatches[:_SHOWN]:
            yield f"      {mismatch}"
        if wrong > _SHOWN:
            yield f"      and {wrong - _SHOWN} more; --format json has all"
        for reason, count in self.left.items():
            yield f"-     {self.name}: {count} {self.of} not recomputed: {reason}"


@dataclass(frozen=True)
class Report:
    """All checks of one submission.

    Attributes:
        path: Where it lies.
        about: What it is, in a line.
        checks: The checks.
    """

    path: str
    about: str
    checks: tuple[Check, ...]

    @property
    def matches(self) -> bool:
        """Whether everything that was recomputed matches."""
        return not any(check.mismatches for check in self.checks)

    def to_text(self) -> str:
        """The report for people: every text of a stranger is made safe to print."""
        lines = [f"{self.path}: {self.about}", *(line for check in self.checks for line in check.lines())]
        wrong = sum(len(check.mismatches) for check in self.checks)
        verdict = "everything that can be recomputed matches" if self.matches else f"{wrong} do not match"
        return "".join(f"{printable(line)}\n" for line in (*lines, f"{self.path}: {verdict}"))


def to_json(reports: list[Report]) -> str:
    """All reports for programs."""
    documents = [
        {
            "path": report.path,
            "about": report.about,
            "matches": report.matches,
            "checks": [
                {
                    "name": check.name,
                    "of": check.of,
                    "compared": check.compared,
                    "mismatches": [
                        {"where": m.where, "field": m.field, "said": m.said, "computed": m.computed}
                        for m in check.mismatches
                    ],
                    "not_recomputed": dict(check.left),
                }
                for check in report.checks
            ],
        }
        for report in reports
    ]
    return json.dumps({"submissions": documents}, indent=1, allow_nan=False, default=str) + "\n"


def same(said: Any, computed: Any) -> bool:
    """Whether two values are the same; numbers may differ in last digits."""
    said, computed = _plain(said), _plain(computed)
    if _number(said) and _number(computed):
        return math.isclose(said, computed, rel_tol=EQUAL, abs_tol=EQUAL)
    if isinstance(said, list | tuple) and isinstance(computed, list | tuple):
        return len(said) == len(computed) and all(map(same, said, computed))
    return bool(said == computed)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> Any:
    """A value of an array as plain Python; None where it is no number."""
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
