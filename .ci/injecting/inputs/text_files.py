"""F9, F14, R4: suites, records and tables that somebody wrote, changed or damaged."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from injecting import watch
from injecting.inputs.checkout import Done
from injecting.inputs.seen import Input, Seen, all_of, refused
from injecting.inputs.workshop import ONE, Workshop

SUITES = {
    "budget = [8]": "budget = [8]",
    'dose = ["0.5"]': 'dose = ["0.5"]',
    "dose = [true]": "dose = [true]",
    "encoder = [1]": "encoder = [1]",
    'users = "3"': 'users = "3"',
}
"""Name of a variant -> a line of a suite."""


def suites(workshop: Workshop) -> Seen:
    """Suites with values of another type, and one without a defense; `--suite ""` and `--out ""`."""
    seen: dict[str, Seen] = {}
    for name, line in SUITES.items():
        suite = workshop.folder / f"{len(seen)}.toml"
        suite.write_text(f"[[run]]\ndefense = ['none']\nattacker = ['dbscan']\n{line}\n")
        seen[name] = refused(workshop.run(workshop.photos, "--suite", suite))
    suite = workshop.folder / "nobody.toml"
    suite.write_text("[[run]]\nattacker = ['dbscan']\n")
    seen["no defense"] = refused(workshop.run(workshop.photos, "--suite", suite))
    here = workshop.folder / "here"
    here.mkdir()
    for option in ("--suite", "--out"):
        seen[f'{option} ""'] = refused(workshop.run(workshop.photos, *ONE, option, "", here=here))
    if any(here.iterdir()):
        seen["the current folder"] = Seen("files in the current folder", False)
    return all_of(seen)


def _results(workshop: Workshop) -> Path:
    """A folder of records and tables that the checkout wrote."""
    out = workshop.folder / "written"
    if not out.exists():
        workshop.run(workshop.photos, *ONE, "--out", out)
    return out


def _copy(workshop: Workshop, name: str) -> Path:
    return shutil.copytree(_results(workshop), workshop.folder / name)


def _changed(workshop: Workshop, name: str, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of the records in which something is changed in the first cell."""
    out = _copy(workshop, name)
    document = json.loads((out / "records.json").read_text("utf-8"))
    change(document["cells"][0])
    (out / "records.json").write_text(json.dumps(document), "utf-8")
    return out


def tables(workshop: Workshop) -> Seen:
    """users.parquet without `cell`, empty, with its first row only, and as a text."""
    seen = {}
    changes: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
        "no column cell": lambda table: table.drop(columns="cell"),
        "empty": lambda table: table.iloc[:0],
        "first row only": lambda table: table.iloc[:1],
    }
    for name, change in changes.items():
        path = _copy(workshop, name) / "users.parquet"
        change(pd.read_parquet(path)).to_parquet(path)
        seen[name] = refused(_panel(workshop, path.parent), ".parquet")
    path = _copy(workshop, "a text") / "users.parquet"
    path.write_text("this is no table")
    seen["a text"] = refused(_panel(workshop, path.parent), "users.parquet")
    return all_of(seen)


def _panel(workshop: Workshop, out: Path) -> Done:
    return workshop.bench("board", out, "--view", "panel")


def _rate(value: Any, part: str = "value") -> Callable[[dict[str, Any]], None]:
    def change(cell: dict[str, Any]) -> None:
        cell["metrics"]["cfr"][part] = value

    return change


def rates(workshop: Workshop) -> Seen:
    """Rates that are none: NaN, 2.0, 5.0, 1e308, a negative one; n of 4,000 digits."""
    changes = {
        "NaN": _rate(float("nan")),
        "2.0": _rate(2.0),
        "5.0": _rate(5.0),
        "1e308": _rate(1e308),
        "-0.5": _rate(-0.5),
        "n of 4,000 digits": _rate(10**3999, "n"),
    }
    return all_of(
        {
            name: refused(workshop.bench("board", _changed(workshop, f"{number}", change)), "records.json")
            for number, (name, change) in enumerate(changes.items())
        }
    )


def contradictions(workshop: Workshop) -> Seen:
    """Two folders that have the same cell with different rates."""
    other = _changed(workshop, "other", _rate(0.5))
    return refused(workshop.bench("board", _results(workshop), other))


def strange_records(workshop: Workshop) -> Seen:
    """Records nested a thousandfold, without the right to read them, and with half a character."""
    nested = _copy(workshop, "nested")
    (nested / "records.json").write_text('{"cells": ' + "[" * 1000 + "]" * 1000 + "}")
    unreadable = _copy(workshop, "unreadable")
    (unreadable / "records.json").chmod(0)
    half = _copy(workshop, "half")
    text = (half / "records.json").read_text("utf-8").replace('"name": "dbscan"', '"name": "\\ud800"')
    (half / "records.json").write_text(text, "utf-8")
    surrogate = workshop.bench("board", half)
    seen = {
        "nested": refused(workshop.bench("board", nested), "records.json"),
        "unreadable": refused(
            workshop.bench("board", unreadable, before=watch.without_rights), "records.json"
        ),
        "half a character": Seen(str(surrogate), surrogate.status in (0, 2) and not surrogate.tracebacks),
    }
    return all_of(seen)


HOSTILE = {
    "html": ("<script>alert(1)</script>", r"<script>"),
    "md": ("[x](javascript:alert(1))", r"(?<!\\)\]\(javascript:"),
    "text": ("red \x1b[31m", r"\x1b\["),
    "csv": ("=cmd|'/C calc'!A0", r"(^|[,\"])=cmd"),
    "latex": ("\\input{/etc/passwd}", r"(?<!\\)\\input\{"),
}
"""Format -> a name in a record, and an expression for what must not come out of it."""


def hostile_names(workshop: Workshop) -> Seen:
    """Names in records that are code to a browser, to a terminal, to a spreadsheet or to LaTeX."""
    seen = {}
    listed = workshop.bench("board", "--help").out
    for form, (name, live) in HOSTILE.items():
        if form not in listed:
            continue

        def change(cell: dict[str, Any], name: str = name) -> None:
            cell["attacker"]["name"] = cell["defense"]["name"] = name

        done = workshop.bench("board", _changed(workshop, form, change), "--format", form)
        raw = re.search(live, done.out, re.M) is not None
        right = done.status in (0, 2) and not done.tracebacks and not raw
        seen[form] = Seen(f"{done}{', goes out raw' if raw else ''}", right)
    return all_of(seen)


INPUTS = (
    Input(
        "F9",
        "types-in-suites",
        f"suites with {', '.join(SUITES)}, and one without a defense; --suite '' and --out ''",
        "one line and exit 2; nothing in the current folder",
        suites,
    ),
    Input(
        "F14",
        "damaged-tables",
        "users.parquet without `cell`, empty, with its first row only, and as a text",
        "one line that names the file",
        tables,
    ),
    Input(
        "F14",
        "rates-that-are-none",
        "rates NaN, 2.0, 5.0, 1e308, -0.5; an n of 4,000 digits",
        "one line that names the file",
        rates,
    ),
    Input(
        "F14",
        "contradictions",
        "two folders that have the same cell with different rates",
        "one line",
        contradictions,
    ),
    Input(
        "R4",
        "strange-records",
        "records nested a thousandfold, without the right to read them, with half a character",
        "one line that names the file; half a character may be shown in another form",
        strange_records,
    ),
    Input(
        "R4",
        "hostile-names",
        "names in records that are code to a browser, a terminal, a spreadsheet or LaTeX",
        "none goes out as code",
        hostile_names,
    ),
)
