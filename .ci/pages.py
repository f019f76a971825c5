"""Tables and pictures on pages that a command makes: make them anew, or see that they are what it makes now.

A table stands between `<!-- bench board … -->` or `<!-- bench compare … -->`, `<!-- performance NAME -->`
(see performance_tables.py and gpu_tables.py), `<!-- reliability NAME -->` (see reliability_tables.py),
`<!-- scaling NAME -->` (see scaling_tables.py),
`<!-- architecture rooms -->` (see architecture.py) or `<!-- options of bench run -->` (see options_table.py),
and `<!-- end -->`.
`python .ci/pages.py` writes all of them, draws the pictures of architecture.py and writes
`bench/experiment/options.py`; `python .ci/pages.py --check` changes nothing and ends with 1 if one differs.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import architecture
import gpu_tables
import options_table
import performance_tables
import reliability_tables
import scaling_tables

ROOT = Path(__file__).resolve().parents[1]
_VERBS = "bench board|bench compare|performance|reliability|scaling|architecture|options of"
TABLE = re.compile(rf"<!-- ({_VERBS}) ([^>]*?) -->\n(.*?)<!-- end -->", re.S)


def printed(verb: str, rest: str) -> str:
    """What a command prints, run from the root of the checkout."""
    if verb == "options of":
        return options_table.table()
    if verb == "performance":
        return gpu_tables.printed() if rest == "gpu" else performance_tables.printed(rest)
    if verb == "reliability":
        return reliability_tables.printed(rest)
    if verb == "scaling":
        return scaling_tables.printed(rest)
    if verb == "architecture":
        return architecture.table()
    words = [sys.executable, "-m", "bench.cli", *shlex.split(f"{verb} {rest}")[1:]]
    return subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def _with_tables(text: str) -> str:
    return TABLE.sub(lambda m: f"<!-- {m[1]} {m[2]} -->\n{printed(m[1], m[2])}<!-- end -->", text)


def main(check: bool) -> int:
    """Go through the pictures, the README, the pages below `docs`, and the one module that is printed."""
    differs = [*architecture.drawn(check=check), *scaling_tables.drawn(check=check)]
    pages = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    texts = {page: _with_tables(page.read_text("utf-8")) for page in pages}
    texts[ROOT / "bench" / "experiment" / "options.py"] = options_table.typed()
    for page, text in texts.items():
        if page.read_text("utf-8") != text:
            differs.append(page.name)
            if not check:
                page.write_text(text, "utf-8")
    sys.stdout.write(f"{'differ' if check else 'written'}: {', '.join(differs) or 'none'}\n")
    return int(check and bool(differs))


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
