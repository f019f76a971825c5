"""A chart: what is drawn, as a specification in Vega-Lite, and the rows that it is drawn from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from bench.board.escaping import printable
from bench.board.render import csv
from bench.board.table import Table
from bench.charts.style import CONFIG
from bench.errors import UserError

Spec: TypeAlias = Mapping[str, Any]
"""A specification in Vega-Lite, or a part of one."""

Link: TypeAlias = Callable[[str], str]
"""Digest of a cell -> where a click on its mark leads."""

VEGA_LITE: Final = "6.4"
"""The version of the language."""

FORMATS: Final = (".svg", ".pdf", ".png")
"""Endings of files that a chart is drawn into."""

_DOTS_PER_POINT = 2.0
"""How much finer a picture of dots is than the chart's own units."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Attributes:
        name: of the kind of chart, such as `frontier`.
        title: what stands above it.
        caption: how it is read, in sentences.
        spec: what is drawn, without title and data of its own size.
        table: the rows that it is drawn from.
    """

    name: str
    title: str
    caption: str
    spec: Spec
    table: Table[Any]

    def csv(self) -> str:
        """The rows that it is drawn from."""
        return csv.render(self.table)

    def svg(self) -> str:
        """The chart as one element `svg`, with a name and a role for screen readers."""
        return _described(_converted("vegalite_to_svg", _whole(self.spec, self)), self)

    def drawn(self, ending: str) -> bytes:
        """The chart in the format of a file.

        Args:
            ending: one of `FORMATS`.
        """
        return _drawn(_whole(self.spec, self), ending, self)


def together(charts: Sequence[Chart], ending: str) -> bytes:
    """Several charts of one kind below each other, in the format of a file.

    Args:
        charts: at least one.
        ending: one of `FORMATS`.
    """
    if len(charts) == 1:
        return charts[0].drawn(ending)
    parts = [{**chart.spec, "title": _title(chart)} for chart in charts]
    scales = dict.fromkeys(("color", "shape", "x", "y", "strokeDash"), "independent")
    spec = {"vconcat": parts, "resolve": {"scale": scales}, "config": CONFIG}
    return _drawn(spec, ending, charts[0])


def checked_ending(name: str) -> str:
    """The ending of a file's name, if a chart can be drawn into such a file.

    Raises:
        UserError: It cannot.
    """
    ending = re.search(r"\.[^./]*$", name)
    found = ending[0].lower() if ending else ""
    if found not in FORMATS:
        raise UserError(f"cannot draw {name}: name a file that ends in {', '.join(FORMATS)}.")
    return found


_HERE = "https://here.invalid/"
"""Stands before links while a chart is drawn: the library would lead a bare one to a place of its own."""


def linked(link: Link | None, cell: str) -> dict[str, str]:
    """The field of a value that leads to a record; none where there is nowhere to go.

    Args:
        link: digest of a cell -> where it leads, a file beside the picture; None for nowhere.
        cell: digest of a cell.
    """
    return {} if link is None else {"href": _HERE + link(cell)}


def by(field: str) -> Spec:
    """The order of names, by a number that each has.

    A list of the names themselves would become an expression, and they may be a stranger's.

    Args:
        field: of the values; it holds the number.
    """
    return {"field": field, "op": "min"}


def rows_of(values: Sequence[Mapping[str, Any]]) -> Spec:
    """Data of a specification: texts are made safe to print."""
    return {"values": [{key: _safe(value) for key, value in row.items()} for row in values]}


def _safe(value: Any) -> Any:
    return printable(value) if isinstance(value, str) else value


def _whole(spec: Spec, chart: Chart) -> dict[str, Any]:
    return {**spec, "title": _title(chart), "config": CONFIG}


def _title(chart: Chart) -> Spec:
    return {"text": printable(chart.title)}


def _drawn(spec: Spec, ending: str, chart: Chart) -> bytes:
    if ending == ".svg":
        return _described(_converted("vegalite_to_svg", spec), chart).encode()
    content: bytes
    if ending == ".pdf":
        content = _converted("vegalite_to_pdf", spec)
    else:
        content = _converted("vegalite_to_png", spec, scale=_DOTS_PER_POINT)
    return content


def _converted(name: str, spec: Spec, **options: Any) -> Any:
    import vl_convert

    convert: Callable[..., Any] = getattr(vl_convert, name)
    # a chart brings its data along: no address is asked for more
    return convert({**spec}, vl_version=VEGA_LITE, allowed_base_urls=[], **options)


_LOCAL = re.compile(r'(?<=\bid=")[^"]+(?=")|(?<=url\(#)[^)]+(?=\))')
"""Names within a picture, and where they are used."""


def renamed(svg: str, prefix: str) -> str:
    """The same picture with other names inside, so that it can stand on a page beside others.

    The library goes on counting from picture to picture; here each is counted by itself.

    Args:
        svg: The picture.
        prefix: What its names begin with.
    """
    numbers: dict[str, int] = {}
    return _LOCAL.sub(lambda m: f"{prefix}-{numbers.setdefault(m[0], len(numbers))}", svg)


def _described(svg: str, chart: Chart) -> str:
    """The same picture with its caption as the name that screen readers read out."""
    svg = renamed(svg, chart.name).replace(f'href="{_HERE}', 'href="')
    label = _attribute(f"{chart.title}. {chart.caption}")
    return re.sub(r"<svg ", f'<svg role="graphics-document" aria-label="{label}" ', svg, count=1)


def _attribute(text: str) -> str:
    escaped = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&quot;").replace("\\", "&#92;")
