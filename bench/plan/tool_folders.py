"""The photos of a split as files in folders, for tools that cloak files."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from bench.errors import UserError
from bench.machine.progress import Progress
from bench.photos.decode import encode_png
from bench.plan.split import Split
from bench.protocols import Dataset
from bench.store.writing import try_folder, write_output

USERS, OWN = "users", "own"
"""The folder of the users' photos, and of those that an attacker who knows the tool cloaks itself."""

_INSTEAD = "choose another --write"
_TOGETHER = 16


def write_photos(parts: Split, data: Dataset, folder: Path, progress: Progress) -> int:
    """Write the photos that are cloaked in a run, each below its name: `users/Ann/1.jpg`.

    A file is written as it is, and pixels that a data set draws as PNG. A crowd is not cloaked by anybody.

    Args:
        parts: Who plays which part.
        data: The data set.
        folder: Where to write; it may exist if it is empty.
        progress: Told of every few photos.

    Returns:
        The number of photos.

    Raises:
        UserError: The folder is not empty or cannot be written to, or a name leads out of it.
    """
    known = parts.calibration[: len(parts.calibration) - parts.crowd]
    trained = parts.training[: len(parts.training) - parts.training_crowd]
    places = {USERS: (*parts.released, *parts.labelled), OWN: (*known, *trained)}
    photos = [(place, photo) for place, people in places.items() for person in people for photo in person]
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(
            f"{folder} is not empty, and photos of another run would mix with these. Choose another --write."
        )
    try_folder(folder, instead=_INSTEAD)
    with progress.stage("write photos", len(photos)) as advance:
        for i in range(0, len(photos), _TOGETHER):
            part = photos[i : i + _TOGETHER]
            contents = data.read([photo for _, photo in part])
            files: dict[Path, bytes] = {}
            for (place, photo), content in zip(part, contents, strict=True):
                if isinstance(content, bytes):
                    files[folder / place / _within(photo)] = content
                else:
                    files[folder / place / _within(f"{photo}.png")] = encode_png(content)
            write_output(files, f"to {folder}", instead=_INSTEAD)
            advance(len(part))
    return len(photos)


def _within(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise UserError(f"photo {name!r} cannot be written: its name leads out of a folder.")
    return path
