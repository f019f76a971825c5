"""The record of a cell: versioned, complete, and free of photos, paths, people's names and host names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
PROTOCOL = "cloakbench/1"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(_Model):
    """Something chosen by name, with every parameter it resolved to and, where it has one, its digest."""

    name: str
    parameters: dict[str, Any] = {}
    digest: str | None = None


class Metric(_Model):
    """One figure. `value` is null where it is not defined, `low` and `high` where no interval is."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    better: Literal["lower", "higher", "none"]
    bounds: tuple[float, float] | None = Field(
        default=None,
        description="lowest and highest value that it could have, had photos with another outcome than `ok` "
        "gone otherwise; null when every photo is ok, and for metrics without bounds",
    )


class Cost(_Model):
    """What this cell took. Not part of what has to be equal between two runs."""

    seconds: dict[str, float] = Field(default={}, description="by stage, while this cell was computed")
    photos_per_second: float | None = Field(default=None, description="of cloaking; null when re-used")
    peak_memory_mib: float | None = None
    device: str = ""
    providers: dict[str, str] = Field(default={}, description="encoder -> runtime actually used")
    cache_hits: dict[str, int] = {}
    reused: bool = Field(default=False, description="the whole cell came from the cache")


class CellRecord(_Model):
    """One cell: a defense, met by one attacker, under one threat model."""

    schema_version: int = SCHEMA_VERSION
    cell: str = Field(description="digest of everything that decides the result")
    status: Literal["ok", "failed", "skipped"]
    error: str | None = None
    protocol: str = PROTOCOL
    dataset: Named
    scenario: Named
    dose: float = Field(default=1.0, description="share of each user's photos that are cloaked")
    defense: Named
    surrogate: list[Named]
    budget: str
    channel: str
    encoder: Named
    members: list[Named] = Field(default=[], description="the encoders that an ensemble puts together")
    adaptation: Named = Field(
        default=Named(name="none"), description="what the attacker made of the encoder, knowing the defense"
    )
    attacker: Named
    level: str = Field(default="oblivious", description="what the attacker's thresholds were tuned on")
    detector: Named
    knowledge: Literal["white-box", "grey-box", "black-box", "none"]
    seed: int
    distractors: int = Field(
        default=0, description="simulated strangers among the background, three photos each"
    )
    draw: int = Field(default=0, description="which draw of calibration people and background")
    calibrated: dict[str, Any] = Field(
        default={}, description="the attacker's parameters after calibration on people of no other part"
    )
    tried: list[float] = Field(
        default=[],
        description="BCubed F on the calibration people of every candidate that the attacker was tuned over, "
        "in its order; empty where nothing was tuned that way",
    )
    metrics: dict[str, Metric] = {}
    controls: dict[str, dict[str, Metric]] = Field(
        default={}, description="clean, channel, noise, permutation -> the main metrics under that control"
    )
    perceptual: dict[str, dict[str, dict[str, float | None]]] = Field(
        default={}, description="photo and face -> measure -> mean and worst over the released photos"
    )
    outcomes: dict[str, int] = {}
    flags: list[str] = []
    cost: Cost = Cost()
    environment: dict[str, Any] = {}

    def comparable(self) -> dict[str, Any]:
        """The record without timings and environment: what two runs of one command have in common."""
        return self.model_dump(mode="json", exclude={"cost", "environment"})


class Records(Sequence[CellRecord]):
    """The cells of one run, in the order they were asked for."""

    def __init__(self, cells: Iterable[CellRecord]) -> None:
        """Keep the cells."""
        self._cells = tuple(cells)

    def __getitem__(self, index: Any) -> Any:
        """One record, or Records for a slice."""
        return Records(self._cells[index]) if isinstance(index, slice) else self._cells[index]

    def __len__(self) -> int:
        """How many cells."""
        return len(self._cells)

    def to_json(self) -> str:
        """The document that `bench run --json` prints."""
        cells = [cell.model_dump(mode="json") for cell in self._cells]
        return json.dumps({"schema_version": SCHEMA_VERSION, "cells": cells}, indent=1, sort_keys=True)

    def to_pandas(self) -> pd.DataFrame:
        """One row a cell: its threat model, `metric`, `metric_low` and `metric_high`, perceptual means."""
        import pandas as pd

        return pd.DataFrame([_row(cell) for cell in self._cells])


def _row(cell: CellRecord) -> dict[str, Any]:
    row: dict[str, Any] = {
        "cell": cell.cell,
        "status": cell.status,
        "dataset": cell.dataset.name,
        "scenario": cell.scenario.name,
        "defense": cell.defense.name,
        "surrogate": "+".join(s.name for s in cell.surrogate),
        "budget": cell.budget,
        "channel": cell.channel,
        "encoder": cell.encoder.name,
        "attacker": cell.attacker.name,
        "knowledge": cell.knowledge,
        "level": cell.level,
        "adaptation": cell.adaptation.name,
        "dose": cell.dose,
        "distractors": cell.distractors,
        "seed": cell.seed,
        "draw": cell.draw,
        "flags": "; ".join(cell.flags),
    }
    for name, metric in cell.metrics.items():
        row |= {name: metric.value, f"{name}_low": metric.low, f"{name}_high": metric.high}
    for name, value in cell.perceptual.get("photo", {}).items():
        row[name] = value["mean"]
    return row


def schema() -> dict[str, Any]:
    """JSON Schema of the document with records."""
    cell = CellRecord.model_json_schema()
    definitions = cell.pop("$defs", {})
    definitions["CellRecord"] = cell
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cloakbench records",
        "type": "object",
        "required": ["schema_version", "cells"],
        "additionalProperties": False,
        "properties": {
            "schema_version": {"const": SCHEMA_VERSION},
            "cells": {"type": "array", "items": {"$ref": "#/$defs/CellRecord"}},
        },
        "$defs": definitions,
    }


def read(path: Path) -> Records:
    """Read records from a document, or from the `records.json` of a folder.

    Raises:
        UserError: if there are none, or the file is not such a document, or of a newer schema.
    """
    file = path / "records.json" if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"no records at {path}. 'bench run --out {path}' writes some.")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        version = document["schema_version"]
        if version != SCHEMA_VERSION:
            raise UserError(
                f"{file} has records of schema {version}; this program reads {SCHEMA_VERSION}. "
                "Install the cloakbench that wrote them, or a newer one."
            )
        return Records(CellRecord.model_validate(cell) for cell in document["cells"])
    except (ValueError, KeyError, TypeError) as error:
        first = str(error).splitlines()[0]
        raise UserError(
            f"{file} does not hold records ({first}). 'bench schema' says what they are."
        ) from error
