"""The documentation as a site: every page is led to, links lead somewhere, nothing comes from elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / ".ci" / "docs" / "mkdocs.yml"
BUILT_LATER = "boards/index.html"


def named(nav: object) -> list[str]:
    """The pages of a part of the navigation."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in named(part)]  # type: ignore[attr-defined]


def test_the_site_leads_to_every_page_of_docs() -> None:
    pages = named(yaml.safe_load(CONFIG.read_text("utf-8"))["nav"])
    assert {page for page in pages if not (ROOT / page).is_file()} == set()
    assert {path.name for path in (ROOT / "docs").glob("*.md")} == {
        Path(page).name for page in pages if page.startswith("docs/")
    }


class Page(HTMLParser):
    """Where a page leads, what it loads, and what it shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.comments: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given["id"]} if "id" in given else set()
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") != "canonical":
            self.loaded.append(given.get("href", ""))
        elif "src" in given:
            self.loaded.append(given["src"])

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built strictly; without the boards, whose links have a test of their own."""
    if find_spec("mkdocs") is None or find_spec("material") is None:
        pytest.skip("mkdocs-material is not here: 'pip install cloakbench[docs]'")
    out = tmp_path_factory.mktemp("docs")
    build(CONFIG, out)
    return out


def build(config: Path, out: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text("utf-8")) for path in site.rglob("*.html") if path.name != "404.html"}


def test_there_is_a_page_for_every_page(site: Path) -> None:
    for folder in ("docs", "design"):
        made = {path.stem for path in (site / folder).glob("*.html")}
        assert made == {path.stem for path in (ROOT / folder).glob("*.md")}
    assert (site / "index.html").is_file()


def test_links_lead_to_files_and_places_in_them(site: Path, pages: dict[Path, Page]) -> None:
    lost = []
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target == site / BUILT_LATER:
                continue
            if not target.is_file():
                lost.append(f"{path.relative_to(site)}: {link}")
            elif parts.fragment and target in pages and parts.fragment not in pages[target].ids:
                lost.append(f"{path.relative_to(site)}: {link}: no such place")
    assert not lost


def test_a_page_loads_nothing_from_elsewhere_and_hides_what_is_for_programs(pages: dict[Path, Page]) -> None:
    assert len(pages) > 40
    for page in pages.values():
        assert not [source for source in page.loaded if urlsplit(source).scheme not in ("", "data")]
        assert not [text for text in page.comments if "claim" in text or "bench" in text]


def test_search_knows_every_page(site: Path) -> None:
    listed = json.loads((site / "search" / "search_index.json").read_text("utf-8"))["docs"]
    pages = {place["location"].partition("#")[0] for place in listed}
    named = {path.relative_to(site).as_posix() for path in (site / "docs").glob("*.html")}
    assert named <= pages
    (found,) = [place for place in listed if place["location"] == "docs/attackers.html"]
    assert "pairwise" in json.dumps(listed)
    assert found["title"]


def test_markdown_is_read_as_github_reads_it(site: Path) -> None:
    # a list that a paragraph swallows begins a line of it with a hyphen; a table shows its bars
    for path in site.rglob("*.html"):
        shown = re.sub(r"<(pre|code|script|style)\b.*?</\1>", "", path.read_text("utf-8"), flags=re.S)
        assert not re.findall(r"<p>[^<]*\n[-*] .*", shown), path.name
        assert not re.findall(r"<p>\|.*", shown), path.name


def test_a_link_that_leads_nowhere_ends_the_build(site: Path, tmp_path: Path) -> None:
    del site  # it is built, so mkdocs is here
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index.md").write_text(
        "[gone](gone.md) and [nowhere](index.md#nowhere)\n", "utf-8"
    )
    told = yaml.safe_load(CONFIG.read_text("utf-8"))
    kept = {name: told[name] for name in ("site_name", "docs_dir", "validation", "use_directory_urls")}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(kept), "utf-8")
    with pytest.raises(AssertionError, match=r"gone\.md(.|\n)*nowhere"):
        build(tmp_path / "mkdocs.yml", tmp_path / "out")


def test_what_is_published_is_what_make_docs_builds() -> None:
    told = yaml.safe_load((ROOT / ".github" / "workflows" / "pages.yml").read_text("utf-8"))["jobs"]["build"]
    (upload,) = [
        step["with"]["path"] for step in told["steps"] if "upload-pages-artifact" in step.get("uses", "")
    ]
    assert [step["run"] for step in told["steps"] if "run" in step] == ["make PYTHON=python docs"]
    built = yaml.safe_load(CONFIG.read_text("utf-8"))["site_dir"]
    assert (CONFIG.parent / built).resolve() == ROOT / upload
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\ndocs: ")[1].split("\n\n")[0]
    assert "--strict" in recipe and "--quiet" not in recipe  # what is quiet counts no warning
    assert f"--documentation ../index.html --out {upload}/{Path(BUILT_LATER).parent}" in recipe
