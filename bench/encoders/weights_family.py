"""Families whose weights are files that users bring: where a file lies, and that it is the right one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bench.encoders.family import Family
from bench.encoders.measured import with_figures
from bench.errors import UserError
from bench.protocols import Encoder
from bench.store import lock, weights
from bench.store.sources import SOURCES
from bench.types import EncoderCard, Folders


class WeightsFamily(Family):
    """A family with one file of weights for each card, below the folders of weights.

    A subclass writes `file_name` and `open`. Where no digest is stated on a card, the digest is pinned when
    the file is first used (see `bench.store.lock`).

    Attributes:
        stated: The cards, without measured figures.
    """

    stated: tuple[EncoderCard, ...] = ()

    @abstractmethod
    def file_name(self, card: EncoderCard) -> str:
        """The file with an encoder's weights, below a folder of weights."""

    @abstractmethod
    def open(self, card: EncoderCard, path: Path, device: str) -> Encoder:
        """The encoder, from a file that was verified.

        Raises:
            UserError: if the file is not what the card says.
        """

    def inspect(self, card: EncoderCard, path: Path) -> None:
        """Look into a file that nobody has vouched for, without running what is in it.

        Raises:
            UserError: if the file is not what the card says.
        """

    def places(self, card: EncoderCard, folders: Folders) -> list[Path]:
        """The folders that are searched for an encoder's file, in order."""
        del card
        return weights.places(folders)

    def candidates(self, card: EncoderCard, folders: Folders) -> list[Path]:
        """The paths that an encoder's file may have, in the order of the search."""
        return [place / self.file_name(card) for place in self.places(card, folders)]

    def cards(self) -> Iterable[EncoderCard]:
        """The cards of all encoders, with the figures that the project measured of their weights."""
        return [with_figures(card) for card in self.stated]

    def present(self, card: EncoderCard, folders: Folders) -> Path | None:
        """The file with an encoder's weights, unverified; None where it is not."""
        if users_file := self.users_file(card):
            return users_file
        return next((path for path in self.candidates(card, folders) if path.is_file()), None)

    def missing(self, card: EncoderCard, folders: Folders) -> str:
        """What is missing, where it was looked for and what to type; empty where nothing is missing."""
        if self.present(card, folders):
            return ""
        searched = " or ".join(str(place) for place in self.places(card, folders))
        return f"no {self.file_name(card)} in {searched}: {self.remedy(card, folders)}"

    def remedy(self, card: EncoderCard, folders: Folders) -> str:
        """What to type, or to do, for an encoder whose weights are missing."""
        by_hand = f"put {self.file_name(card)} into {Path(folders.home) / 'weights'}"
        return f"bench fetch {card.name}, or {by_hand}" if card.name in SOURCES else by_hand

    def ready(self, card: EncoderCard, folders: Folders) -> EncoderCard:
        """The card of an encoder whose file is here, with the digest that is stated or pinned.

        Raises:
            UserError: if the file is missing, altered, or not what the card says.
        """
        path = self._file(card, folders)
        if self.users_file(card) or not card.sha256:
            # before the digest is pinned: a wrong file must not become the right one by being the first
            self.inspect(card, path)
        sha256 = card.sha256 or weights.pinned(path, folders)
        weights.verified(path, sha256)
        return replace(card, sha256=sha256)

    def untried(self, card: EncoderCard, folders: Folders) -> EncoderCard | None:
        """The card with the digest of a file that is a user's own, or is about to be pinned; else None.

        Raises:
            UserError: if the file cannot be read.
        """
        path = self.present(card, folders)
        if path is None:
            return None
        vouched = card.sha256 or lock.recorded(path.name, folders)
        if vouched and not self.users_file(card):
            return None
        return card if card.sha256 else replace(card, sha256=weights.digest(path))

    def load(self, card: EncoderCard, folders: Folders, device: str) -> Encoder:
        """One of the encoders, its file verified.

        Raises:
            UserError: if the file is missing, altered, or not what the card says.
        """
        checked = card if card.sha256 else self.ready(card, folders)
        path = weights.verified(self._file(checked, folders), checked.sha256)
        return self.open(checked, path, device)

    def _file(self, card: EncoderCard, folders: Folders) -> Path:
        path = self.present(card, folders)
        if path is None:
            raise UserError(
                f"encoder {card.name!r}: {self.missing(card, folders)}. "
                "'bench list encoders' says where the file comes from."
            )
        return path
