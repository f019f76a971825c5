"""What mkdocs is told of this repository: pages stay where they lie, and their links stay as they are.

A page may link to any file of the repository. Such a file is copied into the site, as text where a browser
would not show it, so that the site is whole in a folder without a network.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Link, Navigation

ROOT = Path(__file__).resolve().parents[2]
BOARDS = "boards/index.html"
"""Where `make docs` puts the site of results/."""

_PAGES = ("*.md", "docs/*.md", "design/*.md", "results/*.md", "results/*/*.md")
_SHOWN = {".json", ".png", ".svg"}
"""Endings of files that every browser shows as they are."""

_FENCE = re.compile(r"^(```.*?^```[^\n]*$)", re.S | re.M)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def on_config(config: Any) -> Any:
    """Name headings as GitHub does, and list the decisions."""
    config.mdx_configs["toc"] = {"slugify": name_heading, "permalink": True}
    decisions = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "design").glob("*.md"))
    config.nav.append({"Why it is so": decisions})
    return config


def on_files(files: Files, *, config: Any) -> Files:
    """The pages, and every file that one of them links to."""
    made = {path: path.relative_to(ROOT).as_posix() for pattern in _PAGES for path in ROOT.glob(pattern)}
    for page in list(made):
        made |= {target: shown_at(target) for target in linked(page) if target not in made}
    for path, place in made.items():
        where = path.relative_to(ROOT).as_posix()
        table = path.match("results/*/*.md")  # others link to it
        level = InclusionLevel.NOT_IN_NAV if table else InclusionLevel.INCLUDED
        file = File.generated(config, where, abs_src_path=str(path), inclusion=level)
        if where != place:
            file.dest_uri = place
        files.append(file)
    return files


def on_nav(nav: Navigation, **_: Any) -> Navigation:
    """Put the boards second; they are built after the pages."""
    nav.items.insert(1, Link("Boards", BOARDS))
    return nav


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Leave out comments: claims, and commands of tables, are for programs."""
    return without_comments(markdown)


def without_comments(markdown: str) -> str:
    """A page without its HTML comments, but for those in examples."""
    parts = _FENCE.split(markdown)
    kept = [part if part.startswith("```") else re.sub(r"<!--.*?-->", "", part, flags=re.S) for part in parts]
    return "".join(kept)


def name_heading(heading: str, separator: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", separator)


def linked(page: Path) -> list[Path]:
    """The files of the repository that a page links to, without pages and folders."""
    targets = [(page.parent / link).resolve() for link in _LINK.findall(page.read_text("utf-8"))]
    return [
        path
        for path in dict.fromkeys(targets)
        if path.is_file() and path.is_relative_to(ROOT) and path.suffix != ".md"
    ]


def shown_at(path: Path) -> str:
    """Where a file lies in the site: no name begins with a dot, which hosts of pages leave out."""
    where = "/".join(part.lstrip(".") for part in path.relative_to(ROOT).parts)
    return where if path.suffix in _SHOWN else f"{where}.txt"
