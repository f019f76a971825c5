"""Pages: every link leads somewhere, every number to its record, and a stranger's text stays text."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.board.loading import load
from bench.board.panel import standings
from bench.board.views.panel import VIEW
from bench.board.wording import worded
from bench.errors import UserError
from bench.machine.progress import Silent
from bench.records.record import Author
from bench.site.folder import LIST, publish
from bench.site.names import RecordPages, page, slug
from bench.site.records import web_address
from injecting.folders_of_records import document_of, drawn, lay, tables_of
from injecting.hostile_texts import plant

RESULTS = Path(__file__).resolve().parents[2] / "results"
FILE = re.compile(r"[a-z0-9][a-z0-9-]*\.(html|svg|csv|png)")
HREF = re.compile(r"([a-z0-9][a-z0-9-]*\.(?:html|svg|csv|png))?(#[A-Za-z0-9_-]+)?")
Build = Callable[..., dict[str, bytes]]
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "nav",
        "main",
        "footer",
        "script",
        "section",
    ),
    *(
        "a",
        "button",
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "ol",
        "li",
        "div",
        "label",
        "input",
        "span",
        "strong",
        "img",
    ),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "dl", "dt", "dd"),
    *("details", "summary", "pre", "code", "svg", "g", "path", "text", "line", "rect", "defs", "tspan"),
    *("lineargradient", "stop", "clippath"),
}


@dataclass(frozen=True)
class Element:
    """An element of a page."""

    tag: str
    attributes: Mapping[str, str]


@dataclass
class Page(HTMLParser):
    """The elements and the words of a page."""

    elements: list[Element] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @classmethod
    def of(cls, content: bytes) -> Page:
        page = cls()
        page.feed(content.decode())
        page.close()
        return page

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def ids(self) -> set[str]:
        return {element.attributes["id"] for element in self.elements if "id" in element.attributes}


@pytest.mark.parametrize("name", ["demo", "real"])
def test_every_link_leads_to_a_file_and_a_place_in_it(name: str, request: pytest.FixtureRequest) -> None:
    files: dict[str, bytes] = request.getfixturevalue(name)
    places = {file: Page.of(content).ids() for file, content in files.items() if file.endswith(".html")}
    followed = 0
    for file in places:
        for element in Page.of(files[file]).elements:
            for href in filter(None, map(element.attributes.get, ("href", "xlink:href", "src"))):
                target, _, place = href.partition("#")
                assert not target or target in files, (file, href)
                assert not place or place in places[target or file], (file, href)
                followed += 1
    assert followed > 100
    assert {file for file in files if not FILE.fullmatch(file)} == set()


@pytest.mark.parametrize("name", ["demo", "real"])
def test_no_two_elements_of_a_page_share_a_name(name: str, request: pytest.FixtureRequest) -> None:
    for file, content in request.getfixturevalue(name).items():
        if file.endswith(".html"):
            ids = [e.attributes["id"] for e in Page.of(content).elements if "id" in e.attributes]
            assert len(ids) == len(set(ids)), file


def test_a_page_asks_for_nothing_from_elsewhere(demo: dict[str, bytes]) -> None:
    for file, content in demo.items():
        text = content.decode()
        if file.endswith(".html"):
            assert "default-src 'none'" in text
            loaded = [e.attributes.get("src") for e in Page.of(content).elements if "src" in e.attributes]
            assert not [src for src in loaded if src and not FILE.fullmatch(src)]
        assert not re.search(r"(?:src|href|url\()\s*=?\s*[\"']?(?:https?:)?//", text), file


def test_the_first_page_has_the_rows_of_the_panel_in_their_order(demo: dict[str, bytes]) -> None:
    records, users = load([RESULTS / "built-in"], of_users=True, of_photos=True)
    headings, rows = worded(VIEW.table(records, users))
    text = Page.of(demo["index.html"]).text
    worst = next(i for i, heading in enumerate(headings) if heading.startswith("worst"))
    for row in rows:
        assert row[worst] in text
    for track in standings(records, users):
        names = [standing.row.defense for standing in track]
        shown = Page.of(demo[_track_page(demo, track[0].row.knowledge)]).text
        assert [
            name for name in re.findall(r"none|noise|advmask", shown.partition("flags")[2]) if name in names
        ][: len(names)] == names


def _track_page(files: dict[str, bytes], knowledge: str) -> str:
    (found,) = [name for name in files if name.startswith("track-") and f"-{knowledge}-" in name]
    return found


def test_references_stand_below_the_rows_of_every_track_and_have_no_rank(demo: dict[str, bytes]) -> None:
    for knowledge in ("white-box", "black-box"):
        rows = _rows(demo[_track_page(demo, knowledge)].decode())
        assert [row[0] for row in rows] == ["advmask", "none", "noise"]
        assert [row[1] for row in rows[1:]] == ["ref", "ref"]
        assert rows[0][1] != "ref"
    text = Page.of(demo["index.html"]).text
    assert text.count("CFR, lower protects better") == 2  # no table of references alone
    assert "black-box: no row of pgd, without which rates cannot be read" in text
    alone = _rows(demo[_track_page(demo, "none")].decode())
    assert not [row for row in alone if "ref" in row]


def _rows(text: str) -> list[list[str]]:
    """The words of the first table of a page, row by row."""
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    cells = [re.findall(r"<t[dh]\b[^>]*>(.*?)</t[dh]>", row, re.S) for row in body.split("</tr>")]
    return [[re.sub(r"<[^>]*>", "", cell).strip() for cell in row] for row in cells if row]


def test_every_page_leads_to_the_documentation_that_it_belongs_to(tmp_path: Path) -> None:
    publish([RESULTS / "built-in"], tmp_path / "site", Silent(), home="../index.html")
    for path in (tmp_path / "site").glob("*.html"):
        links = [e.attributes.get("href") for e in Page.of(path.read_bytes()).elements if e.tag == "a"]
        assert links.count("../index.html") == 1, path.name


def test_every_number_of_the_first_page_links_to_its_record(demo: dict[str, bytes]) -> None:
    text = demo["index.html"].decode()
    numbers = re.findall(r"<t[dh][^>]*data-v=\"[^\"]*\"[^>]*>(.*?)</t[dh]>", text, re.S)
    assert len(numbers) > 20
    assert not [cell for cell in numbers if 'href="records-' not in cell]


def test_the_record_of_a_cell_stands_whole_on_its_page(demo: dict[str, bytes]) -> None:
    records, _ = load([RESULTS / "built-in"], of_users=False)
    text = Page.of(demo["records-all.html"]).text
    for record in records:
        assert json.dumps(record.model_dump(mode="json")) in text


def test_the_first_page_says_who_is_strongest_against_what_at_what_cost_and_how_sure(
    demo: dict[str, bytes],
) -> None:
    text = Page.of(demo["index.html"]).text
    records, users = load([RESULTS / "built-in"], of_users=True, of_photos=True)
    (row,) = (s for t in standings(records, users) for s in t if s.row.knowledge == "black-box")
    assert row.rate is not None and row.rate.value is not None
    short = text.partition("In short")[2].partition("Filter rows")[0]
    for part in (
        "advmask",
        f"{row.rate.value:.0%}",
        "dbscan / synth-inc",
        f"{row.ssim:.3f}",
        "95 % interval",
        "20 users",
    ):
        assert part in short
    assert "to be told apart" in short


def test_two_protocols_never_share_a_track(build: Build) -> None:
    files = build(RESULTS / "built-in", RESULTS / "draws")
    tracks = [Page.of(content).text for name, content in files.items() if name.startswith("track-")]
    records, users = load([RESULTS / "built-in", RESULTS / "draws"], of_users=True, of_photos=True)
    made = standings(records, users)
    assert len(tracks) == len(made)
    for track in made:
        assert (
            len({r.protocol for standing in track for cells in standing.cells.values() for r in cells}) == 1
        )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_a_stranger_s_text_is_text_on_every_page(seed: int, build: Build, tmp_path: Path) -> None:
    rng = random.Random(seed)
    cells = drawn(rng, most=6)
    users, photos = tables_of(cells)
    assert plant(cells, rng, 1)
    lay(tmp_path / "in", json.dumps(document_of(cells)).encode(), users, photos)
    try:
        files = build(tmp_path / "in")
    except UserError as error:
        assert "\n" not in str(error)
        return
    for file, content in files.items():
        assert FILE.fullmatch(file), file
        if not file.endswith(".html"):
            continue
        scripts = 0
        for element in Page.of(content).elements:
            assert element.tag in TAGS, (file, element)
            scripts += element.tag == "script"
            for name, value in element.attributes.items():
                assert not name.startswith("on"), (file, element)
                if name in ("href", "xlink:href", "src"):
                    web = name == "href" and file.startswith("records-") and web_address(value) == value
                    assert HREF.fullmatch(value) or web, (file, element)
        assert scripts == 1


ADDRESSES = {
    "https://example.org/a?b=c#d": True,
    "http://example.org": True,
    "javascript:alert(1)": False,
    "data:text/html,<script>alert(1)</script>": False,
    "//example.org": False,
    "https://": False,
    "https://user:password@example.org": False,
    "https://example.org/\n": False,
    "https://exam\u202eple.org": False,
    "file:///etc/passwd": False,
    "": False,
}
"""Address of a stranger -> whether it is a link."""


def test_only_an_address_of_the_web_is_a_link(plant: Callable[..., Path], build: Build) -> None:
    cells = [
        {"found": [1.0, 0.0], "by": Author(name=f"<u>{place}</u>", url=url)}
        for place, url in enumerate(ADDRESSES)
    ]
    files = build(plant("run", {"found": [0.0, 0.0]}, *cells))
    pages = [Page.of(content) for name, content in files.items() if name.startswith("records-")]
    away = [e for page_ in pages for e in page_.elements if ":" in e.attributes.get("href", "")]
    assert sorted(e.attributes["href"] for e in away) == sorted(url for url, web in ADDRESSES.items() if web)
    assert {e.attributes["rel"] for e in away} == {"nofollow noopener noreferrer"}
    shown = {name: content for name, content in files.items() if name.endswith((".html", ".svg"))}
    assert not [
        name for name, content in shown.items() if any(e.tag == "u" for e in Page.of(content).elements)
    ]


def test_a_name_is_a_file_s_name_and_no_path() -> None:
    assert page("defense", "advmask") == "defense-advmask.html"
    for text in ("../../etc/passwd", "a/b", "", ".", "A", "a" * 500, "\x00", "é", "con.", "a b", "a_b"):
        assert FILE.fullmatch(page("defense", text)), text
    assert len({slug(text) for text in ("a b", "a_b", "A B", "a-b")}) == 4


@pytest.mark.parametrize("count", [0, 9, 40, 41, 640, 641, 10_000, 10_240])
def test_pages_of_records_stay_small(count: int) -> None:
    cells = [f"{i:016x}"[::-1] + "0" * 48 for i in range(count)]
    places = RecordPages(cells)
    held: dict[str, int] = {}
    for cell in cells:
        held[places.page(cell)] = held.get(places.page(cell), 0) + 1
    assert max(held.values(), default=0) <= 41
    assert places.link("no digest").startswith("records-")


def test_a_site_replaces_a_former_one_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "site"
    publish([RESULTS / "built-in"], out, Silent())
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    (tmp_path / "kept.html").write_text("a neighbour")
    (out / "old.html").write_text("of a former site")
    (out / "mine.html").write_text("a stranger's")
    with (out / LIST).open("a") as listed:
        listed.write("old.html\n../kept.html\n")
    publish([RESULTS / "built-in"], out, Silent())
    again = {path.name: path.read_bytes() for path in out.iterdir()}
    assert again == first | {"mine.html": b"a stranger's"}
    assert (tmp_path / "kept.html").exists()


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "records.json").write_bytes(
        (RESULTS / "built-in" / "records.json").read_bytes()[:9999]
    )
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "records.json").write_text('{"schema_version": 2, "cells": []}')
    for folder, out, words in (
        (RESULTS / "built-in", tmp_path / "full", "is not empty, and no former site"),
        (tmp_path / "half", tmp_path / "out", "records.json"),
        (tmp_path / "gone", tmp_path / "out", "no records at"),
        (tmp_path / "none", tmp_path / "out", "at least one cell"),
    ):
        with pytest.raises(UserError, match=re.escape(words)) as refused:
            publish([folder], out, Silent())
        assert "\n" not in str(refused.value)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]
    assert not (tmp_path / "out").exists()
