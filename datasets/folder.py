"""Anybody's own photos: one folder a person, in any format."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from bench.errors import UserError
from bench.types import DatasetCard, Folders

from ._files.formats import no_photo
from ._files.photo_files import PhotoFiles, entries, named_folder, unreadable

JUNK = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin"}
"""What file managers leave behind; not worth a word. Names that begin with a dot are not, either."""


@dataclass(frozen=True)
class Folder:
    """Your own photos, from any folder with one sub-folder a person: `folder:PATH`.

    Photos further down belong to the person whose sub-folder they are in. Links are followed. A photo that
    lies there twice is used once; one that lies in two people's folders is used for neither.

    Attributes:
        path: the folder. It is in no record; nor are the names in it.
    """

    positional: ClassVar[str] = "path"

    path: str = field(default="", metadata={"recorded": False})

    def open(self, folders: Folders) -> OwnPhotos:
        """Find the photos.

        Raises:
            UserError: without a path, and if there are no photos or no people below it.
        """
        asked = "data set 'folder'"
        if not self.path:
            raise UserError(
                f"{asked} needs to know which. Type folder:PATH, with one sub-folder a person in it."
            )
        root = named_folder(asked, self.path)
        found = _Search()
        try:
            for entry in entries(root):
                if _skipped(entry.name):
                    continue
                if _is_folder(entry):
                    found.person(entry)
                else:
                    found.out(entry.name, "lies in no person's folder")
        except OSError as error:
            raise unreadable(asked, error) from error
        if not found.paths:
            why = f" ({len(found.missing)} files or folders there are none)" if found.missing else ""
            raise UserError(
                f"no photos of {asked} in {root}{why}: make one sub-folder a person there, "
                "and put the photos of that person into it."
            )
        about = DatasetCard(
            name="folder",
            revision="",
            licence="the photos are their owners'",
            citation="none: a private collection",
        )
        paths = dict(sorted(found.paths.items()))
        people = {name: name.partition("/")[0] for name in paths}
        return OwnPhotos(about, folders.home, paths, people, found.missing)


class OwnPhotos(PhotoFiles):
    """An opened folder. See `bench.protocols.Dataset`."""

    def left_out(self) -> dict[str, str]:
        """Copies: a second one in a person's folder, and all of a photo that two people have."""
        out: dict[str, str] = {}
        for names in self.repeated().values():
            people = sorted({self.people[name] for name in names})
            if len(people) > 1:
                why = f"the same file lies in the folders of {len(people)} people: who is on it?"
                out |= dict.fromkeys(names, why)
            else:
                first, *others = sorted(names)
                out |= dict.fromkeys(others, f"the same file as {first}")
        return out


class _Search:
    """What was found so far.

    Names are in Unicode's composed form, so that a copy on another system, which may spell an accent in
    another way, is the same data set.
    """

    def __init__(self) -> None:
        self.paths: dict[str, str] = {}
        self.missing: dict[str, str] = {}

    def person(self, folder: os.DirEntry[str]) -> None:
        """Take all photos below one person's folder."""
        for name, entry in self._below(folder, folder.name, ()):
            why = no_photo(entry)
            if why:
                self.out(name, why)
            elif (told := _composed(name)) in self.paths:
                again = unicodedata.normalize("NFD", name)
                self.missing[again] = "has the name of another file, but for the spelling of an accent"
            else:
                self.paths[told] = entry.path

    def out(self, name: str, why: str) -> None:
        """Leave something out, and say so."""
        self.missing[_composed(name)] = why

    def _below(
        self, folder: os.DirEntry[str], name: str, above: tuple[tuple[int, int], ...]
    ) -> Iterator[tuple[str, os.DirEntry[str]]]:
        try:
            status = folder.stat()
            here = (status.st_dev, status.st_ino)
            if here in above:
                self.out(name, "is a link back to a folder that it lies in")
                return
            inside = entries(folder.path)
        except OSError as error:
            self.out(name, f"cannot be read: {error.strerror}")
            return
        for entry in inside:
            if _skipped(entry.name):
                continue
            below = f"{name}/{entry.name}"
            if _is_folder(entry):
                yield from self._below(entry, below, (*above, here))
            else:
                yield below, entry


def _skipped(name: str) -> bool:
    return name.startswith(".") or name.lower() in JUNK


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads nowhere: said where it is looked at as a file


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


PLUGIN = Folder
