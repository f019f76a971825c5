"""What `make bench` and `make gpu-check` measured -> records that can be shown, and the tables on the pages.

`python .ci/performance.py out/benchmarks.json …` reduces files of pytest-benchmark, all of one machine and
one set of versions, to results/performance/benchmarks.json, then writes the tables anew. A test that was
measured twice counts as in the last file. A file of gpu-check becomes results/performance/gpu-CARD.json.
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


def main(files: list[str]) -> int:
    """Write the records and the pages."""
    if not files:
        raise SystemExit("performance: no file given. Type: python .ci/performance.py out/benchmarks.json")
    documents = {file: json.loads(Path(file).read_text("utf-8")) for file in files}
    checks = {file: document for file, document in documents.items() if "schema" in document}
    timed = [document for file, document in documents.items() if file not in checks]
    records = {gpu_tables.file_name(document, file): document for file, document in checks.items()}
    if timed:
        records[RECORD.name] = reduced(timed)
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    for name, record in records.items():
        text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        (RECORD.parent / name).write_text(text, "utf-8")
    return pages.main(check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
