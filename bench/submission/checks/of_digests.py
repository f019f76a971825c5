"""Cells that are resolved again: from the options in a record to the digest that it bears.

Only cells on drawn faces are: other photos need not lie here. Nothing is run.
"""

from __future__ import annotations

import re
from typing import Any, Final

from bench.errors import UserError
from bench.experiment.again import OtherCellError, find_cell
from bench.experiment.recording import is_of
from bench.machine.progress import Progress
from bench.plan.scenarios import PROTOCOL
from bench.records.record import CellRecord, Named
from bench.submission.checks.of_users import place
from bench.submission.contents import Contents
from bench.submission.report import Check

DRAWN: Final = "synthetic"

_NAME = re.compile(r"(weighted:)?[\w.+=-]{1,200}")
_MOST_PHOTOS = 200_000
_MOST_DRAWS = 100


def check_digests(contents: Contents, progress: Progress, most: int | None) -> Check:
    """The digest of cells, and every field that is in it.

    Args:
        contents: Of the submission.
        progress: Told of every cell.
        most: How many are resolved at most; None for all.
    """
    check = Check("digests", "cells")
    resolved = 0
    for record in contents.records:
        if record.by is not None:
            check.left["an attack of somebody else is resolved from its assignment"] += 1
        elif record.dataset.name != DRAWN:
            check.left["the digest covers real photos, which are in no submission"] += 1
        elif record.protocol != PROTOCOL:
            check.left[f"they are of an older protocol than {PROTOCOL}"] += 1
        elif not _harmless(record):
            check.left["they name files, or sizes that nobody resolves for a stranger"] += 1
        elif most is not None and resolved >= most:
            check.left[f"more than {most}; --all-digests resolves each of them"] += 1
        else:
            resolved += 1
            try:
                _, cell = find_cell(record, progress)
            except OtherCellError:
                check.compare(place(record), "cell", record.cell, "another by its options and this program")
                continue
            except UserError:
                check.left["they need what is not here, such as the file of an encoder"] += 1
                continue
            check.compare(place(record), "fields that the digest covers", is_of(record, cell), True)
    return check


def _harmless(record: CellRecord) -> bool:
    """Whether resolving a stranger's record opens no file that it names, and draws no million photos."""
    named = [record.dataset, record.defense, record.attacker, record.adaptation, record.encoder]
    photos = _count(record.dataset, "people") * _count(record.dataset, "photos_each")
    names = all(map(_plain, (*named, *record.surrogate, *record.members)))
    return names and photos <= _MOST_PHOTOS and record.draw <= _MOST_DRAWS


def _plain(named: Named) -> bool:
    texts = [value for value in named.parameters.values() if isinstance(value, str)]
    return bool(_NAME.fullmatch(named.name)) and not any(":" in text or "\\" in text for text in texts)


def _count(named: Named, field: str) -> int:
    value: Any = named.parameters.get(field, 0)
    return value if isinstance(value, int) and value >= 0 else _MOST_PHOTOS + 1
