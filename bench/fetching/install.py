"""From a name to verified files in their place. No file is ever there by half."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import filelock

from bench.errors import UserError, cannot_write, unknown_name
from bench.fetching import archives, downloads, manifests
from bench.fetching.contents import problem
from bench.machine.progress import Progress, Silent
from bench.store import lock, weights
from bench.store.sources import SOURCES, Item, Source
from bench.types import Folders

READY, MISSING = "ready", "not here"


@dataclass(frozen=True, slots=True)
class Wishes:
    """The way to fetch.

    Attributes:
        consent: Called with the source's name before the first byte is fetched. It raises to refuse.
        origins: Files, folders and addresses that are used instead of the published addresses.
        offline: Whether only this machine's files are used, those of `origins` among them.
        progress: The receiver of progress.
    """

    consent: Callable[[str, Source], None]
    origins: Sequence[str] = ()
    offline: bool = False
    progress: Progress = field(default_factory=Silent)


def fetch(name: str, folders: Folders, wishes: Wishes) -> list[Path]:
    """Put everything that a name stands for into the place where the benchmark looks for it.

    A file that is there already is verified and not fetched again. A download that was interrupted goes on.

    Args:
        name: One of `bench.store.sources.SOURCES`.
        folders: The folders; the files go into `home`.
        wishes: The way to fetch.

    Returns:
        The files and folders, the main one first.

    Raises:
        UserError: The files are not there or not right afterwards; one line says why.
    """
    source = SOURCES.get(name)
    if source is None:
        raise _unknown(name, folders)
    home = Path(folders.home)
    try:
        with _alone(home):
            wanted = [item for item in source.items if not ready(item, folders)]
            if wanted:
                given = _origins(wanted, source, wishes)
                wishes.consent(name, source)
                for item, origin in zip(wanted, given, strict=True):
                    _install(item, origin, folders, wishes)
    except OSError as error:
        instead = "set BENCH_HOME to a folder of yours, and repeat the command: what was downloaded is kept"
        what = f"{name!r} to {error.filename or home}"
        raise cannot_write(error, what, instead=instead) from error
    return [home / item.place for item in source.items]


def state(source: Source, folders: Folders) -> str:
    """The state of a source in a word. No digest is computed."""
    home = Path(folders.home)
    here = [item for item in source.items if (home / item.place).exists()]
    if len(here) == len(source.items):
        return READY
    parts = [_part(item, home) for item in source.items if _part(item, home).exists()]
    if parts:
        return f"begun, {sum(part.stat().st_size for part in parts) / 1e6:.1f} MB here"
    return f"{len(here)} of {len(source.items)} files" if here else MISSING


def ready(item: Item, folders: Folders) -> bool:
    """Whether a file or folder is in its place and is what was fetched.

    Raises:
        UserError: Something else is in its place. It is left as it is.
    """
    target = Path(folders.home) / item.place
    if not target.exists():
        return False
    if item.archive:
        manifests.verify(target, folders)
        return True
    if wrong := problem(target, item, folders):
        raise UserError(f"{target} is altered or damaged: {wrong}. Move it away and fetch it again.")
    weights.pinned(target, folders)
    return True


def _install(item: Item, origin: Path | list[str], folders: Folders, wishes: Wishes) -> None:
    """Get one item, verify it, and move it to its place in one step."""
    home = Path(folders.home)
    target, part = home / item.place, _part(item, home)
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(origin, Path):
        if wrong := problem(origin, item, folders):
            raise UserError(f"{origin} is not {item.file} as it should be: {wrong}. Nothing was installed.")
        got = origin
    else:
        downloads.download(
            item.file,
            origin,
            part,
            check=lambda path: problem(path, item, folders),
            trusted=bool(item.sha256 or item.md5 or lock.recorded(item.file, folders)),
            size=item.size,
            progress=wishes.progress,
        )
        got = part
    sha256 = weights.digest(got)
    if item.archive:
        try:
            _unpack(got, target, folders)
        except archives.ArchiveError as error:
            downloads.drop(part)
            raise UserError(f"{item.file} is not unpacked: {error}. Nothing was installed.") from error
    elif got == part:
        got.replace(target)
    else:
        shutil.copyfile(got, part)
        part.replace(target)
    lock.pin(item.file, sha256, folders)
    downloads.drop(part)


def _unpack(archive: Path, target: Path, folders: Folders) -> None:
    """Unpack beside the target, then rename: the folder is there whole or not at all."""
    prefix = f".{target.name}.unpacking-"
    for left_over in target.parent.glob(
        f"{prefix}*"
    ):  # by a run that was killed; the lock says none is alive
        shutil.rmtree(left_over)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=prefix))
    try:
        digests = archives.unpack(archive, scratch)
        entries = list(scratch.iterdir())
        tree = entries[0] if len(entries) == 1 and entries[0].is_dir() else scratch
        top = "" if tree == scratch else f"{tree.name}/"
        tree.chmod(0o777 & ~_umask())
        manifests.write(target, {name.removeprefix(top): sha256 for name, sha256 in digests.items()}, folders)
        tree.replace(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _umask() -> int:
    """The mode bits that new folders lack; `mkdtemp` makes a private folder."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _origins(items: Sequence[Item], source: Source, wishes: Wishes) -> list[Path | list[str]]:
    """The origin of each item. All origins must be known before the first item is taken."""
    given = [_origin(item, source, wishes) for item in items]
    if wishes.offline:
        missing = [item for item, origin in zip(items, given, strict=True) if not isinstance(origin, Path)]
        if missing:
            named = ", ".join(_described(item) for item in missing)
            raise UserError(f"offline, and not here: {named}. Bring what is missing and add --from FOLDER.")
    return given


def _described(item: Item) -> str:
    facts = [*item.urls[:1], *([f"sha256 {item.sha256}"] if item.sha256 else [])]
    return f"{item.file} ({', '.join(facts)})" if facts else item.file


def _origin(item: Item, source: Source, wishes: Wishes) -> Path | list[str]:
    """The origin of an item: a file on this machine, or addresses."""
    main = item == source.items[0]
    for origin in wishes.origins:
        if "://" in origin:
            if wishes.offline:
                raise UserError(f"--offline excludes --from {origin}: name a file or folder.")
            if origin.endswith("/"):
                return [origin + item.file]
            if main or origin.rpartition("/")[2] == item.file:
                return [origin]
            continue
        path = Path(origin)
        if not path.exists():
            raise UserError(f"--from {origin}: there is no such file or folder.")
        if path.is_dir() and (path / item.file).is_file():
            return path / item.file
        if path.is_file() and (path.name == item.file or (main and not _named(path.name, source))):
            return path
    return list(item.urls)


def _named(file: str, source: Source) -> bool:
    return any(item.file == file for item in source.items)


def _part(item: Item, home: Path) -> Path:
    # beside its target, so that the last step is a rename
    return (home / item.place).with_name(f"{item.file}.part")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Let one process at a time fetch into a home. The lock of a killed process is free."""
    home.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(home / "fetch.lock", timeout=0):
            yield
    except filelock.Timeout as error:
        raise UserError(f"another 'bench fetch' is at work in {home}: wait for it to end.") from error


def _unknown(name: str, folders: Folders) -> UserError:
    from bench import encoders

    if name == "vggface2":
        place = Path(folders.home) / "data" / name
        return UserError(
            f"data set {name!r} has no download: nobody whom we know serves it. Put a copy of yours into "
            f"{place}, or type --dataset {name}:root=PATH."
        )
    built_in = encoders.built_in()
    cards = {card.name: card for card, _ in encoders.availability(folders) if card.name not in built_in}
    remedy = encoders.remedy(cards[name], folders) if name in cards else ""
    if not remedy:
        return unknown_name("download", name, SOURCES, command="bench fetch --list")
    return UserError(
        f"encoder {name!r} has no download that can be verified. Get it from its source "
        f"({cards[name].source}) and {remedy}."
    )
