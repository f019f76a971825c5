"""The verdict for machines and people in CI: JUnit, a summary in Markdown, annotations, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from pydantic import TypeAdapter

from bench.board.render import md
from bench.board.table import Table
from bench.gate.rows import GateRow
from bench.gate.sentences import told
from bench.gate.table import COLUMNS, notes, reworded
from bench.gate.verdict import Verdict
from bench.gate.words import annotated, for_xml, short

MOST_ANNOTATIONS = 10
"""GitHub shows no more of one step."""

MOST_BYTES = 900_000
"""Of a summary; GitHub drops one of more than 1 MiB."""

_FOLDED = 500
"""Comparisons that are folded at most."""

_FIRST = 50
"""Comparisons that are shown before anything is folded; and obstacles, and notes."""


def to_json(verdict: Verdict) -> str:
    """The whole verdict."""
    document = TypeAdapter(Verdict).dump_python(verdict, mode="json")
    return json.dumps({"status": verdict.status, **document}, indent=1, allow_nan=False) + "\n"


def to_markdown(verdict: Verdict) -> str:
    """The verdict first, then what did not pass, then everything, folded."""
    bad = [row for row in verdict.rows if row.state != "passed"]
    below = notes(verdict)
    parts = [f"## bench gate: {verdict.verdict}\n\n{md.inline(short(verdict.headline, 1000))}\n"]
    parts += [_table([reworded(row, short) for row in bad[:_FIRST]])] if bad else []
    parts += ["".join(f"- {md.inline(short(text))}\n" for text in below[:_FIRST])] if below else []
    hidden = max(len(bad) - _FIRST, 0) + max(len(below) - _FIRST, 0)
    parts += [f"{hidden} more are left out here.\n"] if hidden else []
    parts.append(_folded(verdict.rows, sum(map(_size, parts))))
    return "\n".join(parts)


def _folded(rows: Sequence[GateRow], before: int) -> str:
    worded = [reworded(row, short) for row in rows[:_FOLDED]]
    shown = len(worded)
    text = _table(worded)
    while shown and before + _size(text) > MOST_BYTES:
        shown //= 2
        text = _table(worded[:shown])
    left = f"\n{len(rows) - shown} more are left out here.\n" if shown < len(rows) else ""
    title = f"<summary>All {len(rows)} comparisons</summary>"
    return f"<details>{title}\n\n{text}{left}\n</details>\n" if rows else ""


def _table(rows: Sequence[GateRow]) -> str:
    return md.render(Table(GateRow, tuple(rows), COLUMNS))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def to_junit(verdict: Verdict) -> str:
    """A test suite with one case a comparison, and one for everything that could not be compared."""
    suite = ElementTree.Element("testsuite", name="bench gate")
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}

    def case(classname: str, name: str, kind: str = "", message: str = "", of: str = "") -> None:
        counts["tests"] += 1
        element = ElementTree.SubElement(
            suite, "testcase", classname=for_xml(short(classname)), name=for_xml(short(name)), time="0"
        )
        if kind:
            counts[{"failure": "failures", "error": "errors", "skipped": "skipped"}[kind]] += 1
            inner = ElementTree.SubElement(element, kind, message=for_xml(short(message, 1000)))
            if kind != "skipped":
                inner.set("type", of)

    for row in verdict.rows:
        classname = ".".join((row.defense, row.scenario, row.budget, row.knowledge))
        name = f"{row.figure} {row.by} {row.attack}".strip()
        kind = {"weaker": "failure", "undecided": "failure", "acknowledged": "skipped"}.get(row.state, "")
        case(classname, name, kind, row.acknowledged or told(row), row.state)
    for text in verdict.obstacles:
        case("could not tell", text, "error", text, "could not tell")
    if verdict.verdict == "could not tell" and not verdict.obstacles:
        case("could not tell", verdict.headline, "error", verdict.headline, "could not tell")
    for name, count in counts.items():
        suite.set(name, str(count))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def commands(verdict: Verdict) -> Iterator[str]:
    """At most ten workflow commands, the reason first."""
    level = "notice" if verdict.verdict == "passed" else "error"
    lines = [(level, f"bench gate: {verdict.verdict}", verdict.headline)]
    lines += [("error", row.state, told(row)) for row in verdict.rows if row.state in ("weaker", "undecided")]
    lines += [("error", "could not compare", text) for text in verdict.obstacles]
    lines += [("warning", row.state, row.acknowledged) for row in verdict.rows if row.acknowledged]
    lines += [("warning", "bench gate", note) for note in verdict.notes]
    for kind, title, message in lines[:MOST_ANNOTATIONS]:
        escaped = annotated(short(message, 1000))
        yield f"::{kind} title={annotated(short(title), in_property=True)}::{escaped}"
