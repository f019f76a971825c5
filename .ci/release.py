"""Build a release, and try it in a clean environment of every Python that is at hand.

    python .ci/release.py [--constraints] [PYTHON ...]

Writes to `out/release`: the wheel, the source distribution, for each Python an SBOM (CycloneDX) of what it
got, and `checks.json`, which says what was tried. Without names it takes those of python3.11, python3.12 and
python3.13 that are on the PATH. `--constraints` also writes the versions that were tried to
`.ci/constraints/pythonX.Y.txt`.

The exit status is 1 if something failed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "out" / "release"
CONSTRAINTS = ROOT / ".ci" / "constraints"
PYTHONS = ("python3.11", "python3.12", "python3.13")
EXTRAS = ("communities", "dask", "dlib", "heic", "s3", "slurm")
"""All that users may ask for besides: pinned versions have to suit these too."""

RUN = (
    *("run", "--defense", "none", "--defense", "advmask:steps=4", "--surrogate", "synth-ir"),
    *("--attacker", "dbscan", "--encoder", "synth-ir", "--dataset", "synthetic:people=12,photos-each=4"),
    *("--users", "2", "--photos", "4", "--background", "2", "--json"),
)
TRIED: tuple[tuple[str, ...], ...] = (("--help",), ("doctor",), ("list", "defenses"), RUN)
"""Commands of a user who has nothing but the package."""


class FailedError(Exception):
    """A command that ended with another status than 0."""


def call(*command: str | Path, here: Path, variables: Mapping[str, str] | None = None) -> str:
    """What a command prints.

    Raises:
        FailedError: It ended with another status than 0.
    """
    done = subprocess.run(
        [str(word) for word in command],
        cwd=here,
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise FailedError(f"{' '.join(map(str, command))}: exit {done.returncode}: {done.stderr[-800:]}")
    return done.stdout


def runs(python: str) -> bool:
    """Whether there is such a Python: a name on the PATH may lead to nothing."""
    command = shutil.which(python)
    if command is None:
        return False
    return subprocess.run([command, "-c", ""], capture_output=True, check=False).returncode == 0


def build(here: Path) -> list[Path]:
    """The wheel and the source distribution, built from the files that git knows."""
    source = here / "source"
    source.mkdir()
    names = call("git", "ls-files", "-z", here=ROOT).split("\0")
    for name in filter(None, names):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    call(sys.executable, "-m", "build", "--outdir", OUT, source, here=here)
    return sorted(OUT.iterdir())


def pins(frozen: str) -> list[str]:
    """The lines of `pip freeze` as constraints: one version each, whatever build of it this machine has."""
    lines = []
    for line in frozen.splitlines():
        name, at, version = line.partition("==")
        if at and name != "cloakbench":
            lines.append(f"{name}=={version.partition('+')[0]}")
        elif " @ " in line:
            name, _, where = line.partition(" @ ")
            found = re.search(rf"{name.replace('-', '[-_]')}-([0-9][0-9.]*)", where, re.IGNORECASE)
            if found and name != "cloakbench":
                lines.append(f"{name}=={found[1].rstrip('.')}")
    return sorted(lines, key=str.lower)


def members(wheel: Path) -> dict[str, str]:
    """Name of a file in a wheel -> its digest, but for what names the archive itself."""
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        return {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
            if not name.endswith("RECORD")
        }


def try_in(python: str, wheel: Path, sdist: Path, here: Path) -> dict[str, Any]:
    """What one Python made of the release, in an environment of its own."""
    environment, home = here / "venv", here / "home"
    call(python, "-m", "venv", environment, here=here)
    inside = environment / "bin" / "python"
    call(inside, "-m", "pip", "install", "-q", f"{wheel}[{','.join(EXTRAS)}]", here=here)
    version = call(inside, "-c", "import sys; print('%d.%d' % sys.version_info[:2])", here=here).strip()
    variables = {"BENCH_HOME": str(home), "HOME": str(here), "PYTHONPATH": ""}
    (here / "empty").mkdir()
    for words in TRIED:
        call(environment / "bin" / "bench", *words, here=here / "empty", variables=variables)
    # the source distribution makes the same wheel
    call(inside, "-m", "pip", "wheel", "-q", "--no-deps", "-w", here / "again", sdist, here=here)
    [again] = (here / "again").glob("*.whl")
    if members(again) != members(wheel):
        raise FailedError(f"{sdist.name} makes another wheel than {wheel.name}")
    bill = OUT / f"sbom-python{version}.cdx.json"
    call(
        *(sys.executable, "-m", "cyclonedx_py", "environment", inside, "--output-reproducible"),
        *("--output-format", "JSON", "--output-file", bill),
        here=here,
    )
    frozen = pins(call(inside, "-m", "pip", "freeze", here=here))
    return {"python": version, "sbom": bill.name, "packages": frozen}


def main(arguments: Sequence[str]) -> int:
    """Build and try; the exit status."""
    parser = argparse.ArgumentParser(description="Build a release, and try it.")
    parser.add_argument("pythons", nargs="*", metavar="PYTHON", help="else those of 3.11 to 3.13 on the PATH")
    parser.add_argument("--constraints", action="store_true", help="write the versions that were tried")
    asked = parser.parse_args(arguments)
    pythons = asked.pythons or [name for name in PYTHONS if runs(name)]
    checks: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        files = build(here)
        [wheel] = [path for path in files if path.suffix == ".whl"]
        [sdist] = [path for path in files if path.name.endswith(".tar.gz")]
        for number, python in enumerate(pythons):
            began = time.monotonic()
            (here / str(number)).mkdir()
            try:
                check = try_in(python, wheel, sdist, here / str(number))
            except FailedError as error:
                check = {"python": python, "failed": str(error)}
            checks.append(check)
            sys.stderr.write(
                f"release: {python}: {check.get('failed', 'well')}, {time.monotonic() - began:.0f} s\n"
            )
            if asked.constraints and "failed" not in check:
                CONSTRAINTS.mkdir(exist_ok=True)
                text = "".join(f"{line}\n" for line in check["packages"])
                (CONSTRAINTS / f"python{check['python']}.txt").write_text(text, "utf-8")
    missing = [name for name in PYTHONS if not asked.pythons and name not in pythons]
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    document = {"files": digests, "checks": checks, "not at hand": missing}
    (OUT / "checks.json").write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return int(any("failed" in check for check in checks) or not checks)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
