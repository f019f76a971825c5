"""The section on GPUs of docs/performance.md, made of the records of `make gpu-check`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from performance_tables import CLOAKERS, RECORD, Test, arithmetic, cloaking, gpu_goals, number, table

from measuring.record import Figure, Record, read
from measuring.running import broken

UNMEASURED = (
    "**Unmeasured.** No record of a GPU is here. On a machine with CUDA, `make gpu-check` makes one, and "
    "`python .ci/performance.py out/gpu-*.json`\nputs it here.\n"
)


def file_name(document: dict[str, Any], name: str) -> str:
    """What the file of a card's record is called.

    Args:
        document: the record, parsed.
        name: of the file that it was read from, for the error.

    Raises:
        SystemExit: if it is no record of gpu-check, or one of a dry run.
    """
    record = read(document, name)
    if record.dry:
        raise SystemExit(f"performance: {name} is of a dry run on a CPU: no figure in it is a GPU's.")
    return record.file_name


def printed(folder: Path = RECORD.parent) -> str:
    """The sections of all cards, as Markdown; without a record, that nothing was measured."""
    files = sorted(folder.glob("gpu-*.json"))
    records = [read(json.loads(file.read_text("utf-8")), file.name) for file in files]
    return "\n".join(map(section, records)) or UNMEASURED


def section(record: Record) -> str:
    """One card: what it is, what was not run, and the figures."""
    parts = {
        "": _machine(record),
        "Steps that did not end well:": _not_run(record),
        "Goals, and the smallest and the largest value of all encoders:": gpu_goals(
            [*_embedded(record), *_cloaked(record)]
        ),
        "Parity with the CPU, the worst of all encoders:": _parity(record),
        "Embedding:": arithmetic(list(_embedded(record))),
        "Cloaking:": cloaking(list(_cloaked(record))),
        "Peak memory, besides the networks' weights:": _memory(record),
    }
    texts = [f"{head}\n\n{text}" if head else text for head, text in parts.items() if text]
    return "\n".join([f"### {record.machine['card']}\n", *texts])


def _machine(record: Record) -> str:
    about = record.machine
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    dirty = ", with changes" if about["dirty"] else ""
    rows = {
        "GPU": f"{about['memory_gib']:.0f} GiB, compute capability {about['capability']}",
        "software": f"CUDA {about['cuda']}, Python {about['python']}, {about['system']}",
        "packages": packages,
        "code": f"{about['commit'] or 'commit unknown'}{dirty}",
        "faces": about["faces"],
        "time": f"{record.seconds:.0f} s",
    }
    return table(["", ""], [[key, str(value)] for key, value in rows.items()])


def _not_run(record: Record) -> str:
    steps = [step for step in record.steps if step.status not in ("passed", "measured")]
    rows = [[step.name, step.status, "; ".join(filter(None, [step.reason, *broken(step)]))] for step in steps]
    return table(["step", "status", "why"], rows) if rows else ""


def _parity(record: Record) -> str:
    """For each limit the figure that is nearest to breaking it, or breaks it most."""
    worst: dict[tuple[str, str], Figure] = {}
    for step in record.steps:
        for figure in step.figures:
            if figure.limit is None:
                continue
            key = step.name, figure.what
            if key not in worst or _worse(figure, worst[key]):
                worst[key] = figure
    rows = [
        [step, f.what, f"{f.value:.6g}", f"{f.sign} {f.limit:g}", "yes" if f.passed else "no"]
        for (step, _), f in worst.items()
    ]
    return table(["step", "what", "worst", "limit", "kept"], rows)


def _worse(figure: Figure, other: Figure) -> bool:
    if math.isnan(figure.value) or math.isnan(other.value):
        return math.isnan(figure.value)
    return figure.value < other.value if figure.sign == "≥" else figure.value > other.value


def _values(record: Record, name: str) -> dict[str, dict[str, float]]:
    """Encoder -> what -> value, of the steps of one name, with or without a family behind a comma."""
    values: dict[str, dict[str, float]] = {}
    for step in record.steps:
        if step.name.partition(",")[0] == name:
            for figure in step.figures:
                values.setdefault(figure.subject, {})[figure.what] = figure.value
    return values


def _embedded(record: Record) -> Iterator[Test]:
    """The tests that `make bench` would have written."""
    batch = record.setting["batch"]
    for name, value in _values(record, "embedding").items():
        for precision in ("fp32", "bf16", "fp16"):
            if f"{precision} share of the limit" not in value:
                continue
            yield {
                "suite": "arithmetic",
                "test": "fraction_of_the_arithmetic_limit",
                "params": {"name": name, "precision": precision},
                "seconds": batch / value[f"{precision} embedding"],
                "extra_info": {
                    "device": "GPU",
                    "photos": batch,
                    "gflop_a_crop": value["arithmetic of a crop"],
                    "gflops": 1e3 * value[f"{precision} arithmetic"],
                    "limit_gflops": 1e3 * value[f"{precision} arithmetic limit"],
                    "fraction": value[f"{precision} share of the limit"],
                },
            }


def _cloaked(record: Record) -> Iterator[Test]:
    """The tests that `make bench` would have written."""
    photos = record.setting["batch"]
    for who in CLOAKERS:
        for name, value in _values(record, f"cloaking by {who}").items():
            if "success" in value:
                yield {
                    "suite": "cloaking",
                    "test": "projected_gradient_descent",
                    "params": {"arena": name, "who": who},
                    "seconds": photos / value["cloaking"],
                    "extra_info": {"photos": photos, "success": value["success"]},
                }


def _memory(record: Record) -> str:
    rows = []
    for step in record.steps:
        if step.kind == "memory":
            rows += [[f"`{f.subject}`", f.what, number(f.value)] for f in step.figures]
    return table(["encoder", "what", "MiB"], rows)
