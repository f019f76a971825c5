"""Descriptions of tables in Croissant 1.1: JSON-LD, in the vocabulary of MLCommons.

Nobody but the publisher knows the address of a data set, so a description has no `url`.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Final

from bench.exports.texts import document, plain

_SAME = (
    *(
        "citeAs",
        "column",
        "containedIn",
        "equivalentProperty",
        "extract",
        "field",
        "fileObject",
        "fileProperty",
    ),
    *("fileSet", "format", "includes", "isArray", "isLiveDataset", "arrayShape", "jsonPath", "key", "md5"),
    *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
    *("separator", "source", "subField", "transform"),
)
"""Terms that Croissant defines itself."""

_CONTEXT: Final = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in _SAME},
}

_CONFORMS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]


@dataclass(frozen=True, slots=True)
class Described:
    """A table, and what is to be said of it.

    Attributes:
        kind: `faces` or `manifest`: which statements on responsible use hold.
        name: what the data set is called.
        about: what it is.
        licence: an address, or words.
        cite: how it is cited.
        creator: who made it.
        version: such as `1.0.0`.
        file: the table's name.
        table: its content, CSV with a header.
        columns: name of each column -> its type in schema.org, and what it is.
    """

    kind: str
    name: str
    about: str
    licence: str
    cite: str
    creator: str
    version: str
    file: str
    table: bytes
    columns: Mapping[str, tuple[str, str]]


def described(table: Described, made: int) -> bytes:
    """The description of a table: a file `croissant.json` to lie beside it.

    Args:
        table: The table.
        made: Seconds since 1970 at which it is published.
    """
    stated = tomllib.loads(files("bench.exports").joinpath("rai.toml").read_text("utf-8"))[table.kind]
    return document(
        {
            "@context": _CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": _CONFORMS,
            "name": plain(table.name),
            "description": plain(table.about),
            "license": plain(table.licence),
            "version": table.version,
            "datePublished": datetime.fromtimestamp(made, UTC).date().isoformat(),
            "citeAs": plain(table.cite),
            "creator": {"@type": "sc:Organization", "name": table.creator},
            **{f"rai:{name}": words for name, words in stated.items()},
            "distribution": [_file(table)],
            "recordSet": [_rows(table)],
        }
    )


def _file(table: Described) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": table.file,
        "name": table.file,
        "contentUrl": table.file,
        "encodingFormat": "text/csv",
        "contentSize": f"{len(table.table)} B",
        "sha256": hashlib.sha256(table.table).hexdigest(),
    }


def _rows(table: Described) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "rows",
        "name": "rows",
        "description": "One photo a row.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"rows/{name}",
                "name": name,
                "description": about,
                "dataType": kind,
                "source": {"fileObject": {"@id": table.file}, "extract": {"column": name}},
            }
            for name, (kind, about) in table.columns.items()
        ],
    }
