"""Costs that come with the package, for machines that have measured nothing yet.

They are read off the committed results: what records say of cloaking and of attacks, and what was measured of
detectors, of encoders and of the renderer. `python -m bench.costs.carried` writes `carried.json` anew.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bench.costs.measured import Measured, Spent, parse
from bench.costs.work import Work, telling
from bench.errors import UserError
from bench.parameters import Plain
from bench.records import files
from bench.records.record import CellRecord
from bench.store.writing import write_whole

FILE = Path(__file__).with_name("carried.json")
_RESULTS = Path(__file__).resolve().parents[2] / "results"
_PERFORMANCE = _RESULTS / "performance" / "benchmarks.json"
_ENCODERS = _RESULTS / "encoders" / "verification.json"


def carried(device: str) -> list[Measured]:
    """Costs that another machine measured on such a device."""
    kind = device.partition(":")[0]
    return [one for one in map(parse, json.loads(FILE.read_text("utf-8"))["costs"]) if one.device == kind]


def of_records(records: Sequence[CellRecord]) -> Iterator[Measured]:
    """What records say: photos cloaked in a second, and seconds in which an attacker was tuned and judged."""
    spent: dict[str, tuple[Work, Spent]] = defaultdict(lambda: (Work("", {}), Spent()))
    peaks: dict[str, float] = defaultdict(float)
    for record in records:
        if record.cost.device != "cpu":
            continue
        for work, seconds in _parts(record):
            key = json.dumps(asdict(work), sort_keys=True)
            spent[key] = work, spent[key][1] + Spent(1, seconds, seconds)
            peaks[key] = max(peaks[key], record.cost.peak_memory_mib or 0.0)
    for key, (work, whole) in spent.items():
        yield Measured(work, whole, Spent(), peaks[key], "cpu", "")


def _parts(record: CellRecord) -> Iterator[tuple[Work, float]]:
    noun: dict[str, Plain] = {"defense": record.defense.name, "dataset": record.dataset.name}
    noun |= {"parameters": telling(record.defense.parameters), "budget": record.budget.partition(":")[0]}
    noun["surrogates"] = [card.name for card in record.surrogate]
    if record.cost.photos_per_second:
        yield Work("cloak", noun), 1 / record.cost.photos_per_second
    others = record.metrics.get("bcubed_f_background")
    if others is not None and "attack" in record.cost.seconds:
        sizes = record.scenario.parameters
        photos = sizes["users"] * sizes["photos"] + others.n
        attack: dict[str, Plain] = {"attacker": record.attacker.name, "level": record.level}
        attack |= {"parameters": telling(record.attacker.parameters)}
        yield Work("attack", attack, photos), record.cost.seconds["attack"]


def of_benchmarks(benchmarks: dict[str, Any], verifications: dict[str, Any]) -> Iterator[Measured]:
    """What was measured by itself: the detector, the renderer, and the encoders."""
    tests = {(test["test"], test["group"]): test for test in benchmarks["tests"]}
    piece = partial(_piece, tests)
    drawn, found = piece("draw_photos", "draw photos"), piece("detect", "detect 250, faces from 40 px")
    detect = {"detector": "mtcnn", "channel": "none"}
    yield _measured("detect", {**detect, "decoded": True}, found, found)
    yield _measured(
        "detect", {**detect, "decoded": False, "dataset": "synthetic"}, drawn + found, drawn + found
    )
    yield _measured("read", {"dataset": "synthetic", "channel": "none"}, drawn, drawn)
    for one in verifications["verifications"]:
        speed = one["speed"]
        noun = {"encoder": one["encoder"]["name"], "looks": 0, "precision": "fp32"}
        yield _measured("embed", noun, 1 / speed["photos_per_second"], 1 / speed["photos_per_core_second"])


def _piece(tests: dict[tuple[str, str], dict[str, Any]], name: str, group: str) -> float:
    test = tests[name, group]
    return float(test["seconds"] / test["extra_info"]["photos"])


def _measured(kind: str, noun: dict[str, Any], seconds: float, core_seconds: float) -> Measured:
    return Measured(Work(kind, noun), Spent(1, seconds, core_seconds), Spent(), 0.0, "cpu", "")


def _all_records() -> Iterator[CellRecord]:
    for folder in sorted(path for path in _RESULTS.iterdir() if path.is_dir()):
        try:
            yield from files.read(folder)
        except UserError:
            sys.stderr.write(f"{folder.name} has no records of cells\n")


if __name__ == "__main__":
    standalone = json.loads(_PERFORMANCE.read_text("utf-8")), json.loads(_ENCODERS.read_text("utf-8"))
    costs = [asdict(one) for one in (*of_records(list(_all_records())), *of_benchmarks(*standalone))]
    source = "results/: cost of records, performance/benchmarks.json, encoders/verification.json"
    lines = ",\n".join(map(json.dumps, costs))
    write_whole(FILE, f'{{"source": {json.dumps(source)}, "costs": [\n{lines}\n]}}\n'.encode())
