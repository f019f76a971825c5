"""Tables of panels for pages: the few columns that decide, or all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bench.board.figures import FIGURES
from bench.board.panel import Standing
from bench.board.table import CONFIDENT, Column, Table
from bench.board.tracks import attacker
from bench.board.views.panel import VIEW
from bench.charts.naming import setting
from bench.site.names import RecordPages, page
from bench.site.tables import Links, PageTable, page_table
from bench.site.verdicts import clean_rate, knew, missing

_OF_PANEL: Mapping[str, Column[Standing]] = {
    column.heading: replace(column, of=lambda standing, of=column.of: of(standing.row))  # type: ignore[misc]
    for column in VIEW.columns
}
"""Heading -> a column of the panel, of the row of a standing."""

_CHOSEN, _WORST = f"chosen [{CONFIDENT}]", f"worst [{CONFIDENT}]"


def short_table(
    name: str, track: Sequence[Standing], records: RecordPages, beside: Sequence[Standing] = ()
) -> PageTable:
    """A track in the columns that decide.

    Args:
        name: Of the table.
        track: Its rows.
        records: Where records stand.
        beside: References, which stand below its rows and have no rank.
    """
    rank, known = _OF_PANEL["rank"], track[0].row.knowledge
    title = FIGURES[track[0].row.figure].title
    end = "max" if FIGURES[track[0].row.figure].clusters else "min"
    columns: tuple[Column[Standing], ...] = (
        _OF_PANEL["defense"],
        replace(rank, of=lambda standing: rank.of(standing) if standing.row.knowledge == known else "ref"),
        replace(_OF_PANEL[_CHOSEN], heading=f"{title}-chosen [{CONFIDENT}]"),
        replace(_OF_PANEL[_WORST], heading=f"{title}-{end} [{CONFIDENT}]"),
        Column("against", lambda standing: standing.deciding),
        Column("without cloak", clean_rate),
        Column("SSIM", lambda standing: standing.ssim, ".3f"),
        Column("photos/s", lambda standing: standing.photos_per_second, ".1f"),
        _OF_PANEL["surrogate"],
        _OF_PANEL["users"],
        _OF_PANEL["attackers"],
        Column("missing", missing),
        _OF_PANEL["flags"],
    )
    words = "lower protects better" if FIGURES[track[0].row.figure].clusters else "higher protects better"
    caption = f"{title}, {words}; {setting(track[0].row)}, {knew(track[0].row)}"
    return _table(name, caption, [*track, *beside], columns, records, bars=True)


def whole_table(name: str, caption: str, track: Sequence[Standing], records: RecordPages) -> PageTable:
    """Rows of panels in all columns, with the lines that `bench board` prints below them."""
    return replace(_table(name, caption, track, tuple(_OF_PANEL.values()), records), notes=notes(track))


def notes(standings: Sequence[Standing]) -> Sequence[str]:
    """The lines that `bench board` prints below some rows."""
    return VIEW.notes([standing.row for standing in standings])


def _table(
    name: str,
    caption: str,
    track: Sequence[Standing],
    columns: tuple[Column[Standing], ...],
    records: RecordPages,
    *,
    bars: bool = False,
) -> PageTable:
    table = Table(Standing, tuple(track), columns)
    links = [_links(standing, columns, records) for standing in track]
    return page_table(name, caption, table, links, bars=bars)


def _links(standing: Standing, columns: Sequence[Column[Standing]], records: RecordPages) -> Links:
    row = standing.row
    leads = {"defense": page("defense", row.defense)}
    if row.strongest is not None:
        strongest = records.link(standing.cells[row.strongest][0].cell)
        leads |= {
            c.heading: strongest
            for c in columns
            if c.heading.endswith((f"max [{CONFIDENT}]", f"min [{CONFIDENT}]"))
            or c.heading in (_WORST, "largest", "strongest attacker")
        }
    if standing.deciding is None:
        return Links("", leads)
    decided = standing.cells[standing.deciding][0]
    leads["against"] = page("attacker", attacker(decided))
    return Links(records.link(decided.cell), leads)
