"""Check a GPU: does it compute what the CPU computes, how fast is it, and how much memory does it take?

`make gpu-check` runs all steps in less than eight minutes and writes one JSON file, anew after every step.
Without a CUDA device, or with `--dry`, the same steps run small on the CPU: that shows that they work, and
says nothing about any GPU. A step whose package is missing is skipped, and the record says which it is.

Exit status: 0 all is well; 1 a limit is broken or a step crashed; 2 a mistake in what was typed, or no torch;
3 time ran out before some steps.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # nothing needs to be installed: the checkout is enough
    sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from measuring.record import Record

SECONDS = 460
"""No step is started that might end later; the rest of eight minutes is for what overruns."""


def say(line: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"gpu-check: {line}\n")


def asked(arguments: list[str]) -> argparse.Namespace:
    """What was typed; ends with status 2 for a mistake."""
    parser = argparse.ArgumentParser("gpu_check.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dry", action="store_true", help="the same steps, small, on the CPU")
    parser.add_argument("--device", default="auto", help="auto, cuda or cuda:1")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="no step is started that may end later"
    )
    parser.add_argument("--out", type=Path, help="the JSON file; by default out/gpu-NAME-OF-THE-CARD.json")
    parser.add_argument("--commit", help="of the code, where this folder is no checkout")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the steps and write the record; the exit status."""
    typed = asked(arguments)
    try:
        from bench.errors import UserError
        from bench.machine.devices import device
        from measuring import machine, record, running, setting, steps
    except ModuleNotFoundError as error:
        say(f"needs the package {error.name}. Type: make env")
        return 2
    try:
        where = "cpu" if typed.dry else device(typed.device)
    except UserError as error:
        say(str(error))
        return 2
    real_data = os.environ.get("BENCH_REAL_DATA")
    if machine.on_gpu(where):
        sizes = setting.Setting(where, real_data=real_data)
    else:
        sizes = setting.small(real_data)
        if not typed.dry:
            say("no CUDA device is here. The steps run small on the CPU, as with --dry.")
    about = machine.described(where)
    if typed.commit:
        about["commit"] = typed.commit
    empty = record.Record(not machine.on_gpu(where), about, sizes.plain(), typed.seconds)
    path = typed.out or ROOT / "out" / empty.file_name
    done = running.run(steps.STEPS, sizes, empty, path, say)
    say(told(done, path))
    return status(done)


def told(done: Record, path: Path) -> str:
    """How many steps ended how, and what to do with the record."""
    counts: dict[str, int] = {}
    for step in done.steps:
        counts[step.status] = counts.get(step.status, 0) + 1
    ends = ", ".join(f"{count} {status}" for status, count in counts.items())
    use = "says nothing about a GPU" if done.dry else f"is shown by: python .ci/performance.py {path}"
    return f"{ends}, in {done.seconds:.0f} s. {path} {use}"


def status(done: Record) -> int:
    """0 when all is well; see above."""
    if done.count("failed", "crashed"):
        return 1
    return 3 if done.count("not started") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
