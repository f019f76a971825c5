"""A folder that `bench run --out` wrote -> a pack. Photos of real people are never in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import __version__
from bench.errors import UserError, cannot_read
from bench.experiment.again import written as written_dataset
from bench.machine.progress import Progress
from bench.photos.decode import UnreadablePhoto, decode
from bench.plan.datasets import chosen_dataset, drawn, open_chosen
from bench.records.record import Author, CellRecord
from bench.store.digests import array_digest
from bench.store.folders import folders
from bench.store.reading import read_whole
from bench.submission.archive import write_pack
from bench.submission.checks.of_cloaks import SHORT
from bench.submission.contents import Contents, open_contents
from bench.submission.manifest import written
from bench.submission.names import SUBMISSION, cloak_file

OPEN: Final = ("Apache-2.0", "MIT", "CC0", "CC-BY", "CC BY", "Public Domain")
"""How the licence of photos begins that anybody may hand on."""


def pack(folder: Path, cloaks: Path | None, by: Author | None, progress: Progress) -> bytes:
    """Pack the records, tables, manifests and boards of a folder, and cloaked photos if they may be.

    Args:
        folder: What `bench run --out` wrote.
        cloaks: A folder of cloaked photos, PNG, under any names; those of other records are left out.
        by: Who hands it in; None where nobody says.
        progress: Told of every cloaked photo.

    Returns:
        The bytes of the pack: the same for the same files.

    Raises:
        UserError: The folder lacks something, or the photos may not be handed on.
    """
    contents = open_contents(folder)
    records = contents.records
    # tables are read, so that nobody hands in what nobody can read
    for tables in (contents.users, contents.photos):
        missing = [r.cell for r in records if r.status == "ok" and r.cell not in tables]
        if missing:
            raise UserError(f"{folder} has no table for {len(missing)} cells, such as {missing[0][:12]}.")
    files = {name: content for name, content in contents.files.items() if name != SUBMISSION}
    if cloaks is not None:
        _check_open(records, progress)
        files |= _cloaks(cloaks, contents, progress)
    listed = written(files, f"cloakbench {__version__}", records[0].protocol, len(records), by)
    return write_pack({**files, SUBMISSION: listed})


def author(name: str | None, url: str | None) -> Author | None:
    """Who hands something in.

    Raises:
        UserError: A link leads elsewhere than to the web, or there is a link without a name.
    """
    if name is None:
        if url is not None:
            raise UserError("--url is of somebody: --by says who. Type --by NAME, too.")
        return None
    if url is not None and not url.startswith(("https://", "http://")):
        raise UserError(f"--url {url!r} is no address of the web. Type one that begins with https://.")
    if not 0 < len(name) <= 200 or len(url or "") > 500:
        raise UserError("--by has 1 to 200 characters, and --url at most 500.")
    return Author(name=name, url=url or "")


def _check_open(records: Sequence[CellRecord], progress: Progress) -> None:
    """See that photos may be handed on.

    Raises:
        UserError: They are of real people, or their data set's card states no open licence.
    """
    for name in sorted({record.dataset.name for record in records if not drawn(record.dataset.name)}):
        some = next(record.dataset for record in records if record.dataset.name == name)
        licence = "not known here"
        if name.partition("+")[0] not in ("lfw", "vggface2", "folder"):
            licence = open_chosen(
                chosen_dataset(written_dataset(some, "datasets")), folders(), progress
            ).card.licence
        if not licence.startswith(OPEN):
            raise UserError(
                f"photos of data set {name!r} are not packed: they may show real people "
                f"(licence: {licence}). "
                "Leave --cloaks out: records, tables and digests are enough."
            )
    if any("+" in record.dataset.name for record in records):
        raise UserError(
            "photos of users' own folders are not packed: they may show real people. Leave --cloaks out: "
            "records, tables and digests are enough."
        )


def _cloaks(folder: Path, contents: Contents, progress: Progress) -> dict[str, bytes]:
    """The cloaked photos of a folder that the records released, under the digests of their pixels.

    Raises:
        UserError: There are none.
    """
    released = {str(name) for table in contents.photos.values() for name in table["released"]}
    try:
        places = sorted(
            place for place in folder.rglob("*.png") if place.is_file() and not place.is_symlink()
        )
    except OSError as error:
        raise cannot_read(error, str(folder)) from error
    files: dict[str, bytes] = {}
    with progress.stage("read cloaks", len(places)) as advance:
        for place in places:
            content = read_whole(place)
            try:
                digits = array_digest(decode(content))[:SHORT]
            except UnreadablePhoto as error:
                raise UserError(f"{place} holds no photo: {error}. Remove it.") from error
            if digits in released:
                files[cloak_file(digits)] = content
            advance(1)
    if not files:
        raise UserError(
            f"none of the {len(places)} PNG files in {folder} was released in these records. "
            "'bench run --save-cloaks DIR' writes what a run releases."
        )
    return files
