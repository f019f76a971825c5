"""The folder of a site: read from records, written whole, and never over anything else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.board.loading import load
from bench.errors import UserError, cannot_read
from bench.machine.progress import Progress
from bench.site.build import Site
from bench.store.writing import try_folder, write_output

INSTEAD: Final = "choose another --out"

LIST: Final = "files-of-site.txt"
"""The file that names all files of a site, one a line: a later site replaces these and no others."""

_OURS = re.compile(r"[a-z0-9][a-z0-9-]*\.(html|svg|csv|png)")


def publish(
    paths: Sequence[Path], out: Path, progress: Progress, *, pictures: bool = False, home: str = ""
) -> None:
    """Write the site of some folders of records; a former site in its place is replaced.

    Args:
        paths: Folders that `bench run --out` wrote.
        out: The folder of the site.
        progress: Told of every page.
        pictures: Whether photos of drawn faces and embeddings are computed again and shown.
        home: Where every page leads besides; empty for nowhere.

    Raises:
        UserError: Records cannot be read or the site cannot be written, or something else lies in its place.
    """
    try_folder(out, instead=INSTEAD)
    former = _former(out)
    records, users = load(paths, of_users=True, of_photos=True)
    if not records:
        raise UserError(
            f"there is no record in {', '.join(map(str, paths))}: a site needs at least one cell."
        )
    files = Site(records, users, progress, pictures=pictures, home=home).files()
    listed = "".join(f"{name}\n" for name in sorted(files)).encode()
    content = {out / name: content for name, content in files.items()} | {out / LIST: listed}
    write_output(content, f"the site to {out}", instead=INSTEAD)
    for name in former - files.keys():
        (out / name).unlink(missing_ok=True)


def _former(out: Path) -> set[str]:
    """The files of a site that lies there already.

    Raises:
        UserError: Something else lies there, or it cannot be read.
    """
    try:
        if not out.is_dir() or not any(out.iterdir()):
            return set()
        listed = (out / LIST).read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        raise UserError(
            f"{out} is not empty, and no former site: {INSTEAD}, such as {out / 'site'}."
        ) from None
    except OSError as error:
        raise cannot_read(error, instead=INSTEAD) from error
    return {name for name in listed if _OURS.fullmatch(name)}
