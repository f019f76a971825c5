"""Cloaked photos of drawn faces: the digest of their pixels, and how far they are from their originals.

Originals are drawn anew. Every released photo has the digest of its original beside it, so that a pair is
found without a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from bench.errors import UserError
from bench.experiment.again import written
from bench.machine.progress import Silent
from bench.photos.decode import UnreadablePhoto, decode
from bench.plan.datasets import chosen_dataset, open_chosen
from bench.records.record import CellRecord, Named
from bench.store.digests import array_digest
from bench.store.folders import folders
from bench.submission.checks.of_digests import DRAWN
from bench.submission.contents import Contents
from bench.submission.names import cloak, cloak_file
from bench.submission.report import Check

SHORT = 16
"""Digits of a digest in tables."""


def check_cloaks(contents: Contents) -> Check:
    """Each cloak is the file that its name says, and as far from its original as the table says."""
    check = Check("cloaks", "cloaked photos")
    held = {name for name in contents.files if cloak(name)}
    if not held:
        check.left["there are no photos in it"] += 1
        return check
    seen: set[str] = set()
    originals: dict[str, Originals] = {}
    for record in contents.records:
        photos = contents.photos.get(record.cell)
        if photos is None:
            continue
        if record.dataset.name != DRAWN:
            check.compare(record.dataset.name, "photos", "are in it", "not drawn, and belong in no pack")
            return check
        data = originals.setdefault(written(record.dataset, "datasets"), Originals(record.dataset))
        for row in _new(contents, record, held, seen):
            _compare(check, contents, data, photos, row)
    for name in sorted(held - seen):
        check.compare(name, "released", "is in it", "no released photo of these records")
    return check


class Originals:
    """The photos of a drawn data set, by the first digits of their digests."""

    def __init__(self, dataset: Named) -> None:
        """Nothing is drawn before it is asked for."""
        self._dataset = dataset

    @cached_property
    def _data(self) -> Any:
        return open_chosen(chosen_dataset(written(self._dataset, "datasets")), folders(), Silent())

    @cached_property
    def _names(self) -> dict[str, str]:
        return {self._data.digest(name)[:SHORT]: name for name in self._data.catalogue().photos}

    def read(self, photo: str) -> Any:
        """A photo, uint8 [height, width, 3]; None where there is none of this digest."""
        name = self._names.get(photo)
        return None if name is None else decode(self._data.read([name])[0])


def _new(contents: Contents, record: CellRecord, held: set[str], seen: set[str]) -> Iterator[int]:
    """The rows of a cell whose cloaks are in the pack and were not looked at yet."""
    for row, released in enumerate(contents.photos[record.cell]["released"]):
        name = cloak_file(str(released))
        if name in held and name not in seen:
            seen.add(name)
            yield row


def _compare(check: Check, contents: Contents, data: Originals, photos: Any, row: int) -> None:
    name = cloak_file(str(photos["released"][row]))
    try:
        pixels = decode(contents.files[name])
    except UnreadablePhoto as error:
        check.compare(name, "pixels", str(error), "a photo")
        return
    check.compare(name, "digest of pixels", str(photos["released"][row]), array_digest(pixels)[:SHORT])
    try:
        original = data.read(str(photos["photo"][row]))
    except UserError as error:
        check.left[str(error)] += 1
        return
    if original is None or original.shape != pixels.shape:
        check.compare(name, "original", str(photos["photo"][row]), "no photo of the data set of this size")
        return
    change = np.abs(pixels.astype(np.int16) - original.astype(np.int16))
    if "photo_linf" in photos:
        check.compare(name, "photo_linf", photos["photo_linf"][row], float(change.max()))
        rmse = float(np.sqrt((change.astype(np.float64) ** 2).mean()))
        check.compare(name, "photo_rmse", photos["photo_rmse"][row], rmse)
