"""The pictures of docs/architecture.md: the rooms, drawn from imports, and the flow, drawn from `STEPS`.

`python .ci/pages.py` draws docs/rooms.svg and docs/flow.svg, and writes the page's table of rooms. The text
of a picture is text; it is dark on light pages and light on dark ones.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PLUGINS = ("defenses", "attackers", "datasets")

Graph = Mapping[str, set[str]]

STYLE = """<style>
text { font-family: sans-serif; font-size: 14px; fill: #1f2328; text-anchor: middle }
.small { font-size: 11px; fill: #59636e }
.left { text-anchor: start }
rect { fill: #ffffff; stroke: #59636e; rx: 6px }
.plugin { stroke-dasharray: 5 3 }
path { fill: none; stroke: #818b98; stroke-width: 1.3px }
.head { fill: #818b98; stroke: none }
.truth { stroke-dasharray: 3 4 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .small { fill: #9198a1 }
  rect { fill: #151b23; stroke: #9198a1 }
  path { stroke: #656c76 }
  .head { fill: #656c76 }
}
</style>
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path class="head" d="M0,0 L8,4 L0,8 z"/></marker></defs>
"""


def rooms() -> dict[str, list[Path]]:
    """The files of every room of `bench/`, by the room's name."""
    folders = sorted(path for path in (ROOT / "bench").iterdir() if (path / "__init__.py").is_file())
    return {folder.name: sorted(folder.rglob("*.py")) for folder in folders}


def shelf() -> list[str]:
    """The modules at the top level of `bench/`, which belong to no room."""
    return sorted(path.stem for path in (ROOT / "bench").glob("*.py") if path.stem != "__init__")


def imports(file: Path) -> set[str]:
    """Absolute names of what a file imports when it runs; what stands under TYPE_CHECKING does not count."""
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            node.body = [ast.Pass()]
    package = file.relative_to(ROOT).parent.parts
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def graph() -> dict[str, set[str]]:
    """Every room, and the rooms that it imports."""
    files = rooms()
    return {
        room: {part for file in files[room] for part in _rooms_of(imports(file), files)} - {room}
        for room in files
    }


def _rooms_of(names: Iterable[str], among: Iterable[str]) -> set[str]:
    return {parts[1] for name in names if (parts := name.split("."))[0] == "bench" and len(parts) > 1} & {
        *among
    }


def reached(edges: Graph, room: str) -> set[str]:
    """Every room that a room imports, also through others."""
    return edges[room].union(*(reached(edges, other) for other in edges[room]))


def reduced(edges: Graph) -> dict[str, set[str]]:
    """The arrows without those that others imply (the transitive reduction of a graph without circles)."""
    return {
        room: {to for to in direct if not any(to in reached(edges, other) for other in direct - {to})}
        for room, direct in edges.items()
    }


def floors(edges: Graph) -> dict[str, int]:
    """The floor of every room, the lowest 0: a room stands one floor above the highest that it imports."""
    height: dict[str, int] = {}
    while len(height) < len(edges):
        for room, below in edges.items():
            if below <= set(height):
                height.setdefault(room, max((height[other] + 1 for other in below), default=0))
    return height


def ways(edges: Graph) -> list[list[str]]:
    """The arrows as ways from floor to floor; an arrow over several floors has a bend on each between."""
    height = floors(edges)
    return [
        [room, *(f"{room}>{other}@{level}" for level in range(height[room] - 1, height[other], -1)), other]
        for room, below in reduced(edges).items()
        for other in sorted(below)
    ]


def places(edges: Graph) -> tuple[dict[str, tuple[float, int]], float]:
    """The distance from the left and the floor of every room and every bend, and the width of it all.

    A floor is ordered so that each stands near what it is connected with (Sugiyama, Tagawa and Toda 1981).
    """
    height = floors(edges)
    links: dict[str, set[str]] = {}
    for way in ways(edges):
        for upper, lower in pairwise(way):
            links.setdefault(upper, set()).add(lower)
            links.setdefault(lower, set()).add(upper)
    level = height | {name: int(name.split("@")[1]) for name in links if "@" in name}
    rows = [
        sorted(name for name in level if level[name] == floor) for floor in range(max(height.values()) + 1)
    ]
    at = {name: float(i) for row in rows for i, name in enumerate(row)}
    for sweep in range(24):
        for floor in range(len(rows)) if sweep % 2 else reversed(range(len(rows))):
            near = floor + (-1 if sweep % 2 else 1)
            mean = {
                name: fmean(
                    [at[other] for other in links.get(name, ()) if level[other] == near] or [at[name]]
                )
                for name in rows[floor]
            }
            rows[floor].sort(key=lambda name: (mean[name], name))
            sizes = [26.0 if "@" in name else 166.0 for name in rows[floor]]
            left = -sum(sizes) / 2
            for i, name in enumerate(rows[floor]):
                at[name] = left + sum(sizes[:i]) + sizes[i] / 2
    width = 2 * max(abs(x) for x in at.values()) + 200
    return {name: (at[name] + width / 2, level[name]) for name in at}, width


def purpose(room: str) -> str:
    """What a room is for: the first line of its docstring."""
    text = ast.get_docstring(ast.parse((ROOT / "bench" / room / "__init__.py").read_text("utf-8"))) or ""
    return text.splitlines()[0].removesuffix(".") if text else ""


def table() -> str:
    """The rooms as a Markdown table, the highest floor first."""
    edges = graph()
    lines = ["| room | what it is for | imports |", "| --- | --- | --- |"]
    height = floors(edges)
    for room in sorted(edges, key=lambda name: (-height[name], name)):
        below = ", ".join(sorted(edges[room]))
        lines.append(f"| `{room}/` | {purpose(room)} | {below} |")
    return "\n".join(lines) + "\n"


def _svg(width: int, height: int, title: str, body: list[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title>", STYLE + "\n".join(body), "</svg>", ""])


def _box(x: float, y: float, width: int, height: int, lines: list[str], kind: str = "") -> list[str]:
    """A box around a point: the first line large, the others small."""
    shape = f'<rect x="{x - width / 2:.0f}" y="{y - height / 2:.0f}" width="{width}" height="{height}"'
    top = y + 5 - 7 * (len(lines) - 1)
    looks = ("", *[' class="small"'] * (len(lines) - 1))
    texts = [
        f'<text x="{x:.0f}" y="{top + 15 * i:.0f}"{look}>{escape(line)}</text>'
        for i, (line, look) in enumerate(zip(lines, looks, strict=True))
    ]
    return [f'{shape} class="{kind}"/>' if kind else f"{shape}/>", *texts]


def rooms_picture() -> str:
    """The map of the rooms: an arrow leads from a room to one that it imports."""
    edges = graph()
    step, box_width, box_height = 84, 150, 36
    spots, exact = places(edges)
    width = round(exact)
    height = step * (max(floor for _, floor in spots.values()) + 2) + 20
    place = {name: (x, float(height - 110 - step * floor)) for name, (x, floor) in spots.items()}
    half = box_height / 2
    body = []
    for way in ways(edges):
        x, y = place[way[0]]
        curve = f"M{x:.0f},{y + half:.0f}"
        y += half
        for name in way[1:]:
            x1, y1 = place[name]
            top = y1 - half
            bend = (top - y) / 2
            curve += f" C{x:.0f},{y + bend:.0f} {x1:.0f},{top - bend:.0f} {x1:.0f},{top:.0f}"
            x, y = x1, top
            if "@" in name:
                y = y1 + half
                curve += f" L{x:.0f},{y:.0f}"
        body.append(f'<path d="{curve}" marker-end="url(#arrow)"/>')
    for room in edges:
        body += _box(*place[room], box_width, box_height, [room])
    low = height - 40
    body += _box(width * 0.31, low, round(width * 0.52), 44, ["the shelf", ", ".join(shelf())])
    plugins = [", ".join(PLUGINS), "plug-ins: they import the shelf"]
    body += _box(width * 0.8, low, round(width * 0.34), 44, plugins, "plugin")
    return _svg(
        width, height, "The rooms of cloakbench: an arrow leads from a room to one that it imports", body
    )


@dataclass(frozen=True)
class Step:
    """A step of a cell.

    Attributes:
        name: What happens.
        rooms: The folders whose code does it.
        column: Its place from the left, from 0.
        row: Its place from the top, from 0.
    """

    name: str
    rooms: tuple[str, ...]
    column: float
    row: int


STEPS = {
    "dataset": Step("data set", ("datasets", "photos"), 0, 0),
    "split": Step("split by person", ("plan",), 1.5, 0),
    "cloak": Step("cloak", ("defenses", "optim"), 0, 1),
    "release": Step("release and measure", ("release",), 1.5, 1),
    "channel": Step("channel", ("channels",), 0, 2),
    "align": Step("detect and align", ("faces",), 1, 2),
    "embed": Step("embed", ("encoders", "recognition"), 2, 2),
    "attack": Step("cluster or identify", ("attackers", "attack"), 3, 2),
    "metrics": Step("metrics, uncertainty", ("metrics", "uncertainty"), 0, 3),
    "record": Step("record", ("records", "experiment"), 1.5, 3),
    "board": Step("board", ("board",), 3, 3),
}
"""The steps of a cell, in the order in which a photo meets them."""

FLOWS = (
    ("dataset", "split", "photos"),
    ("split", "cloak", "users' photos"),
    ("cloak", "release", "cloaks"),
    ("release", "channel", "8-bit files"),
    ("channel", "align", "photos"),
    ("align", "embed", "crops"),
    ("embed", "attack", "vectors"),
    ("attack", "metrics", "clusters or names"),
    ("metrics", "record", "scores"),
    ("record", "board", "cells"),
)
TRUTH = ("split", "metrics", "who is on each photo")
"""The one way of identities: around the defense, the encoder and the attacker."""

LANES = ("the data", "the user", "the attacker", "the judge")


def flow_picture() -> str:
    """The steps of a cell, from a data set to a board.

    Raises:
        SystemExit: A step names a folder that does not exist.
    """
    for step in STEPS.values():
        for room in step.rooms:
            if room not in {*rooms(), *PLUGINS}:
                raise SystemExit(f"architecture: step {step.name!r} names {room!r}, which is no room today.")
    width, height, box_width, box_height = 1020, 470, 176, 50
    place = {key: (205 + 232 * step.column, 60.0 + 110 * step.row) for key, step in STEPS.items()}
    body = []
    for start, end, label in FLOWS:
        (x0, y0), (x1, y1) = place[start], place[end]
        if y0 == y1:
            line = f"M{x0 + box_width / 2:.0f},{y0:.0f} L{x1 - box_width / 2:.0f},{y1:.0f}"
            at = (x0 + x1) / 2, y0 - 7
        else:
            middle = (y0 + y1) / 2
            line = (
                f"M{x0:.0f},{y0 + box_height / 2:.0f} L{x0:.0f},{middle:.0f} "
                f"L{x1:.0f},{middle:.0f} L{x1:.0f},{y1 - box_height / 2:.0f}"
            )
            at = (x0 + x1) / 2, middle - 5
        body.append(f'<path d="{line}" marker-end="url(#arrow)"/>')
        body.append(f'<text class="small" x="{at[0]:.0f}" y="{at[1]:.0f}">{escape(label)}</text>')
    start, end, label = TRUTH
    (x0, y0), (x1, y1) = place[start], place[end]
    bottom, right = height - 25, width - 15
    line = (
        f"M{x0 + box_width / 2:.0f},{y0:.0f} L{right},{y0:.0f} L{right},{bottom} "
        f"L{x1:.0f},{bottom} L{x1:.0f},{y1 + box_height / 2:.0f}"
    )
    body.append(f'<path class="truth" d="{line}" marker-end="url(#arrow)"/>')
    body.append(
        f'<text class="small" x="{(x0 + right) / 2 + 60:.0f}" y="{y0 - 7:.0f}">{escape(label)}</text>'
    )
    for row, lane in enumerate(LANES):
        body.append(f'<text class="small left" x="10" y="{64 + 110 * row}">{lane}</text>')
    for key, step in STEPS.items():
        body += _box(*place[key], box_width, box_height, [step.name, ", ".join(step.rooms)])
    return _svg(width, height, "A cell of cloakbench, from photos to a board", body)


PICTURES = {"rooms.svg": rooms_picture, "flow.svg": flow_picture}


def drawn(*, check: bool) -> list[str]:
    """Draw the pictures that differ from what the code draws now, and name them; `check` changes nothing."""
    differs = []
    for name, draw in PICTURES.items():
        file, picture = DOCS / name, draw()
        if not file.is_file() or file.read_text("utf-8") != picture:
            differs.append(name)
            if not check:
                file.write_text(picture, "utf-8")
    return differs
