"""Measure how a matrix scales over processes here, and simulate it over more workers; write the record.

    python .ci/scaling.py measured             # a small matrix on drawn faces, in fresh homes
    python .ci/scaling.py simulated --home DIR --suite paper --dataset lfw …   # by what stages took in DIR

Each writes its half of `results/scaling/scaling.json`; `python .ci/pages.py` makes the tables of
docs/large-matrix.md and the figure docs/scaling.svg of it. Options behind `--home DIR` are those of
`bench run`; cells that lie in DIR's store are simulated as if they did not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "results" / "scaling" / "scaling.json"
WORKERS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
SCENES: dict[str, dict[str, float]] = {
    "nothing else": {},
    "workers start for 20 s, a task waits 1 s for the store": {"start": 20.0, "task": 1.0},
    "the same, and one task of twenty takes four times as long": {
        "start": 20.0,
        "task": 1.0,
        "straggling": 0.05,
        "slow": 4.0,
    },
}
"""What else takes time -> the fields of `bench.engines.simulation.Delays`."""
MATRIX = (
    *("--defense", "none", "--defense", "noise", "--defense", "pgd", "--defense", "advmask"),
    *(
        "--attacker",
        "dbscan",
        "--attacker",
        "hdbscan",
        "--attacker",
        "agglomerative",
        "--attacker",
        "louvain",
    ),
    *("--encoder", "synth-ir", "--encoder", "synth-inc", "--encoder", "synth-vit"),
    *("--surrogate", "synth-ir", "--level", "adaptive", "--users", "10", "--photos", "6", "--device", "cpu"),
)
ENGINES = ("local", "processes:1", "processes:2")
TIMES = 1
DRAWS = 5


def keep(half: str, content: Any) -> None:
    """Put one half of the record beside the other."""
    held = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps(held | {half: content}, indent=1, sort_keys=True) + "\n", "utf-8")


def measured() -> dict[str, Any]:
    """Seconds by the clock of the small matrix by each engine, one thread a process, in a fresh home each."""
    seconds: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    for _ in range(TIMES):
        for engine in ENGINES:
            with tempfile.TemporaryDirectory() as home:
                environment = os.environ | {"BENCH_HOME": home, "OMP_NUM_THREADS": "1"}
                command = [sys.executable, "-m", "bench.cli", "run", *MATRIX, "--engine", engine, "--json"]
                began = time.monotonic()
                subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)
                seconds[engine].append(round(time.monotonic() - began, 1))
            sys.stderr.write(f"{engine}: {seconds[engine][-1]} s\n")
    return {"cores": os.cpu_count(), "seconds": {engine: median(all_) for engine, all_ in seconds.items()}}


def simulated(home: Path, options: list[str]) -> dict[str, Any]:
    """Hours by the clock of a matrix on many workers, by what its stages took on one."""
    sys.path.insert(0, str(ROOT))
    from bench.cli.run import read_command
    from bench.costs.measured import STAGE
    from bench.engines.schedule import Want
    from bench.engines.simulation import Delays, simulate
    from bench.experiment.forecast import forecast
    from bench.plan.cells import Cell, Plan
    from bench.plan.doors import COMMAND_LINE
    from bench.plan.spec import read_options
    from bench.plan.suites import load
    from bench.store.cache import Cache

    pairs = dict(zip(options[::2], options[1::2], strict=True))
    given = {name.removeprefix("--"): value for name, value in pairs.items()}
    suite = read_command({"suite": given.pop("suite")})["suite"]
    numbers = {name: int(value) if value.isdigit() else value for name, value in given.items()}
    with tempfile.TemporaryDirectory() as fresh:
        Cache(Path(fresh)).put_rows(STAGE, Cache(home).every_row(STAGE))
        os.environ["BENCH_HOME"] = fresh
        wants: dict[str, Want] = {}
        work: dict[str, Mapping[str, float]] = {}

        def heed(run: int, cell: Cell, plan: Plan, spent: Mapping[str, float]) -> None:
            wants[cell.digest] = Want.of(cell, run, plan)
            work[cell.digest] = spent

        made = forecast(load(str(suite), read_options(numbers, COMMAND_LINE)), None, heed)

    def usual(workers: int, delays: Delays) -> float:
        """Hours: the median over draws of which tasks straggle."""
        draws = DRAWS if delays.straggling else 1
        times = [simulate(wants, work, workers, delays, seed).seconds for seed in range(draws)]
        return round(median(times) / 3600, 3)

    curves = {scene: {n: usual(n, Delays(**delays)) for n in WORKERS} for scene, delays in SCENES.items()}
    return {
        "suite": suite,
        "options": numbers,
        "cells": len(wants),
        "complete": made.estimate.complete,
        "hours": curves,
    }


def main(arguments: list[str]) -> None:
    """Make one half of the record."""
    if arguments[:1] == ["measured"]:
        keep("measured", measured())
    elif arguments[:2] == ["simulated", "--home"]:
        keep("simulated", simulated(Path(arguments[2]), arguments[3:]))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
