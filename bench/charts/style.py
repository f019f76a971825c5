"""How charts look: colours that people who see few colours can tell apart, and shapes besides.

The colours are those of Okabe and Ito ("Color Universal Design", 2008) without black and yellow, which
vanish on dark and on light paper, and a grey. Colours and shapes are used up in steps without a common
divisor, so that no two of the first fifty-six series share both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

INK: Final = "#1f2328"
"""Of words and axes; a page may put another in its place."""

FAINT: Final = "#818b98"
"""Of grids and of what is in the background."""

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F")
SHAPES: Final = (
    *("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right"),
    "triangle-left",
)
DASHES: Final = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])

LOW_TEXT: Final = "#fdfdfd"
HIGH_TEXT: Final = "#111111"
"""Of numbers on the dark and on the bright end of a heat map."""

KNOWLEDGE: Final = {
    "none": "circle",
    "white-box": "square",
    "grey-box": "triangle-up",
    "black-box": "diamond",
}
"""What the defense knew -> its shape."""

RATE: Final = {
    "type": "quantitative",
    "scale": {"domain": [-0.03, 1.03], "nice": False},
    "axis": {"values": [0, 0.2, 0.4, 0.6, 0.8, 1]},
}
"""An axis of rates, with some room for marks at its ends."""

CONFIG: Final[dict[str, Any]] = {
    "background": "white",
    "font": "Liberation Sans, Arial, Helvetica, sans-serif",
    "padding": {"left": 24, "right": 48, "top": 6, "bottom": 6},  # another font may be wider
    "view": {"stroke": None},
    "title": {"color": INK, "fontSize": 13, "anchor": "start", "offset": 10, "limit": 900},
    "axis": {
        **dict.fromkeys(("labelColor", "titleColor", "tickColor", "domainColor"), INK),
        "gridColor": FAINT,
        "gridOpacity": 0.3,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "labelLimit": 420,
    },
    "legend": {
        **dict.fromkeys(("labelColor", "titleColor"), INK),
        "labelFontSize": 11,
        "labelLimit": 420,
        "symbolLimit": 0,
        "symbolBaseFillColor": INK,
        "symbolBaseStrokeColor": INK,
        "titleFontWeight": "normal",
    },
    "header": {"labelColor": INK, "titleColor": INK, "labelFontSize": 11, "labelLimit": 420},
    "text": {"color": INK},
    "rule": {"color": INK},
}
"""The looks of every chart."""


def coloured(names: Sequence[str], title: str) -> dict[str, Any]:
    """The encoding that gives each series a colour."""
    return _scale("color", names, title, [COLOURS[i % len(COLOURS)] for i in range(len(names))])


def marked(names: Sequence[str], title: str) -> dict[str, Any]:
    """The encodings that give each series a colour and a shape."""
    shapes = [SHAPES[i % len(SHAPES)] for i in range(len(names))]
    return coloured(names, title) | _scale("shape", names, title, shapes)


def dashed(names: Sequence[str], title: str) -> dict[str, Any]:
    """The encodings that give each series a colour and a kind of line."""
    dashes = [DASHES[i // len(COLOURS) % len(DASHES)] for i in range(len(names))]
    return coloured(names, title) | _scale("strokeDash", names, title, dashes)


def _scale(channel: str, names: Sequence[str], title: str, values: Sequence[Any]) -> dict[str, Any]:
    scale = {"domain": [*names], "range": [*values]}
    return {channel: {"field": "series", "type": "nominal", "title": title, "scale": scale}}
