"""`python -m bench.verification FOLDER`: put the figures of verification records on cards and on a page."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.encoders.measured import FILE
from bench.errors import UserError
from bench.store.writing import write_whole
from bench.verification.records import VerificationRecord, read
from bench.verification.table import to_markdown

_BEGIN, _END = "<!-- made by ", "<!-- /made -->"
_FIGURES = ("accuracy", "auc", "eer", "tar_far_1e2", "tar_far_1e3")


def figures(records: Iterable[VerificationRecord]) -> dict[str, dict[str, object]]:
    """Digest of weights -> its figures for `measured.json`. The built-in encoders have cards of their own."""
    return {
        str(record.encoder.digest): {
            **{name: record.metrics[name].value for name in _FIGURES},
            "standard_error": record.standard_error,
            "dataset": record.dataset.name,
            "revision": record.dataset.digest,
            "pairs": record.pairs,
            "genuine": record.counts["genuine"],
            "impostor": record.counts["impostor"],
            "protocol": record.protocol,
        }
        for record in records
        if record.dataset.name != "synthetic"
    }


def page(text: str, records: Sequence[VerificationRecord]) -> str:
    """A page with the records' table between its two marks.

    Raises:
        UserError: The page has no such marks.
    """
    head, begin, rest = text.partition(_BEGIN)
    line, _, tail = rest.partition("\n")
    _, end, tail = tail.partition(_END)
    if not (begin and end):
        raise UserError(f"the page has no lines '{_BEGIN}...' and '{_END}' to put the table between.")
    return f"{head}{begin}{line}\n\n{to_markdown(records)}\n{end}{tail}"


def main(arguments: list[str] | None = None) -> int:
    """Rewrite `bench/encoders/measured.json`, and the table of a page."""
    parser = argparse.ArgumentParser("python -m bench.verification", description=__doc__)
    parser.add_argument("folder", type=Path, help="with the verification.json of 'bench verify --out'")
    parser.add_argument("--page", type=Path, help="whose table to rewrite: docs/verification.md")
    options = parser.parse_args(arguments)
    records = read(options.folder)
    if options.page is not None:
        text = page(options.page.read_text(encoding="utf-8"), records)
        write_whole(options.page, text.encode())
    write_whole(FILE, (json.dumps(figures(records), indent=1, sort_keys=True) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
