"""A defense whose cloaks are read from files that a tool outside of this project made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from bench.errors import PassingError, RefusedError, UserError
from bench.photos.decode import UnreadablePhoto, decode
from bench.photos.pairs import content_of
from bench.protocols import Kit
from bench.types import ARCFACE_CROP, BUDGETS, Album, EncoderCard, Image, PluginCard

UNSTATED = EncoderCard(
    name="unstated",
    architecture="",
    training_set="",
    crop=ARCFACE_CROP,
    dimensions=0,
    parameters=0,
    released="",
    licence="",
    source="",
    sha256="",
)
"""Stands for surrogates that nobody states. They may be any encoder: what is not stated is never taken for a
stranger (design/005-knowledge-when-unstated.md)."""

File = tuple[Path, str]
"""A file, and the sha256 that it had when the run began."""


_MOST = 60
_STATED = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+-]{0,39}")


def check_stated(what: str, text: str) -> None:
    """See that the name or the version of a tool can stand in a record and on a board.

    Args:
        what: Where it was stated, such as `--tool`.
        text: The name or the version.

    Raises:
        UserError: It cannot.
    """
    if _STATED.fullmatch(text) is None:
        shown = repr(text if len(text) <= _MOST else f"{text[:_MOST]}…")
        raise UserError(
            f"{what} {shown}: it takes 1 to 40 letters, digits, blanks and . _ + -, no sign or blank first."
        )


@dataclass(frozen=True)
class ToolCloaks:
    """Publish the cloak that a tool made of each photo, found by the content of the original.

    A photo without a cloak, and one whose cloak is no photo or of another size, has none to publish.

    Attributes:
        tool: The tool's name.
        version: The tool's version.
        cloaks: A digest of every original with the content of its cloak.
        own_cloaks: The same of other people's photos, for attackers who know the tool; empty without any.
        report: What was found out about the files: counts, and the mean share of untouched pixels.
        against: Whether the tool optimises against encoders, stated or not.
        files: Digest of an original -> its cloak; None where there is none.
    """

    tool: str
    version: str
    cloaks: str
    own_cloaks: str = ""
    report: Mapping[str, int | float | None] = field(default_factory=dict, hash=False)
    against: bool = field(default=True, metadata={"recorded": False})
    files: Mapping[str, File | None] = field(
        default_factory=dict, hash=False, compare=False, repr=False, metadata={"recorded": False}
    )

    by_itself: ClassVar[bool] = True

    @property
    def card(self) -> PluginCard:
        """What is stated about the tool."""
        return PluginCard(
            summary="cloaks that were made elsewhere",
            source=f"{self.tool} {self.version}",
            surrogates=self.against,
            budgets=tuple(BUDGETS),
        )

    def cloak(self, albums: Sequence[Album], kit: Kit) -> list[list[Image | None]]:
        """See `bench.protocols.Defense.cloak`.

        Raises:
            RefusedError: The photos are of people whom nobody cloaked with the tool.
            PassingError: A cloak is another file than when the run began.
        """
        del kit
        unknown = [album for album in albums if album.digests and not self.files.keys() & {*album.digests}]
        if unknown:
            raise RefusedError(
                f"defense '{self.tool} {self.version}': an attacker who knows the tool needs its cloaks of "
                f"other people, and there are none of {len(unknown)} people. 'bench manifest --write DIR' "
                "writes their photos: cloak them with the tool, and name the folder with --own-cloaks."
            )
        return [
            [
                self._published(photo, digest)
                for photo, digest in zip(album.photos, album.digests, strict=True)
            ]
            for album in albums
        ]

    def _published(self, photo: Image, digest: str) -> Image | None:
        file = self.files.get(digest)
        if file is None:
            return None
        path, sha256 = file
        content = content_of(path)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PassingError(
                f"{path} is no longer the file that it was when the run began. Repeat the command."
            )
        try:
            cloak = decode(content)
        except UnreadablePhoto:
            return None
        return cloak if cloak.shape == photo.shape else None
