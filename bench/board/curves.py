"""Records -> curves: how a rate changes along one axis, with its interval at every point."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.board.tracks import FIGURES, differing, identity
from bench.board.user_tables import Users
from bench.errors import UserError, unknown_name
from bench.metrics.clustering import PROTOCOL
from bench.records.record import CellRecord, Named
from bench.uncertainty.intervals import wilson

AXES = {
    "distractors": "simulated strangers among the background",
    "dose": "share of a user's photos that are cloaked",
    "budget": "L-infinity budget, of 255",
    "coverage": "share of a user's photos that one cluster must hold to count",
    "calibration": "candidates that the attacker was tuned over, on calibration people",
}
"""Name -> what it says below the figure."""

_PARTS: dict[str, Callable[[CellRecord], Named]] = {
    "dataset": lambda r: r.dataset,
    "defense": lambda r: r.defense,
    "encoder": lambda r: r.encoder,
    "attacker": lambda r: r.attacker,
    "adaptation": lambda r: r.adaptation,
}


@dataclass(frozen=True)
class Point:
    """One point of a curve; `low` and `high` are NaN where there is no interval."""

    x: float
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """Points of one defense and attacker, by x.

    Attributes:
        name: what tells it from the other curves.
        figure: `cfr`, `psr1`, `protection_rate`, or `bcubed_f` of calibration people.
        points: in increasing order of x.
    """

    name: str
    figure: str
    points: tuple[Point, ...]


def curves(records: Iterable[CellRecord], users: Users, axis: str) -> list[Curve]:
    """All curves that records hold along an axis.

    Args:
        records: those that are not ok are left out.
        users: per-user tables of their cells; needed for `coverage`.
        axis: one of `AXES`.

    Raises:
        UserError: for an unknown axis, and for records that have nothing along it.
    """
    if axis not in AXES:
        raise unknown_name("axis", axis, AXES, command="bench curve --help")
    made = {"coverage": _coverage, "calibration": _calibration}.get(axis) or _along(axis)
    whole = [record for record in records if record.status == "ok"]
    found: dict[tuple[str, str], dict[float, Point]] = defaultdict(dict)
    names = _names(whole, axis)
    for record in whole:
        for figure, points in made(record, users.get(record.cell, {})).items():
            for point in points:
                found[names[record.cell], figure].setdefault(point.x, point)
    out = [
        Curve(name, figure, tuple(points[x] for x in sorted(points)))
        for (name, figure), points in found.items()
        if len(points) > 1
    ]
    if not out:
        raise UserError(
            f"these records have no two points along {axis!r}. A run with several values makes them, such as "
            "'bench run --distractors 0 --distractors 1000 …'."
        )
    return out


def draw(path: Path, found: Sequence[Curve], axis: str) -> None:
    """Draw curves with their intervals; the name's end says the format, such as `.png` or `.svg`.

    Raises:
        UserError: for a format that there is not, or a file that cannot be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, plot = pyplot.subplots(figsize=(11, max(5, 0.2 * len(found))), layout="constrained")
    for number, curve in enumerate(found):
        x = [point.x for point in curve.points]
        style = ("-", "--", ":")[number // 10 % 3]  # there are ten colours
        line = plot.plot(x, [p.value for p in curve.points], style, marker="o", label=curve.name)[0]
        low, high = ([getattr(p, end) for p in curve.points] for end in ("low", "high"))
        if np.isfinite(low).all():
            plot.fill_between(x, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    if axis == "distractors":
        plot.set_xscale("symlog", linthresh=100)
    plot.set(xlabel=AXES[axis], ylabel=" / ".join(dict.fromkeys(c.figure for c in found)), ylim=(-0.03, 1.03))
    figure.legend(loc="outside right upper", fontsize="small")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot draw {path}: {error}. Try --out curve.png.") from error
    finally:
        pyplot.close(figure)


def _along(axis: str) -> Callable[[CellRecord, Mapping[str, Sequence[Any]]], dict[str, list[Point]]]:
    """Main figures at the record's own place on an axis."""

    def made(record: CellRecord, users: Mapping[str, Sequence[Any]]) -> dict[str, list[Point]]:
        del users
        kind, _, number = record.budget.partition(":")
        if axis == "budget" and kind != "linf":
            return {}
        x = float(number) if axis == "budget" else float(getattr(record, axis))
        out: dict[str, list[Point]] = {}
        for name in FIGURES:
            metric = record.metrics.get(name)
            if metric is not None and metric.value is not None:
                low, high = (np.nan if end is None else end for end in (metric.low, metric.high))
                out[name] = [Point(x, metric.value, low, high)]
        return out

    return made


def _coverage(record: CellRecord, users: Mapping[str, Sequence[Any]]) -> dict[str, list[Point]]:
    """CFR for every coverage that could be asked for, support and purity as in the protocol."""
    if "cfr" not in record.metrics or "coverage" not in users:
        return {}  # an identifier's cell: the columns that the folder has for clusterers are empty
    support = np.asarray(users["support"], np.int64)
    purity, coverage = (np.asarray(users[name], np.float64) for name in ("purity", "coverage"))
    points = []
    for least in np.arange(1, 11) / 10:
        criterion = replace(PROTOCOL, coverage=float(least))
        hits = int(criterion.met(support, purity, coverage).sum())
        points.append(Point(float(least), hits / support.size, *wilson(hits, support.size)))
    return {"cfr": points}


def _calibration(record: CellRecord, users: Mapping[str, Sequence[Any]]) -> dict[str, list[Point]]:
    """BCubed F on calibration people for each candidate; by its number where candidates are not numbers."""
    del users
    grid = record.calibrated.get("grid")
    places = grid if isinstance(grid, list) and len(grid) == len(record.tried) else range(len(record.tried))
    return {
        "bcubed_f": [Point(float(x), y, np.nan, np.nan) for x, y in zip(places, record.tried, strict=True)]
    }


def _names(records: Sequence[CellRecord], axis: str) -> dict[str, str]:
    """What tells each record's curve from the others, of all that a record says."""
    parts = {name: _told(records, part) for name, part in _PARTS.items()}
    told: dict[str, dict[str, str]] = {}
    for record in records:
        about = {
            "dataset": parts["dataset"][record.cell],
            "scenario": record.scenario.name,
            "defense": parts["defense"][record.cell],
            "surrogate": "+".join(s.name for s in record.surrogate),
            "budget": record.budget,
            "channel": record.channel,
            "encoder": parts["encoder"][record.cell],
            "attacker": parts["attacker"][record.cell],
            "level": record.level,
            "adaptation": parts["adaptation"][record.cell],
            "dose": f"dose {record.dose:g}",
            "distractors": f"{record.distractors} strangers",
            "draw": f"draw {record.draw}",
            "seed": f"seed {record.seed}",
            **{name: f"{size} {name}" for name, size in record.scenario.parameters.items()},
        }
        if axis == "calibration":
            # what is tuned on calibration people does not depend on what users do
            about = {key: about[key] for key in ("dataset", "encoder", "attacker", "level", "draw", "seed")}
        told[record.cell] = {key: text for key, text in about.items() if key != axis}
    varying = {key for about in told.values() for key in about if len({a[key] for a in told.values()}) > 1}
    return {
        cell: ", ".join(text for key, text in about.items() if key in varying and text) or "all"
        for cell, about in told.items()
    }


def _told(records: Sequence[CellRecord], part: Callable[[CellRecord], Named]) -> dict[str, str]:
    """Cell -> a part's name, with the parameters in which those of one name differ."""
    variants: dict[str, dict[str, Named]] = defaultdict(dict)
    for record in records:
        variants[part(record).name].setdefault(identity(part(record)), part(record))
    names = {
        key: one.name + differing(one, list(same.values()))
        for same in variants.values()
        for key, one in same.items()
    }
    return {record.cell: names[identity(part(record))] for record in records}
