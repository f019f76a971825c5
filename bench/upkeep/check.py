"""Whether every stored result is whole."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.errors import cannot_read
from bench.machine.progress import Progress
from bench.store.seals import is_of_version_0_1
from bench.store.seals import opened as open_seal
from bench.upkeep.ledger import NOTES, files, opened


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        whole: Stage -> results that are as they were stored.
        damaged: Stage and key of those that are not.
        old: How many are of version 0.1, which this one does not use.
    """

    whole: dict[str, int]
    damaged: list[tuple[str, str]]
    old: int


def check(home: Path, progress: Progress) -> Checked:
    """Read every result and compare it with its checksum. Nothing is changed.

    Raises:
        UserError: There is no store, or it cannot be read.
    """
    whole: Counter[str] = Counter()
    damaged: list[tuple[str, str]] = []
    old = 0

    def judge(stage: str, key: str, value: bytes) -> None:
        nonlocal old
        if open_seal(stage, key, value) is None and is_of_version_0_1(value):
            old += 1
        elif open_seal(stage, key, value) is None:
            damaged.append((stage, key))
        elif stage not in NOTES:
            whole[stage] += 1

    with opened(home) as ledger, progress.stage("check", ledger.totals()[0]) as advance:
        for stage, key, value in ledger.connection.execute("SELECT stage, key, value FROM row"):
            judge(stage, key, value)
            advance(int(stage not in NOTES))
        for stage, key, path in files(ledger.folder):
            try:
                judge(stage, key, path.read_bytes())
            except OSError as error:
                raise cannot_read(error, str(path)) from error
            advance()
    return Checked(dict(sorted(whole.items())), damaged, old)
