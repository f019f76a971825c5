"""Tables and pictures on pages that a command makes: make them anew, or see that they are what it makes now.

A table stands between `<!-- bench board … -->`, `<!-- performance NAME -->` (see performance_tables.py and
gpu_tables.py) or `<!-- architecture rooms -->` (see architecture.py), and `<!-- end -->`. `python
.ci/pages.py` writes all of them and draws the pictures of architecture.py; `python .ci/pages.py --check`
changes nothing and ends with 1 if one differs.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import architecture
import gpu_tables
import performance_tables

ROOT = Path(__file__).resolve().parents[1]
TABLE = re.compile(r"<!-- (bench board|performance|architecture) ([^>]*?) -->\n(.*?)<!-- end -->", re.S)


def printed(verb: str, rest: str) -> str:
    """What a command prints, run from the root of the checkout."""
    if verb == "performance":
        return gpu_tables.printed() if rest == "gpu" else performance_tables.printed(rest)
    if verb == "architecture":
        return architecture.table()
    words = [sys.executable, "-m", "bench.cli", "board", *shlex.split(rest)]
    return subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def main(check: bool) -> int:
    """Go through the pictures, the README and the pages below `docs`."""
    differs = architecture.drawn(check=check)
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = page.read_text("utf-8")
        new = TABLE.sub(lambda m: f"<!-- {m[1]} {m[2]} -->\n{printed(m[1], m[2])}<!-- end -->", text)
        if new != text:
            differs.append(page.name)
            if not check:
                page.write_text(new, "utf-8")
    sys.stdout.write(f"{'differ' if check else 'written'}: {', '.join(differs) or 'none'}\n")
    return int(check and bool(differs))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
