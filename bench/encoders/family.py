"""What the room asks of a family of encoders.

A family of the project is a module in `bench/encoders/families/` that says `FAMILY = ItsFamily()`. Encoders
of another package come through an adapter (`bench.encoders.outside`).
"""

from __future__ import annotations

from pathlib import Path

from bench.encoders import card_files
from bench.parameters import Plain
from bench.protocols import EncoderFamily
from bench.types import EncoderCard, Folders


class Family(EncoderFamily):
    """Encoders that are made in one way: their cards, where their weights lie, how one is loaded.

    A subclass writes `cards` and `load`; that is enough where no user has to bring a file. A family whose
    weights are files that users bring is a `bench.encoders.weights_family.WeightsFamily`.

    Attributes:
        built_in: Whether the package ships the weights.
        scheme: The word before the colon of names such as `onnx:FILE`, by which users bring networks of their
            own; empty where the family has no such names.
        endings: How the names of such files usually end.
        scheme_about: The line of `bench list encoders` about such names.
        package: The distribution that brings the family.
    """

    built_in: bool = False
    scheme: str = ""
    endings: tuple[str, ...] = ()
    scheme_about: str = ""
    package: str = "cloakbench"

    @property
    def location(self) -> str:
        """What the family's own cards have as their `location`: it tells which family to ask."""
        return f"family:{type(self).__module__.rpartition('.')[2]}"

    def owns(self, card: EncoderCard) -> bool:
        """Whether this family loads the encoder of a card. No other family's code is asked."""
        return card.location == self.location or self.users_file(card) is not None

    def users_file(self, card: EncoderCard) -> Path | None:
        """The file of a network that a user brings; None for a card that is not of such a file."""
        scheme, _, file = card.location.partition(":")
        return Path(file) if self.scheme and scheme == self.scheme else None

    def card_beside(self, file: Path) -> EncoderCard:
        """The card of a user's network, which is in a file beside the network's.

        Raises:
            UserError: if one of the files is missing, or if the card is wrong.
        """
        return card_files.card(self.scheme, file)

    def present(self, card: EncoderCard, folders: Folders) -> Path | None:
        """The file with an encoder's weights, unverified; None where there is none to look at."""
        del folders
        return self.users_file(card)

    def missing(self, card: EncoderCard, folders: Folders) -> str:
        """What is missing, where it was looked for and what to type; empty where nothing is missing."""
        del card, folders
        return ""

    def remedy(self, card: EncoderCard, folders: Folders) -> str:
        """What to type, or to do, for an encoder whose weights are missing."""
        del card, folders
        return ""

    def ready(self, card: EncoderCard, folders: Folders) -> EncoderCard:
        """The card of an encoder that can be loaded, with the digest of its weights.

        Raises:
            UserError: if the weights are missing, altered, or not what the card says.
        """
        del folders
        return card

    @property
    def apart(self) -> bool:
        """Whether such weights are tried in a process of its own: not where the user installed the code."""
        return True

    def untried(self, card: EncoderCard, folders: Folders) -> EncoderCard | None:
        """The card with the digest of weights that are here and that nobody has vouched for; else None."""
        del card, folders
        return None

    @property
    def module(self) -> str:
        """The module whose code, with all that it imports, makes and runs the encoders: for keys."""
        return type(self).__module__

    @property
    def code(self) -> list[Plain]:
        """What the identity of an encoder holds of its code; nothing for those of the project."""
        return []
