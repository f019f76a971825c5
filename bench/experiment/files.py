"""What `--out` keeps of a run: records, manifests, and tables of users and photos."""

from __future__ import annotations

from pathlib import Path

from bench.experiment.session import RunResult
from bench.plan.manifest import manifest, manifest_csv
from bench.store.writing import write_output

INSTEAD = "choose another --out and repeat the command: everything computed is kept"
"""What a user may do about an `--out` that cannot be written."""


def write(result: RunResult, folder: Path) -> None:
    """Write `records.json`, `manifest.csv`, `users.parquet` and `photos.parquet`.

    Raises:
        UserError: if the folder cannot be written to.
    """
    import pandas as pd

    files = {"records.json": result.records.to_json().encode() + b"\n", **_manifests(result)}
    for name in ("users", "photos"):
        frames = [pd.DataFrame({"cell": cell, **rows[name]}) for cell, rows in result.tables.items() if rows]
        if frames:
            files[f"{name}.parquet"] = pd.concat(frames, ignore_index=True).to_parquet(index=False)
    write_output({folder / name: content for name, content in files.items()}, f"to {folder}", instead=INSTEAD)


def _manifests(result: RunResult) -> dict[str, bytes]:
    """File name -> which photos play which part; one for each split that was run on."""
    manifests: dict[bytes, None] = {}
    for pipeline in result.pipelines:
        for parts in pipeline.plan.splits:
            manifests.setdefault(manifest_csv(manifest(parts, pipeline.plan.data.digest)).encode())
    return {f"manifest-{i}.csv" if i else "manifest.csv": content for i, content in enumerate(manifests)}
