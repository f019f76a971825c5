"""References: everything that a board used has its works, and words of strangers cannot end an entry."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import __version__, encoders, registry
from bench.exports.formats import files
from bench.exports.source import read
from bench.exports.works import OURS, UNPUBLISHED, Used, cited, remaining, works
from bench.records.record import Named

Plant = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[2]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
PLURALS: dict[str, registry.Kind] = {"defense": "defenses", "attacker": "attackers"}
PLUGINS = [
    Used(kind, name, registry.load(plural, name).card.source)
    for kind, plural in PLURALS.items()
    for name in registry.names(plural)
]


def cell(**changes: Any) -> dict[str, Any]:
    return {"found": [True, False, True], **changes}


def references(folder: Path) -> str:
    return files("bibtex", read([folder]))["references.bib"].decode()


def entries(text: str) -> dict[str, str]:
    """Key -> body, read as BibTeX does: an entry begins at an `@`, and ends where its braces are even."""
    found = {}
    at = text.find("@")
    while at >= 0:
        opened = text.index("{", at)
        depth, end = 1, opened + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        key, _, body = text[opened + 1 : end - 1].partition(",")
        assert key not in found
        found[key] = body
        at = text.find("@", end)
    return found


def test_a_board_is_followed_back_to_its_works(plant: Plant) -> None:
    folder = plant(
        "run",
        cell(
            defense=Named(name="pgd"),
            surrogate=[Named(name="synth-ir")],
            encoder=Named(name="mean:mfn_espdl+synth-inc"),
            members=[Named(name="mfn_espdl"), Named(name="synth-inc")],
            attacker=Named(name="svm"),
            dataset=Named(name="lfw+folder"),
        ),
    )
    found = entries(references(folder))
    assert set(found) >= {*OURS, "madry2018pgd", "dong2018momentum", "cortes1995svm", "huang2007lfw"}
    assert "ester1996dbscan" not in found
    (of_file,) = (body for key, body in found.items() if key.startswith("encoder-"))
    assert "github.com/espressif/esp-dl" in of_file


def test_the_project_is_cited_as_its_citation_file_says() -> None:
    ours, paper = (works()[key] for key in OURS)
    (reference,) = CITATION["references"]
    authors = [
        ["{" + author["name"] + "}" for author in source["authors"]] for source in (CITATION, reference)
    ]
    assert [[ours["author"]], [paper["author"]]] == authors
    assert [ours["title"], paper["title"]] == [CITATION["title"], reference["title"]]
    assert reference["identifiers"] == [{"type": "other", "value": f"arXiv:{paper['eprint']}"}]
    assert CITATION["version"] == __version__


@pytest.mark.parametrize("thing", PLUGINS, ids=lambda thing: thing.name)
def test_every_plugin_has_a_work_or_says_that_there_is_none(thing: Used) -> None:
    assert cited(thing) or any(remaining(thing)) or thing.source in UNPUBLISHED


def test_every_work_is_said_by_a_card() -> None:
    sources = [str(thing.source) for thing in PLUGINS]
    sources += [encoders.lookup(name)[1].source for name in encoders.names()]
    for key, work in works().items():
        assert "said" in work or "dataset" in work
        assert any(work["said"] in source for source in sources) if "said" in work else True, key
        assert work["dataset"] in registry.names("datasets") if "dataset" in work else True, key


def test_the_card_of_a_data_set_and_its_work_agree() -> None:
    for key, work in works().items():
        if "dataset" in work and "year" in work:
            card = (ROOT / "datasets" / f"{work['dataset']}.py").read_text("utf-8")
            (citation,) = re.findall(r'citation="(.*)"', card)
            assert work["author"].partition(",")[0] in citation, key
            assert work["year"] in citation, key


def test_what_has_no_card_here_is_named(plant: Plant) -> None:
    text = references(plant("run", cell(defense=Named(name="theirs"), attacker=Named(name="dbscan"))))
    assert "% defense theirs: its source is not known here" in text
    assert "% attacker dbscan\n@inproceedings{ester1996dbscan," in text


def test_words_of_strangers_neither_begin_nor_end_an_entry(plant: Plant) -> None:
    plain = entries(references(plant("plain", cell(defense=Named(name="theirs")))))
    hostile = "x}\n@article{evil, title={} % @"
    text = references(plant("run", cell(defense=Named(name=hostile), attacker=Named(name=hostile))))
    assert entries(text).keys() == plain.keys() - {"ester1996dbscan"}
    assert text.isascii()
