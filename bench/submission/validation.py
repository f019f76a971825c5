"""Everything of a submission that can be recomputed, recomputed."""

from __future__ import annotations

from pathlib import Path

from bench.machine.progress import Progress
from bench.submission.checks.of_attacks import check_attacks
from bench.submission.checks.of_cloaks import check_cloaks
from bench.submission.checks.of_digests import check_digests
from bench.submission.checks.of_files import check_boards, check_cells, check_files, check_manifests
from bench.submission.checks.of_photos import check_photos
from bench.submission.checks.of_records import check_controls, check_costs, check_flags, check_knowledge
from bench.submission.checks.of_users import check_users
from bench.submission.contents import Contents, open_contents
from bench.submission.manifest import Submission, read_submission
from bench.submission.names import SUBMISSION
from bench.submission.report import Report


def validate(path: Path, progress: Progress, *, digests: int | None = None) -> Report:
    """Recompute what can be recomputed of a pack or a folder.

    Args:
        path: The pack or the folder.
        progress: Told of cells that are resolved again.
        digests: How many cells are resolved again at most; None for all.

    Raises:
        UserError: It cannot be opened or read.
    """
    contents = open_contents(path)
    stated = read_submission(contents.files[SUBMISSION], str(path / SUBMISSION)) if contents.packed else None
    checks = (
        check_files(contents, stated),
        check_cells(contents),
        check_digests(contents, progress, digests),
        check_users(contents),
        *check_photos(contents),
        *check_costs(contents),
        check_controls(contents),
        check_knowledge(contents),
        check_flags(contents),
        check_manifests(contents),
        check_attacks(contents),
        check_cloaks(contents),
        check_boards(contents),
    )
    return Report(str(path), _about(contents, stated), checks)


def _about(contents: Contents, stated: Submission | None) -> str:
    records = contents.records
    whose = "" if stated is None or stated.by is None else f", by {stated.by}"
    over = contents.passed_over
    passed = f"; {len(over)} other files are passed over, such as {over[0]}" if over else ""
    return f"{len(records)} records of {records[0].protocol}{whose}{passed}"
