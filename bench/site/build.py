"""Records -> the files of a site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bench.board.attackers import AttackerRow
from bench.board.cells import KIND, CellRow, cell_rows
from bench.board.escaping import printable
from bench.board.figures import FIGURES
from bench.board.leaders import grouped, rows_of
from bench.board.one_step import step_rows
from bench.board.panel import Standing, standings
from bench.board.table import CONFIDENT, Table
from bench.board.tracks import attacker, but_for
from bench.board.user_tables import Users
from bench.board.views.attackers import VIEW as ATTACKERS
from bench.board.views.cells import VIEW as CELLS
from bench.board.views.leaders import lacking
from bench.charts.chart import Chart
from bench.charts.frontier import frontiers
from bench.charts.heatmap import heatmaps
from bench.charts.lines import ALONG, panel_lines
from bench.charts.naming import hardest_first, setting
from bench.charts.steps import step_charts
from bench.machine.progress import Progress
from bench.metrics.clustering import PROTOCOL
from bench.records.record import CellRecord
from bench.site.figures import Figure, Figures
from bench.site.names import RecordPages, page, slug
from bench.site.pages import Pages
from bench.site.panels import notes, short_table, whole_table
from bench.site.pictures import DRAWN, pictures
from bench.site.records import pages_of
from bench.site.references import References
from bench.site.tables import Links, PageTable, page_table
from bench.site.verdicts import knew, verdict

_KINDS = {"defense": "Defenses", "attacker": "Attackers", "encoder": "Encoders"}
"""Kinds of pages besides those of tracks, and their headings."""


_FEW = 4
"""Tracks that the first page tells of at once."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A sheet of photos of drawn faces."""

    file: str
    caption: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page."""

    title: str
    lines: Sequence[str] = ()
    commands: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[PageTable] = ()


@dataclass(frozen=True, slots=True)
class TrackLink:
    """A track on the first page."""

    title: str
    page: str
    table: PageTable


@dataclass(frozen=True, slots=True)
class Setting:
    """Tracks of the first page that differ in what the defense knew."""

    name: str
    title: str
    tracks: list[TrackLink] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link to another page."""

    words: str
    href: str


class Site:
    """Builds the files of a site."""

    def __init__(
        self,
        records: Sequence[CellRecord],
        users: Users,
        progress: Progress,
        *,
        pictures: bool = False,
        home: str = "",
    ) -> None:
        """Make all rows; nothing is drawn yet.

        Args:
            records: Of any runs.
            users: Their tables of users, with photos.
            progress: Told of every page.
            pictures: Whether photos of drawn faces and embeddings are computed again and shown.
            home: Where every page leads besides, such as `../index.html`; empty for nowhere.
        """
        self._records, self._users = records, users
        self._progress, self._with_pictures = progress, pictures
        self._tracks = hardest_first(standings(records, users))
        self._references = References(self._tracks)
        self._shown: dict[str, bytes] = {}
        self._places = RecordPages([record.cell for record in records])
        self._figures = Figures()
        self._pages = Pages(len(records), home)

    def files(self) -> dict[str, bytes]:
        """Name -> content of every file; all lie in one folder."""
        things = [(kind, name) for kind in _KINDS for name in self._named(kind)]
        files: dict[str, bytes] = {}
        with self._progress.stage("pages", len(self._tracks) + len(things) + 2) as advance:
            files["index.html"] = self._index()
            advance()
            for number in range(len(self._tracks)):
                files[self._track_page(number)] = self._track(number)
                advance()
            for kind, name in things:
                files[page(kind, name)] = self._thing(kind, name)
                advance()
            files["method.html"] = self._method()
            for name, on_page in pages_of(self._records, self._places).items():
                files[name] = self._pages.page("records", "Records", records=on_page)
            advance()
        return files | self._figures.files | self._shown

    def _index(self) -> bytes:
        settings: dict[str, Setting] = {}
        of_key: dict[tuple[str, str], list[Sequence[Standing]]] = defaultdict(list)
        for number, track in enumerate(self._tracks):
            key = but_for(track[0].first, "knowledge")
            title = _sentence(setting(track[0].row))
            name = f"setting-{slug(key)}"
            here = settings.setdefault(key, Setting(name, title))
            heading = f"{FIGURES[track[0].row.figure].title}, {knew(track[0].row)}"
            if not self._references.shown_elsewhere(track):
                table = self._short(f"t{number}", track)
                here.tracks.append(TrackLink(_sentence(heading), self._track_page(number), table))
            of_key[key, track[0].row.figure].append(track)
        for (key, _), tracks in of_key.items():
            charts = frontiers(tracks, self._places.link)
            settings[key].figures.extend(self._draw(charts))
        rows = [standing for track in self._tracks for standing in track]
        return self._pages.page(
            "index",
            "Board",
            verdicts=[verdict(track) for track in self._tracks if track[0].row.knowledge != "none"]
            or [verdict(track) for track in self._tracks],
            few=_FEW,
            settings=list(settings.values()),
            notes=[*notes(rows), *lacking(rows_of(grouped(rows)))],
            lost=self._lost(),
            figures=self._draw(self._further()),
            pages=self._links(),
        )

    def _short(self, name: str, track: Sequence[Standing]) -> PageTable:
        return short_table(name, track, self._places, self._references.beside(track))

    def _further(self) -> list[Chart]:
        lines = [chart for name in ALONG for chart in panel_lines(name, self._tracks, self._users)]
        return [*lines, *step_charts(step_rows(self._records, self._users), self._places.link)]

    def _lost(self) -> PageTable | None:
        lost = [record for record in self._records if record.status != "ok"]
        return (
            self._cells("lost", "Cells that failed or were skipped; they are missing above", lost)
            if lost
            else None
        )

    def _links(self) -> dict[str, list[PageLink]]:
        tracks = [
            PageLink(self._track_title(number), self._track_page(number))
            for number in range(len(self._tracks))
        ]
        of_kind = {
            title: [PageLink(name, page(kind, name)) for name in self._named(kind)]
            for kind, title in _KINDS.items()
        }
        return {"Tracks": tracks, **of_kind}

    def _track_title(self, number: int) -> str:
        row = self._tracks[number][0].row
        return _sentence(f"{FIGURES[row.figure].title}: {setting(row)}, {row.knowledge}")

    def _track_page(self, number: int) -> str:
        row = self._tracks[number][0].row
        words = "-".join((row.dataset, row.scenario, row.budget, row.knowledge, row.figure))
        return page("track", f"{slug(words)}-{number}")

    def _track(self, number: int) -> bytes:
        track = self._tracks[number]
        tables = [
            self._short("short", track),
            whole_table(
                "whole", "The same rows, in all columns of bench board --view panel", track, self._places
            ),
        ]
        sections = [
            Section("Who protects best", tables=tables),
            Section("Every attack", figures=self._draw(heatmaps([track], self._places.link))),
        ]
        return self._pages.page(
            "page", self._track_title(number), verdicts=[verdict(track)], sections=sections
        )

    def _thing(self, kind: str, name: str) -> bytes:
        records = [record for record in self._records if _named(record, kind) == name]
        sections = [self._rows_of(name), self._look_of(name)] if kind == "defense" else []
        sections += [self._wins_of(name)] if kind == "attacker" else []
        cells = self._cells("cells", f"Cells of {kind} {name}", records)
        sections.append(Section("Every cell", tables=[cells]))
        return self._pages.page("page", f"{kind.capitalize()} {name}", verdicts=[], sections=sections)

    def _rows_of(self, defense: str) -> Section:
        rows = [standing for track in self._tracks for standing in track if standing.row.defense == defense]
        caption = f"Rows of {defense}; each is ranked in its own track only"
        tables = [whole_table("rows", caption, rows, self._places)] if rows else []
        return Section("In every track", tables=tables)

    def _look_of(self, defense: str) -> Section:
        """What its cloaks look like and how embeddings move, or what to type for that."""
        title = "Before and after"
        rows = [standing for track in self._tracks for standing in track if standing.row.defense == defense]
        cells = [row.cells[row.deciding][0] for row in rows if row.deciding is not None]
        drawn = [record for record in cells if record.dataset.name == DRAWN and record.by is None]
        if not drawn:
            return Section(
                title, lines=["Pictures are of drawn faces only: photos of real people are in no site."]
            )
        if not self._with_pictures:
            lines = [
                "Records hold no photos and no embeddings. To have the drawn faces and the maps of "
                "embeddings on this page, computed again or taken from the store, add --pictures to the "
                "command that made the site. For a single map, type:"
            ]
            commands = [
                f"bench figure embedding DIR --cell {record.cell[:12]} --out map.svg" for record in drawn
            ]
            return Section(title, lines=lines, commands=commands)
        made = pictures(drawn, self._progress)
        shown = []
        for caption, content in made.sheets:
            name = f"{slug(defense)}-{len(self._shown) + 1}.png"
            self._shown[name] = content
            shown.append(Picture(name, f"Before, after, and the difference amplified: {caption}"))
        return Section(title, lines=made.lacking, pictures=shown, figures=self._draw(made.maps))

    @cached_property
    def _attackers(self) -> Table[AttackerRow]:
        return ATTACKERS.table(self._records, self._users)

    def _wins_of(self, attacker: str) -> Section:
        table = self._attackers
        rows = tuple(row for row in table.rows if row.attacker == attacker)
        if not rows:
            return Section("Among other attackers", lines=["No other attacker met the same photos."])
        shown = Table(table.kind, rows, table.columns)
        caption = f"How often {attacker} was the strongest attacker, and how often it was chosen"
        return Section(
            "Among other attackers", tables=[page_table("wins", caption, shown, [Links()] * len(rows))]
        )

    def _cells(self, name: str, caption: str, records: Iterable[CellRecord]) -> PageTable:
        rows: tuple[CellRow, ...] = tuple(cell_rows(records))
        links = [
            Links(
                self._places.link(row.cell),
                {
                    "defense": page("defense", row.defense),
                    "attacker": page("attacker", row.attacker),
                    "encoder": page("encoder", row.encoder),
                    "flags": self._places.link(row.cell),
                },
            )
            for row in rows
        ]
        return page_table(name, caption, Table(KIND, rows, CELLS.columns), links)

    def _draw(self, charts: Sequence[Chart]) -> list[Figure]:
        return [
            self._figures.draw(chart, f"{chart.name}-{len(self._figures.files) // 2 + 1}") for chart in charts
        ]

    def _named(self, kind: str) -> list[str]:
        return sorted({_named(record, kind) for record in self._records})

    def _method(self) -> bytes:
        def said(values: Iterable[object]) -> str:
            return ", ".join(sorted({str(value) for value in values if value is not None}))

        origins = {
            "protocol": said(record.protocol for record in self._records),
            "data sets": said(record.dataset.name for record in self._records),
            "cloakbench": said(record.environment.get("cloakbench") for record in self._records),
            "commit": said(record.environment.get("commit") for record in self._records),
            "records": str(len(self._records)),
        }
        return self._pages.page(
            "method",
            "Method",
            rule=PROTOCOL,
            confidence=CONFIDENT,
            origins=[(name, text) for name, text in origins.items() if text],
        )


def _named(record: CellRecord, kind: str) -> str:
    parts: Mapping[str, str] = {
        "defense": record.defense.name,
        "attacker": attacker(record),
        "encoder": record.encoder.name,
    }
    return parts[kind]


def _sentence(text: str) -> str:
    """A text that begins with a capital letter; names keep their case."""
    return printable(text[:1].upper() + text[1:])
