"""The record of one encoder on one data set, with a schema version.

It holds no photo, no path and no person's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from bench.errors import UserError
from bench.records.documents import Document
from bench.records.record import Amount, Cost, Count, Metrics, Model, Named, Real
from bench.store.writing import write_output
from bench.types import Flag

SCHEMA_VERSION = 2
CLUSTERING = ("cfr", "cfr_strict", "bcubed_f", "bcubed_f_background")
"""The metrics of the clustering of clean photos."""

PROTOCOL = "cloakbench-verification/1"


class Speed(Model):
    """The speed at which aligned faces are embedded, measured apart from everything else."""

    photos_per_second: Amount
    photos_per_core_second: Amount | None = Field(
        description="photos over processor time in all threads; null on a GPU"
    )
    photos: Count = Field(description="crops in one pass; the fastest of three passes counts")
    hardware: str
    threads: Count = Field(description="that torch and the encoder's runtime may use; 0 on a GPU")
    runtime: str


class Clean(Model):
    """How well calibrated DBSCAN sorts clean photos that this encoder embedded: a cell of `bench run`."""

    cell: str
    users: Count
    background: Count
    metrics: Metrics = Field(description=", ".join(CLUSTERING))


class VerificationRecord(Model):
    """One encoder, verified on one data set."""

    schema_version: int = SCHEMA_VERSION
    protocol: str = PROTOCOL
    encoder: Named = Field(description="its card")
    dataset: Named
    detector: Named
    pairs: Literal["lfw-10-fold", "drawn"]
    pairs_digest: str = Field(description="of the photos' contents, pair by pair, with folds")
    seed: Count
    counts: dict[str, Count]
    metrics: Metrics
    standard_error: Amount = Field(description="of accuracy, over the folds")
    fold_accuracy: list[Real]
    thresholds: dict[str, list[Real | None]] = Field(description="figure -> what each fold was judged by")
    clustering: Clean | None = None
    speed: Speed | None = None
    flags: list[Flag] = Field(default=[], description="why its figures have to be read with care")
    notes: list[str] = Field(default=[], description="what a reader must know of the pairs")
    cost: Cost = Field(default=Cost(), description="of all encoders that were verified together")
    environment: dict[str, Any] = Field(default={})

    def comparable(self) -> dict[str, Any]:
        """The record without timings and environment: what two runs of one command have in common."""
        return self.model_dump(mode="json", exclude={"cost", "environment", "speed"})


VERIFICATIONS = Document(
    name="verification records",
    file="verification.json",
    key="verifications",
    model=VerificationRecord,
    version=SCHEMA_VERSION,
    written_by="bench verify --all --out",
    explained_by="'bench verify --out' writes them.",
)
"""What `bench verify --json` prints and `bench verify --out` writes."""


_OTHERWISE = "Choose another --out and repeat the command: embeddings are kept."
INSTEAD = "choose another --out and repeat the command: embeddings are kept"
"""What a user may do about an `--out` that cannot be written."""


def to_json(records: Iterable[VerificationRecord]) -> str:
    """The document that `bench verify --json` prints."""
    return VERIFICATIONS.to_json(records) + "\n"


def read(path: Path) -> list[VerificationRecord]:
    """Read a document, or the `verification.json` of a folder. Old schemas are migrated.

    Raises:
        UserError: There is no such file, or it is not such a document, or it has a newer schema.
    """
    return VERIFICATIONS.read(path)


def write(records: Sequence[VerificationRecord], markdown: str, folder: Path) -> None:
    """Write `verification.json` and `verification.md`, each whole or not at all.

    Raises:
        UserError: The folder cannot be written to, or holds records of others, which would be lost.
    """

    def subjects(of: Iterable[VerificationRecord]) -> set[tuple[str, str]]:
        return {(record.encoder.name, record.dataset.name) for record in of}

    if (folder / VERIFICATIONS.file).exists():
        others = sorted(subjects(read(folder)) - subjects(records))
        if others:
            told = ", ".join(f"{encoder} on {dataset}" for encoder, dataset in others)
            raise UserError(
                f"{folder} holds the verification of {told}, which --out would replace. {_OTHERWISE}"
            )
    texts = {VERIFICATIONS.file: to_json(records), "verification.md": markdown}
    files = {folder / name: text.encode() for name, text in texts.items()}
    write_output(files, f"to {folder}", instead=INSTEAD)
