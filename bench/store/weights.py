"""Where files of weights lie, and that they are what they should be: no byte is parsed unverified."""

from __future__ import annotations

import hashlib
from pathlib import Path

from bench.errors import UserError
from bench.store import lock
from bench.store.sources import SOURCES
from bench.types import EncoderCard, Folders

FILES = {
    "facenet-vggface2": "20180402-114759-vggface2.pt",
    "facenet-casia": "20180408-102900-casia-webface.pt",
}
"""Names whose file is not called NAME.onnx: here, what facenet-pytorch publishes them as."""

_digests: dict[tuple[str, int, int], str] = {}


def file_name(name: str) -> str:
    """What the file with this encoder's weights is called."""
    return FILES.get(name, f"{name}.onnx")


def places(folders: Folders) -> list[Path]:
    """The folders that are searched for weights, in order."""
    roots = [folders.real_data, folders.home]
    return [Path(root) / "weights" for root in roots if root]


def present(card: EncoderCard | str, folders: Folders) -> Path | None:
    """Where an encoder's file lies, unverified; None where there is none."""
    file = file_name(_name(card))
    return next((place / file for place in places(folders) if (place / file).is_file()), None)


def find(card: EncoderCard | str, folders: Folders) -> Path:
    """Where an encoder's weights lie, verified when the card states their digest.

    Args:
        card: of the encoder, or its name, whose file is then pinned in the lock (see `pinned`).
        folders: where to look.

    Raises:
        UserError: if there is no such file, or if it is not the one it should be.
    """
    name = _name(card)
    path = present(name, folders)
    if path is None:
        looked = " or ".join(str(place) for place in places(folders))
        get = f"Type 'bench fetch {name}', or put it there" if name in SOURCES else "Put it there"
        raise UserError(
            f"encoder {name!r} needs {file_name(name)}, which is not in {looked}. "
            f"{get}; 'bench list encoders' says where it comes from."
        )
    stated = card.sha256 if isinstance(card, EncoderCard) else ""
    return verified(path, stated or pinned(path, folders))


def verified(path: Path, sha256: str) -> Path:
    """The path, once its bytes are known to be the right ones.

    Raises:
        UserError: showing both digests, if they are not.
    """
    actual = digest(path)
    if actual != sha256:
        raise UserError(
            f"{path} is altered or damaged: its sha256 is {actual}, it should be {sha256}. "
            "Delete it and get it again."
        )
    return path


def digest(path: Path) -> str:
    """Hex sha256 of a file; computed once per process while its size and time of change stay the same."""
    try:
        stat = path.stat()
        key = (str(path), stat.st_size, stat.st_mtime_ns)
        if key not in _digests:
            with path.open("rb") as file:
                _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}.") from error
    return _digests[key]


def pinned(path: Path, folders: Folders) -> str:
    """What a file without a published digest had for one at its first use; pins it if this is the first.

    Raises:
        UserError: if the lock file cannot be read or written.
    """
    sha256 = lock.recorded(path.name, folders)
    if not sha256:
        sha256 = digest(path)
        lock.pin(path.name, sha256, folders)
    return sha256


def _name(card: EncoderCard | str) -> str:
    return card if isinstance(card, str) else card.name
