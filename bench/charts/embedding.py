"""`embedding`: a map of the users' embeddings before and after cloaking, with the attacker's clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bench.board.escaping import printable
from bench.board.table import Table
from bench.charts.chart import Chart, Spec, rows_of
from bench.charts.style import COLOURS, FAINT, SHAPES
from bench.types import Floats, Labels

SEED: Final = 0
"""Of the layout: the same embeddings are always laid out alike."""

_WHEN = ("before", "after")


@dataclass(frozen=True, slots=True)
class EmbeddingRow:
    """One photo with a face.

    Attributes:
        when: `before` or `after` cloaking; `background` for a photo of somebody else.
        person: number of the user; -1 for somebody else.
        cluster: the attacker's cluster of a released photo; -1 for none.
        x: place on the map, without a unit.
        y: the other one.
    """

    when: str
    person: int
    cluster: int
    x: float
    y: float


def embedding_map(title: str, faces: Floats, when: list[str], people: Labels, clusters: Labels) -> Chart:
    """A map of embeddings, laid out by t-SNE (van der Maaten and Hinton, 2008), all of them together.

    Args:
        title: what is shown.
        faces: float [photo, dimension], unit rows.
        when: of each photo, as in `EmbeddingRow`.
        people: int64 [photo], as in `EmbeddingRow`.
        clusters: int64 [photo], as in `EmbeddingRow`.
    """
    from sklearn.manifold import TSNE

    near = min(30.0, (len(faces) - 1) / 3)
    places = TSNE(metric="cosine", init="pca", perplexity=near, random_state=SEED).fit_transform(faces)
    rows = tuple(
        EmbeddingRow(moment, int(person), int(cluster), float(x), float(y))
        for moment, person, cluster, (x, y) in zip(when, people, clusters, places, strict=True)
    )
    values = [{"when": row.when, "x": row.x, "y": row.y, **_looks(row), "told": _told(row)} for row in rows]
    span = [float(np.abs(places).max()) * sign * 1.05 for sign in (-1, 1)]
    spec = {"data": rows_of(values), "hconcat": [_panel(moment, span) for moment in _WHEN]}
    return Chart(
        "embedding",
        printable(title),
        "Each mark is a photo. Left, marks of one user look alike. Right, marks of one cluster of the "
        "attacker look alike, and small crosses are in no cluster. Grey dots are other people's photos. The "
        "map (t-SNE) shows who is near whom, and not how far.",
        spec,
        Table(EmbeddingRow, rows, ()),
    )


def _looks(row: EmbeddingRow) -> Mapping[str, Any]:
    number = row.person if row.when == "before" else row.cluster
    if row.when == "background":
        return {"colour": FAINT, "shape": "circle", "size": 6}
    if number < 0:
        return {"colour": FAINT, "shape": "cross", "size": 18}
    return {"colour": COLOURS[number % len(COLOURS)], "shape": SHAPES[number % len(SHAPES)], "size": 40}


def _told(row: EmbeddingRow) -> str:
    if row.when == "background":
        return "somebody else"
    where = "" if row.when == "before" else ", no cluster" if row.cluster < 0 else f", cluster {row.cluster}"
    return f"user {row.person}, {row.when}{where}"


def _panel(moment: str, span: list[float]) -> Spec:
    bare = {"type": "quantitative", "axis": None, "scale": {"domain": span, "nice": False}}
    shown = f"datum.when === 'background' || datum.when === '{moment}'"
    return {
        "width": 330,
        "height": 330,
        "title": {"text": moment, "fontSize": 12},
        "view": {"stroke": FAINT},
        "transform": [{"filter": shown}],
        "mark": {"type": "point", "filled": True, "opacity": 0.85},
        "encoding": {
            "x": {"field": "x", **bare},
            "y": {"field": "y", **bare},
            "color": {"field": "colour", "type": "nominal", "scale": None, "legend": None},
            "shape": {"field": "shape", "type": "nominal", "scale": None, "legend": None},
            "size": {"field": "size", "type": "quantitative", "scale": None, "legend": None},
            "description": {"field": "told"},
        },
    }
