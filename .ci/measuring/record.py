"""The record of one check: which machine, which code, and the figures of every step.

A record names no host, no user, no path and no photo.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

SCHEMA, VERSION = "cloakbench gpu-check", 1

Kind = Literal["parity", "speed", "memory"]
Status = Literal["passed", "failed", "measured", "skipped", "crashed", "not started"]

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "≥": lambda value, limit: value >= limit,
    "≤": lambda value, limit: value <= limit,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a step.

    Attributes:
        subject: what it is about, such as an encoder's name.
        what: what was measured, in words.
        value: never rounded; NaN where it is not defined.
        unit: of the value, such as `photos/s`; `1` for a ratio, a cosine or a share.
        sign: how the value compares with the limit when all is well; empty where there is no limit.
        limit: the tolerance; None where the value is only reported.
    """

    subject: str
    what: str
    value: float
    unit: str = "1"
    sign: Literal["≥", "≤", ""] = ""
    limit: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the value keeps its limit; a NaN keeps none, and without a limit everything passes."""
        return self.limit is None or COMPARISONS[self.sign](self.value, self.limit)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of one step.

    Attributes:
        name: of the step.
        kind: parity with the CPU, speed, or memory.
        status: `passed` and `failed` say whether all limits are kept; `measured` has no limits.
        reason: why a step is skipped, crashed or was not started; empty otherwise.
        budget_seconds: how long the step was expected to take at most.
        seconds: how long it took.
        figures: what it found; also those found before a step was skipped or crashed.
    """

    name: str
    kind: Kind
    status: Status
    reason: str = ""
    budget_seconds: float = 0.0
    seconds: float = 0.0
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One check of one machine.

    Attributes:
        dry: whether the steps ran small on the CPU; then no figure says anything about a GPU.
        machine: card, versions, commit: see `measuring.machine.described`.
        setting: how large the steps were.
        limit_seconds: when no more steps were to be started.
        seconds: how long all took.
        steps: in the order in which they ran.
    """

    dry: bool
    machine: dict[str, Any]
    setting: dict[str, Any]
    limit_seconds: float
    seconds: float = 0.0
    steps: tuple[StepResult, ...] = field(default_factory=tuple)

    @property
    def file_name(self) -> str:
        """The name of the record's file, such as `gpu-nvidia-h100-80gb-hbm3.json`."""
        if self.dry:
            return "dry-run.json"
        return f"gpu-{re.sub(r'[^a-z0-9]+', '-', str(self.machine['card']).lower()).strip('-')}.json"

    def count(self, *statuses: Status) -> int:
        """How many steps ended so."""
        return sum(step.status in statuses for step in self.steps)

    def write(self, path: Path) -> None:
        """Write the record as JSON. The file is whole at every moment: another one takes its place."""
        document = {"schema": SCHEMA, "schema_version": VERSION, **asdict(self)}
        for step, plain in zip(self.steps, document["steps"], strict=True):
            for figure, row in zip(step.figures, plain["figures"], strict=True):
                row["passed"] = figure.passed
                row["value"] = figure.value if math.isfinite(figure.value) else None
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        beside.write_text(text, "utf-8")
        beside.replace(path)


def read(document: dict[str, Any], name: str) -> Record:
    """The record in a JSON document.

    Args:
        document: what `Record.write` wrote, parsed.
        name: of the file, for the error.

    Raises:
        SystemExit: if the document is none, or of another version.
    """
    if document.get("schema") != SCHEMA or document.get("schema_version") != VERSION:
        raise SystemExit(f"{name} is no record of gpu-check, version {VERSION}. Type: make gpu-check")
    steps = []
    for step in document["steps"]:
        figures = [
            Figure(
                **{key: row[key] for key in ("subject", "what", "unit", "sign", "limit")},
                value=math.nan if row["value"] is None else row["value"],
            )
            for row in step["figures"]
        ]
        steps.append(StepResult(**{**step, "figures": tuple(figures)}))
    plain = {key: document[key] for key in ("dry", "machine", "setting", "limit_seconds", "seconds")}
    return Record(**plain, steps=tuple(steps))
