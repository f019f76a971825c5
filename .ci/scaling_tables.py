"""The tables and the figure of docs/large-matrix.md, made of the record of scaling.py."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from architecture import STYLE
from performance_tables import table

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "results" / "scaling" / "scaling.json"
FIGURE = ROOT / "docs" / "scaling.svg"


def curves() -> dict[str, dict[str, float]]:
    """What else takes time -> workers -> hours; both in the order of what they come to."""
    hours: dict[str, dict[str, float]] = record("simulated")["hours"]
    return {
        scene: {n: hours[scene][n] for n in sorted(hours[scene], key=int)}
        for scene in sorted(hours, key=lambda scene: hours[scene]["1"])
    }


def record(half: str) -> dict[str, Any]:
    """One half of the record."""
    held: dict[str, Any] = json.loads(RECORD.read_text("utf-8"))[half]
    return held


def printed(name: str) -> str:
    """One table, as Markdown."""
    return {"measured": measured, "simulated": simulated}[name]()


def measured() -> str:
    """A row an engine."""
    seconds = record("measured")["seconds"]
    rows = [
        [f"`{engine}`", f"{took:g}", f"{seconds['local'] / took:.2f}"] for engine, took in seconds.items()
    ]
    return table(("engine", "seconds", "times as fast as `local`"), rows)


def simulated() -> str:
    """A row a number of workers: hours, and the share of them that is work, with each thing that delays."""
    scenes = curves()
    alone = next(iter(scenes.values()))["1"]
    rows = []
    for workers in next(iter(scenes.values())):
        hours = [curve[workers] for curve in scenes.values()]
        rows.append([f"{int(workers):,}", *(f"{h:.2f} ({alone / h / int(workers):.0%})" for h in hours)])
    return table(("workers", *scenes), rows)


def drawn(*, check: bool) -> list[str]:
    """Draw the figure, or see that it is what it would be; its name if it differs."""
    svg = _figure(curves())
    if FIGURE.exists() and FIGURE.read_text("utf-8") == svg:
        return []
    if not check:
        FIGURE.write_text(svg, "utf-8")
    return [FIGURE.name]


def _figure(scenes: dict[str, dict[str, float]]) -> str:
    """Hours over workers, both logarithmic; one line a scene, told apart by its dashes."""
    top = max(max(curve.values()) for curve in scenes.values())
    x = {n: 70 + 500 * math.log10(int(n)) / 3 for n in next(iter(scenes.values()))}
    lines = [
        '<text x="320" y="330" class="small">workers</text>',
        '<text x="24" y="16" class="small left">hours</text>',
    ]
    for n, at in x.items():
        lines.append(f'<text x="{at:.0f}" y="308" class="small">{int(n):,}</text>')
    for hours in (1, 2, 5, 10, 20):
        at = _height(hours, top)
        lines.append(f'<text x="44" y="{at + 4:.0f}" class="small">{hours}</text>')
        lines.append(f'<path d="M60 {at:.0f} H580" class="truth"/>')
    for number, (scene, curve) in enumerate(scenes.items()):
        points = " L".join(f"{x[n]:.1f} {_height(hours, top):.1f}" for n, hours in curve.items())
        dashes = ("", "7 4", "2 3")[number]
        lines.append(f'<path d="M{points}" style="stroke-width: 2px; stroke-dasharray: {dashes or "none"}"/>')
        lines.append(f'<path d="M70 {356 + 20 * number} h40" style="stroke-dasharray: {dashes or "none"}"/>')
        lines.append(f'<text x="118" y="{360 + 20 * number}" class="small left">{escape(scene)}</text>')
    title = "Hours of a suite by the number of workers, simulated"
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 420" role="img">'
    return "\n".join([head, f"<title>{title}</title>", STYLE, *lines, "</svg>", ""])


def _height(hours: float, top: float) -> float:
    least = 0.5
    return 290 - 260 * math.log10(hours / least) / math.log10(top / least)
