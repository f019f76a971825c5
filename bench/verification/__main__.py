"""`python -m bench.verification FOLDER`: put the figures of verification records on the encoders' cards."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from bench.encoders.measured import FILE
from bench.verification.records import VerificationRecord, read

_FIGURES = ("accuracy", "auc", "eer", "tar_far_1e2", "tar_far_1e3")


def figures(records: Iterable[VerificationRecord]) -> dict[str, dict[str, object]]:
    """Digest of weights -> what `measured.json` says of them; built-in encoders' cards have their own."""
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


def main(arguments: list[str] | None = None) -> int:
    """Rewrite `bench/encoders/measured.json`."""
    parser = argparse.ArgumentParser("python -m bench.verification", description=__doc__)
    parser.add_argument("folder", type=Path, help="with the verification.json of 'bench verify --out'")
    found = figures(read(parser.parse_args(arguments).folder))
    FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
