"""Croissant 1.1 with its RAI extension: the built-in faces, and the manifest of each run.

Each is a folder with the description, `croissant.json`, and the table that it describes. The faces are listed
and not drawn: photo, person, and the digest of everything that the photo's pixels depend on.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from bench import __version__, registry
from bench.errors import UserError
from bench.exports.json_ld import Described, described
from bench.exports.source import Source
from bench.protocols import Dataset
from bench.records.record import CellRecord, Named
from bench.store.reading import read_whole
from bench.types import Folders

MOST: Final = 200_000
"""A listing of faces has no more rows."""

_FACES = "synthetic"
_MANIFEST = re.compile(r"manifest(-\d+)?\.csv")
_HEAD = b"part,person,sha256\n"
_ROWS = re.compile(rb"([a-z_]+,\d{1,12},[0-9a-f]{64}\n)+")
_APACHE = "https://www.apache.org/licenses/LICENSE-2.0"
_THEIRS = "Not stated: the table holds digests and no photos. The photos remain their owners'."
_PERSON = ("sc:Text", "The person on the photo, by number.")


def files(source: Source) -> dict[str, bytes]:
    """Path -> description or table.

    Raises:
        UserError: The records are not of the built-in faces and lie beside no manifest, or one is damaged.
    """
    drawn = {_asked(record.dataset): record.dataset for record in source.records if _built_in(record)}
    manifests = {read_whole(path): path for folder in source.paths for path in _manifests(folder)}
    tables = _numbered("faces", [_faces(text, named) for text, named in drawn.items()])
    tables |= _numbered("manifest", [_manifest(path, table, source) for table, path in manifests.items()])
    if not tables:
        raise UserError(
            f"{', '.join(map(str, source.paths))}: neither of the built-in faces nor beside a manifest.csv: "
            "there is no data set to describe. 'bench run --out' writes manifests."
        )
    made = {}
    for folder, table in tables.items():
        made[f"{folder}/{table.file}"] = table.table
        made[f"{folder}/croissant.json"] = described(table, source.made)
    return made


def _numbered(stem: str, tables: list[Described]) -> dict[str, Described]:
    """Folder -> table; folders have numbers where there are several."""
    several = len(tables) > 1
    return {f"{stem}-{number}" if several else stem: table for number, table in enumerate(tables, 1)}


def _built_in(record: CellRecord) -> bool:
    return record.dataset.name == _FACES


def _asked(named: Named) -> str:
    """The parameters of a data set as `--dataset` takes them."""
    return ",".join(f"{name}={value}" for name, value in sorted(named.parameters.items()))


def _faces(parameters: str, named: Named) -> Described:
    """The listing of the built-in faces with some parameters.

    Raises:
        UserError: They have no such parameters, or a listing would be too long.
    """
    data: Dataset = registry.make("datasets", f"{_FACES}:{parameters}")[1].open(Folders(home=""))
    card = data.card
    if (card.photos or 0) > MOST:
        raise UserError(
            f"the built-in faces with {parameters} are {card.photos} photos; a listing has at most {MOST}."
        )
    catalogue = data.catalogue()
    rows = [
        f"{photo},{person},{data.digest(photo)}\n"
        for photo, person in zip(catalogue.photos, catalogue.identities, strict=True)
    ]
    other = "" if card.revision == named.digest else f" The records are of another revision, {named.digest}."
    return Described(
        kind="faces",
        name="cloakbench built-in synthetic faces",
        about=f"{card.photos} photos of {card.identities} invented people, drawn by cloakbench when they are "
        f"read: --dataset {_FACES}:{parameters}, revision {card.revision} of the renderer.{other}",
        licence=_APACHE,
        cite=card.citation,
        creator="The cloakbench authors",
        version=__version__,
        file="faces.csv",
        table=("photo,person,digest\n" + "".join(rows)).encode(),
        columns={
            "photo": ("sc:Text", "The name of the photo: its person and its number."),
            "person": _PERSON,
            "digest": ("sc:Text", "SHA-256 of everything that the photo's pixels depend on."),
        },
    )


def _manifests(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("manifest*.csv") if _MANIFEST.fullmatch(path.name))


def _manifest(path: Path, table: bytes, source: Source) -> Described:
    """The manifest of a run.

    Raises:
        UserError: It is none.
    """
    if not table.startswith(_HEAD) or not _ROWS.fullmatch(table, len(_HEAD)):
        raise UserError(f"{path} is no manifest of a run. Repeat the command that wrote it, or move it away.")
    named = dict.fromkeys(f"{record.dataset.name} ({record.dataset.digest})" for record in source.records)
    ours = all(map(_built_in, source.records))
    return Described(
        kind="manifest",
        name="cloakbench manifest of a run",
        about=f"Which photo plays which part in a run of cloakbench. Data sets: {', '.join(named)}.",
        licence=_APACHE if ours else _THEIRS,
        cite="cloakbench: cite it by its CITATION.cff, and the data set by its own publication",
        creator="not stated",
        version=__version__,
        file="manifest.csv",
        table=table,
        columns={
            "part": ("sc:Text", "The part in the run, such as released, calibration or background."),
            "person": _PERSON,
            "sha256": ("sc:Text", "The digest of the photo's content."),
        },
    )
