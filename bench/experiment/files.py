"""What `--out` keeps of a run: records, manifests, and tables of users and photos."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.experiment.session import RunResult
from bench.plan.manifest import manifest, manifest_csv
from bench.records.files import CELLS, read
from bench.records.packed import SUFFIX
from bench.store.writing import write_output

INSTEAD = "choose another --out and repeat the command: everything computed is kept"
"""What a user may do about an `--out` that cannot be written."""


def spare(folder: Path) -> Callable[[Sequence[str]], None]:
    """Refuse cells that would replace others in a folder: the records of another run are not to be lost.

    Args:
        folder: What `write` is to be given.

    Returns:
        A function of the digests of a run's cells; it raises a UserError where the folder holds others.
    """

    def refuse(cells: Sequence[str]) -> None:
        if (folder / (CELLS.file + SUFFIX)).exists():
            raise UserError(
                f"{folder} holds packed records, {CELLS.file + SUFFIX}. Choose another --out, or unpack them "
                "there first."
            )
        if not (folder / CELLS.file).exists():
            return
        others = {record.cell for record in read(folder)} - set(cells)
        if others:
            raise UserError(
                f"{folder} holds the records of {len(others)} other cells, which --out would replace. Choose "
                f"another --out, or move {CELLS.file} away; 'bench board' reads several folders at once."
            )

    return refuse


def write(result: RunResult, folder: Path) -> None:
    """Write `records.json`, `manifest.csv`, `users.parquet` and `photos.parquet`.

    Raises:
        UserError: if the folder cannot be written to.
    """
    files = {CELLS.file: result.records.to_json().encode() + b"\n", **_manifests(result)}
    files |= tables_as_files(result.tables)
    write_output({folder / name: content for name, content in files.items()}, f"to {folder}", instead=INSTEAD)


def tables_as_files(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, bytes]:
    """`users.parquet` and `photos.parquet`; none where there are no tables.

    Args:
        tables: Cell digest -> its per-user and per-photo tables.
    """
    import pandas as pd

    files: dict[str, bytes] = {}
    for name in ("users", "photos"):
        frames = [pd.DataFrame({"cell": cell, **rows[name]}) for cell, rows in tables.items() if rows]
        if frames:
            files[f"{name}.parquet"] = pd.concat(frames, ignore_index=True).to_parquet(index=False)
    return files


def _manifests(result: RunResult) -> dict[str, bytes]:
    """File name -> which photos play which part; one for each split that was run on."""
    manifests: dict[bytes, None] = {}
    for pipeline in result.pipelines:
        for parts in pipeline.plan.splits:
            manifests.setdefault(manifest_csv(manifest(parts, pipeline.plan.data.digest)).encode())
    return {f"manifest-{i}.csv" if i else "manifest.csv": content for i, content in enumerate(manifests)}
