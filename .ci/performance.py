"""What `make bench` and `make gpu-check` measured -> records that can be shown, and the tables on the pages.

`python .ci/performance.py out/benchmarks.json …` reduces files of pytest-benchmark, all of one machine and
one set of versions, to results/performance/benchmarks.json, then writes the tables anew. A test that was
measured twice counts as in the last file. A file of gpu-check becomes results/performance/gpu-CARD.json.
With `--add` before the files, what they do not have stays as it was measured on the same kind of machine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gpu_tables
import pages
from performance_tables import RECORD

KNOWN = ("system", "machine", "python_version", "threads", "packages", "gpu")


def reduced(runs: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The kind of machine, and each test's median seconds: what is not named here stays out.

    That is: host and user, paths, branch and project, single timings.

    Raises:
        SystemExit: if the runs are of different machines, versions or numbers of threads, and if a test has
            no group: a table would print `None` in its place.
    """
    machines, commits, tests = [], set(), {}
    for run in runs:
        info, cpu = run["machine_info"], run["machine_info"]["cpu"]
        known = {key: info[key] for key in KNOWN if key in info}
        machines.append({"processor": cpu["brand_raw"], "cores": cpu["count"], **known})
        commits.add(run["commit_info"].get("id"))
        for each in run["benchmarks"]:
            if each["group"] is None:
                raise SystemExit(
                    f"performance: {each['fullname']} has no group. Set benchmark.group before timing."
                )
            file, _, name = each["fullname"].partition("::")
            tests[each["fullname"]] = {
                "suite": Path(file).stem.removeprefix("test_perf_"),
                "test": name.partition("[")[0].removeprefix("test_"),
                "group": each["group"],
                "params": each["params"] or {},
                "seconds": each["stats"]["median"],
                "rounds": each["stats"]["rounds"],
                "extra_info": each["extra_info"],
            }
    if any(machine != machines[0] for machine in machines):
        raise SystemExit("performance: these files are of different machines, versions or threads.")
    return {"machine": machines[0], "commits": sorted(filter(None, commits)), "tests": list(tests.values())}


def added(held: dict[str, Any], fresh: dict[str, Any]) -> dict[str, Any]:
    """A record with some suites of tests measured anew: a table compares nothing across runs.

    Raises:
        SystemExit: if they are of different machines, versions or numbers of threads.
    """
    if held["machine"] != fresh["machine"]:
        raise SystemExit("performance: the record is of another machine, other versions or threads.")
    suites = {test["suite"] for test in fresh["tests"]}
    kept = [test for test in held["tests"] if test["suite"] not in suites]
    commits = sorted({*held["commits"], *fresh["commits"]})
    return {"machine": held["machine"], "commits": commits, "tests": kept + fresh["tests"]}


def main(files: list[str]) -> int:
    """Write the records and the pages."""
    add, files = files[:1] == ["--add"], [file for file in files if file != "--add"]
    if not files:
        raise SystemExit("performance: no file given. Type: python .ci/performance.py out/benchmarks.json")
    documents = {file: json.loads(Path(file).read_text("utf-8")) for file in files}
    checks = {file: document for file, document in documents.items() if "schema" in document}
    timed = [document for file, document in documents.items() if file not in checks]
    records = {gpu_tables.file_name(document, file): document for file, document in checks.items()}
    if timed:
        fresh = reduced(timed)
        records[RECORD.name] = added(json.loads(RECORD.read_text("utf-8")), fresh) if add else fresh
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    for name, record in records.items():
        text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (RECORD.parent / name).write_text(text, "utf-8")
    return pages.main(check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
