"""The tables and the figure of docs/large-matrix.md, made of the record of scaling.py."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from architecture import STYLE
from performance_tables import table

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "results" / "scaling" / "scaling.json"
FIGURE = ROOT / "docs" / "scaling.svg"
CORES = 2
"""Threads of the machine of `results/performance/benchmarks.json`."""

WORKERS = 100
_TYPICAL = "insightface_mobilefacenet_y1"
_ROW = 2700
"""Bytes of a store for an embedding of 512 numbers, at most (tests/store/test_cache.py)."""


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
    return {"measured": measured, "simulated": simulated, "million": million}[name]()


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


@dataclass(frozen=True)
class Million:
    """A million photos and thirty encoders, by what was measured on fewer.

    Attributes:
        seeing: Core-hours to decode the photos, and to find and align their faces, once.
        embedding: Core-hours for all encoders, each as fast as `insightface_mobilefacenet_y1`.
        on_a_gpu: Hours of the measured GPU for the same.
        attacking: Core-hours for the clusterers of the table of a million photos through each encoder.
        stored: Gigabytes of rows in a store: embeddings of 512 numbers.
        held: Gigabytes of one encoder's embeddings in memory.
        beside: Gigabytes that the hungriest of these clusterers took, at 128 numbers.
        shared: Hours of a hundred workers with two cores each, if all of it is shared.
    """

    seeing: float
    embedding: float
    on_a_gpu: float
    attacking: float
    stored: float
    held: float
    beside: float
    shared: float


def of_a_million(photos: int = 10**6, encoders: int = 30) -> Million:
    """Reckon it from the records of `make bench` and `make gpu-check`."""
    bench = json.loads((RECORD.parents[1] / "performance" / "benchmarks.json").read_text("utf-8"))
    cores, tests = CORES, bench["tests"]

    def hours(test: str, **parameters: object) -> float:
        """Hours of the machine for so many photos."""
        [found] = [
            t for t in tests if t["test"] == test and parameters.items() <= (t["params"] or {}).items()
        ]
        return float(photos * found["seconds"] / found["extra_info"]["photos"] / 3600)

    seeing = hours("decode") + hours("detect", photos=250, smallest=20) + hours("align")
    embedding = hours("embed", name=_TYPICAL, batch=24)
    clusterers = [t["extra_info"] for t in tests if t["test"] == "a_million_photos"]
    attacking = encoders * sum(each["processor_seconds"] for each in clusterers) / 3600
    gpu = json.loads((RECORD.parents[1] / "performance" / "gpu-nvidia-h200.json").read_text("utf-8"))
    [crops] = [
        figure["value"]
        for step in gpu["steps"]
        for figure in step["figures"]
        if (figure["subject"], figure["what"]) == (_TYPICAL, "fp32 embedding")
    ]
    return Million(
        seeing=cores * seeing,
        embedding=cores * encoders * embedding,
        on_a_gpu=encoders * photos / crops / 3600,
        attacking=attacking,
        stored=encoders * photos * _ROW / 1e9,
        held=photos * 512 * 4 / 1e9,
        beside=max(each["peak_mib"] for each in clusterers) * 2**20 / 1e9,
        shared=(cores * (seeing + encoders * embedding) + attacking) / cores / WORKERS,
    )


def million() -> str:
    """A row a part of the work."""
    plan = of_a_million()
    rows = [
        ["decode photos of 250 pixels, find and align faces, once", f"{plan.seeing:.0f} core-hours"],
        [
            "embed them by 30 encoders",
            f"{plan.embedding:.0f} core-hours, or {plan.on_a_gpu:.1f} h of one H200",
        ],
        [
            "`dbscan`, `components`, `louvain`, `chinese-whispers` through each",
            f"{plan.attacking:.1f} core-hours",
        ],
        ["the store", f"{plan.stored:.0f} GB"],
        ["embeddings of one encoder in a worker's memory", f"{plan.held:.1f} GB"],
        ["the hungriest of these clusterers, at 128 numbers", f"{plan.beside:.1f} GB"],
        [f"{WORKERS} workers with two cores each, if they share all of it", f"{plan.shared:.1f} h"],
    ]
    return table(("a million photos, 30 encoders", "takes"), rows)


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
