"""Inject faults into the bench, count what came of them, and write the counts and the page.

    python .ci/reliability.py [NAME ...] [--seed N]
    python .ci/reliability.py [NAME ...] --inputs before|after [--code PATH]

runs the injections of `.ci/injecting` with these names, or all, and writes docs/reliability.md and
`results/reliability/injections/NAME.json`. The exit status is 1 when an outcome is wrong, and 2 when an
injection cannot be run here. With `--inputs`, it hands the inputs of `.ci/injecting/inputs` to the `bench` of
a checkout instead, and writes `results/reliability/inputs/before.json` or `after.json`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # this checkout's bench, whichever is installed

import pages  # noqa: E402

from injecting import counts  # noqa: E402
from injecting.injection import CannotInjectError, Injection, counts_of, known  # noqa: E402
from injecting.inputs import record  # noqa: E402


def say(line: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"reliability: {line}\n")


def run(injection: Injection, seed: int) -> int:
    """Run one injection as often as it says, write its counts, and return 0, 1 or 2."""
    say(f"{injection.name}: {injection.times} times, seed {seed}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            counted = counts_of(injection, injection.times, seed, Path(folder))
        except CannotInjectError as error:
            say(f"{injection.name}: cannot be run here: {error}; its former counts stay")
            return 2
    counts.write(injection, seed, counted)
    for outcome, count in counted.most_common():
        say(f"  {count} x {'' if outcome.right else 'WRONG: '}{outcome.says}")
    say(f"  in {time.monotonic() - began:.1f} s")
    return int(not all(outcome.right for outcome in counted))


def main(arguments: list[str]) -> int:
    """Run what was asked for; the worst status."""
    injections = known()
    parser = argparse.ArgumentParser(description="Inject faults and count what came of them.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of injections or inputs; else all")
    parser.add_argument("--seed", type=int, default=0, help="what is drawn; else 0")
    parser.add_argument("--inputs", choices=("before", "after"), help="the record of inputs that is written")
    parser.add_argument("--code", type=Path, default=ROOT, help="the checkout that gets them; else this one")
    asked = parser.parse_args(arguments)
    names = record.known() if asked.inputs else injections
    strange = sorted(set(asked.names) - names.keys())
    if strange:
        parser.error(f"there is no {', '.join(strange)}; there are: {', '.join(names)}")
    if asked.inputs:
        chosen = [given for name, given in record.known().items() if not asked.names or name in asked.names]
        seen = record.look(chosen, asked.code.resolve(), say)
        record.write(asked.inputs, asked.code.resolve(), seen)
        pages.main(check=False)
        return int(asked.inputs == "after" and not all(each["right"] for each in seen.values()))
    statuses = [run(injections[name], asked.seed) for name in asked.names or injections]
    pages.main(check=False)
    return 1 if 1 in statuses else max(statuses, default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
