"""The record of one encoder on one data set: versioned, and free of photos, paths and people's names."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bench.errors import UserError
from bench.records.record import Cost, Metric, Named

SCHEMA_VERSION = 1
PROTOCOL = "cloakbench-verification/1"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Speed(_Model):
    """How fast aligned faces were embedded, measured apart from everything else."""

    photos_per_second: float
    photos_per_core_second: float | None = Field(
        description="photos over processor time in all threads; null on a GPU"
    )
    photos: int = Field(description="crops in one pass; the fastest of three passes counts")
    hardware: str
    threads: int = Field(description="that torch and the encoder's runtime may use; 0 on a GPU")
    runtime: str


class Clean(_Model):
    """How well calibrated DBSCAN sorts clean photos that this encoder embedded: a cell of `bench run`."""

    cell: str
    users: int
    background: int
    metrics: dict[str, Metric] = Field(description="cfr, cfr_strict, bcubed_f, bcubed_f_background")


class VerificationRecord(_Model):
    """One encoder, verified on one data set."""

    schema_version: int = SCHEMA_VERSION
    protocol: str = PROTOCOL
    encoder: Named = Field(description="its card")
    dataset: Named
    detector: Named
    pairs: Literal["lfw-10-fold", "drawn"]
    pairs_digest: str = Field(description="of the photos' contents, pair by pair, with folds")
    seed: int
    counts: dict[str, int]
    metrics: dict[str, Metric]
    standard_error: float = Field(description="of accuracy, over the folds")
    fold_accuracy: list[float]
    thresholds: dict[str, list[float | None]] = Field(description="figure -> what each fold was judged by")
    clustering: Clean | None = None
    speed: Speed | None = None
    flags: list[str] = []
    notes: list[str] = []
    cost: Cost = Field(default=Cost(), description="of all encoders that were verified together")
    environment: dict[str, Any] = {}

    def comparable(self) -> dict[str, Any]:
        """The record without timings and environment: what two runs of one command have in common."""
        return self.model_dump(mode="json", exclude={"cost", "environment", "speed"})


def to_json(records: Iterable[VerificationRecord]) -> str:
    """The document that `bench verify --json` prints."""
    verifications = [record.model_dump(mode="json") for record in records]
    document = {"schema_version": SCHEMA_VERSION, "verifications": verifications}
    return json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n"


def read(path: Path) -> list[VerificationRecord]:
    """Read a document, or the `verification.json` of a folder.

    Raises:
        UserError: if there is none, or the file is not such a document, or of another schema.
    """
    file = path / "verification.json" if path.is_dir() else path
    if not file.is_file():
        raise UserError(f"no verification records at {path}. 'bench verify --all --out {path}' writes some.")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if document["schema_version"] != SCHEMA_VERSION:
            raise UserError(
                f"{file} has verification records of schema {document['schema_version']}; this program reads "
                f"{SCHEMA_VERSION}. Install the cloakbench that wrote them, or a newer one."
            )
        return [VerificationRecord.model_validate(record) for record in document["verifications"]]
    except (ValueError, KeyError, TypeError) as error:
        first = str(error).splitlines()[0]
        raise UserError(
            f"{file} does not hold verification records ({first}). 'bench verify --out' writes them."
        ) from error


def write(records: Iterable[VerificationRecord], markdown: str, folder: Path) -> None:
    """Write `verification.json` and `verification.md`, each whole or not at all.

    Raises:
        UserError: if the folder cannot be written to.
    """
    texts = {"verification.json": to_json(records), "verification.md": markdown}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            part = folder / f"{name}.part"
            part.write_text(text, encoding="utf-8")
            part.replace(folder / name)
    except OSError as error:
        raise UserError(
            f"cannot write to {folder}: {error.strerror}. Embeddings are kept: choose another --out and "
            "repeat the command."
        ) from error
