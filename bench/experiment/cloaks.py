"""The photos of a run as files: what is released, and what attackers hold besides."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bench.experiment.session import RunResult
from bench.machine.progress import Progress
from bench.photos.collection import pixels_or_none
from bench.photos.decode import encode_png
from bench.store.writing import write_output

INSTEAD: Final = "choose another --save-cloaks"

CLEAN: Final = "clean"
"""The folder of the photos that are not released."""

SHORT: Final = 16
"""Digits of a digest that a photo is called by, as in the tables of `--out`."""

_TOGETHER = 16


def write_cloaks(result: RunResult, folder: Path, progress: Progress) -> None:
    """Write the released photos of every cell that went well, each once, and the other photos around them.

    A released photo is called by the digest of its pixels, another one by that of its content; so nobody's
    name is among them. Photos that cannot be read are left out.

    Args:
        result: What came of a run.
        folder: Where to write.
        progress: Told of every few photos.

    Raises:
        UserError: A file cannot be written.
    """
    done = {record.cell for record in result.records if record.status == "ok"}
    written: set[Path] = set()
    for pipeline in result.pipelines:
        cells = [cell for cell in pipeline.plan.cells if cell.digest in done]
        for cell in {str((cell.cloaking, cell.repetition)): cell for cell in cells}.values():
            release = pipeline.stages(cell).publish()
            names = [folder / f"{digits[:SHORT]}.png" for digits in release.digests]
            files = dict(zip(names, release.files, strict=True))
            new = {path: content for path, content in files.items() if content and path not in written}
            write_output(new, f"to {folder}", instead=INSTEAD)
            written.update(new)
        for cell in {cell.repetition: cell for cell in cells}.values():
            photos = pipeline.stages(cell).repetition.attackers_clean
            with progress.stage("write photos", len(photos.digests)) as advance:
                for first in range(0, len(photos.digests), _TOGETHER):
                    some = range(first, min(first + _TOGETHER, len(photos.digests)))
                    images = zip(some, map(pixels_or_none, photos.read(some)), strict=True)
                    new = {
                        folder / CLEAN / f"{photos.digests[i][:SHORT]}.png": encode_png(image)
                        for i, image in images
                        if image is not None
                    }
                    write_output(new, f"to {folder}", instead=INSTEAD)
                    advance(len(some))
