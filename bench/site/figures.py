"""Charts on pages: their pictures, files and data."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from bench.charts.chart import Chart, renamed

_LARGEST = 1_500_000
"""Characters of a picture that a page holds; a larger one lies beside it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart as a page shows it.

    Attributes:
        name: of its files, without ending, and of its place on the page.
        title: what it shows.
        caption: how it is read.
        svg: the picture; a sentence in the place of one that is too large.
    """

    name: str
    title: str
    caption: str
    svg: Markup


class Figures:
    """Draws charts, and keeps their files."""

    def __init__(self) -> None:
        """Nothing is drawn yet."""
        self.files: dict[str, bytes] = {}

    def draw(self, chart: Chart, name: str) -> Figure:
        """Draw a chart.

        Args:
            chart: What to draw.
            name: Of its files, of letters, digits and hyphens.
        """
        svg = chart.svg()
        self.files[f"{name}.svg"] = svg.encode()
        self.files[f"{name}.csv"] = chart.csv().encode()
        # the chart library has escaped every text in the picture
        whole = Markup(renamed(svg, name))
        shown = whole if len(svg) <= _LARGEST else Markup("<p>The picture is large: download it.</p>")
        return Figure(name, chart.title, chart.caption, shown)
