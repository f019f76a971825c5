"""Anybody's own photos: one folder a person, in any format."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from bench.errors import UserError
from bench.types import DatasetCard, Folders

from ._files.bins import is_bin, is_hidden, of_a_system
from ._files.formats import no_photo
from ._files.photo_files import PhotoFiles
from ._files.places import entries, named_folder, of_the_entry, unreadable

JUNK = {"thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store", "icon\r"}
"""Files that file managers leave behind. They are passed over without a word."""


@dataclass(frozen=True)
class Folder:
    """Your own photos, from any folder with one sub-folder a person: `folder:PATH`.

    Photos in deeper folders belong to the person whose sub-folder they are in. Links are followed. A photo
    that lies in a person's folder twice is used once, and so is one with copies there that were stored or
    edited anew. A photo that lies in the folders of two people is not used.

    Attributes:
        path: The folder. No record holds the path or the names in the folder.
    """

    positional: ClassVar[str] = "path"

    path: str = field(default="", metadata={"recorded": False})

    def open(self, folders: Folders) -> PhotoFiles:
        """Find the photos.

        Raises:
            UserError: without a path, and if there are no photos or no people below it.
        """
        this = "data set 'folder'"
        if not self.path:
            raise UserError(
                f"{this} needs to know which. Type folder:PATH, with one sub-folder a person in it."
            )
        root = named_folder(this, self.path)
        tree = _Tree(root.resolve())
        try:
            for entry in entries(root):
                if _is_folder(entry):
                    tree.person(entry)
                elif not _is_junk(entry):
                    tree.out(entry.name, "lies in no person's folder")
        except OSError as error:
            raise unreadable(this, error) from error
        if not tree.paths:
            why = f" ({len(tree.missing)} files or folders there are none)" if tree.missing else ""
            raise UserError(
                f"no photos of {this} in {root}{why}: make one sub-folder a person there, "
                "and put the photos of that person into it."
            )
        about = DatasetCard(
            name="folder",
            revision="",
            licence="the photos are their owners'",
            citation="none: a private collection",
            unsorted=True,
        )
        return PhotoFiles(about, folders.home, dict(sorted(tree.paths.items())), tree.missing)


class _Tree:
    """The photos of a folder, person by person, and the files and folders that are left out.

    Names are in Unicode's composed form. Another system may spell an accent in another way; a copy there is
    the same data set.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.paths: dict[str, str] = {}
        self.missing: dict[str, str] = {}

    def person(self, folder: os.DirEntry[str]) -> None:
        """Take all photos below one person's folder."""
        for name, entry in self._below(folder, folder.name, (), self._root / folder.name):
            why = no_photo(entry) or ("is hidden" if _is_hidden(entry) else "")
            if why:
                self.out(name, why)
            elif (composed := _composed(name)) in self.paths:
                again = unicodedata.normalize("NFD", name)
                self.missing[again] = "has the name of another file, but for the spelling of an accent"
            else:
                self.paths[composed] = entry.path

    def out(self, name: str, why: str) -> None:
        """Leave a file or folder out, with the reason."""
        self.missing[_composed(name)] = why

    def _below(
        self, folder: os.DirEntry[str], name: str, above: tuple[tuple[int, int], ...], person: Path
    ) -> Iterator[tuple[str, os.DirEntry[str]]]:
        if folder.is_symlink() and (why := self._astray(Path(os.path.realpath(folder.path)), person)):
            self.out(name, why)
            return
        try:
            if why := of_a_system(folder):
                self.out(name, why)
                return
            status = folder.stat()
            inode = (status.st_dev, status.st_ino)
            if inode in above:
                self.out(name, "is a link back to a folder that it lies in")
                return
            inside = entries(folder.path)
            if is_bin(inside):
                self.out(name, "is a bin: what lies in it was thrown away")
                return
        except OSError as error:
            if not of_the_entry(error):
                raise
            self.out(name, f"cannot be read: {error.strerror}")
            return
        for entry in inside:
            below = f"{name}/{entry.name}"
            if _is_folder(entry):
                yield from self._below(entry, below, (*above, inode), person)
            elif not _is_junk(entry):
                yield below, entry

    def _astray(self, target: Path, person: Path) -> str:
        """Why a link is not followed; empty for one that leads to nobody else's photos.

        Args:
            target: Where the link leads.
            person: The folder of the person in which the link lies.
        """
        if self._root.is_relative_to(target):
            return "is a link back to a folder that it lies in"
        if target.is_relative_to(self._root) and not target.is_relative_to(person):
            return "is a link to the folder of another person"
        return ""


def _is_junk(file: os.DirEntry[str]) -> bool:
    """Whether a file is a file manager's, or a hidden one that is no photo."""
    return (
        file.name.lower() in JUNK or file.name.startswith("._") or (_is_hidden(file) and bool(no_photo(file)))
    )


def _is_hidden(file: os.DirEntry[str]) -> bool:
    if file.name.startswith("."):
        return True
    try:
        return is_hidden(file.stat())
    except OSError as error:
        if not (of_the_entry(error) or file.is_symlink()):
            raise
        return False  # `no_photo` says what is wrong with it


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if not of_the_entry(error):
            raise
        return False  # a link that leads nowhere: `no_photo` says so


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


PLUGIN = Folder
