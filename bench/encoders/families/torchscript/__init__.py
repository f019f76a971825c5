"""Encoders that come as a TorchScript file: `torchscript:FILE` of any user."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench.encoders import card_files
from bench.encoders.family import Family
from bench.protocols import Encoder
from bench.types import EncoderCard, Folders


class TorchScriptFamily(Family):
    """Programs that users bring. The project has none of its own.

    The digest of a program is on its card, and is checked by the encoder on the very bytes that it runs.
    """

    scheme = "torchscript"
    endings = (".pt", ".pth", ".ts", ".torchscript")
    scheme_about = "likewise; its card must state the file's sha256, since it is a program"

    def cards(self) -> Iterable[EncoderCard]:
        """No cards."""
        return ()

    def card_beside(self, file: Path) -> EncoderCard:
        """The card of a user's program, which is in a file beside the program's.

        Raises:
            UserError: if one of the files is missing, if the card is wrong, or if it does not state the
                program's digest.
        """
        return card_files.card(self.scheme, file, program="TorchScript")

    def untried(self, card: EncoderCard, folders: Folders) -> EncoderCard | None:
        """The card: every program is a user's own."""
        del folders
        return card

    def load(self, card: EncoderCard, folders: Folders, device: str) -> Encoder:
        """The encoder of a user's program.

        Raises:
            UserError: if the program does not load, or is not what its card says.
        """
        from bench.encoders.families.torchscript.program import TorchScriptEncoder

        del folders
        return TorchScriptEncoder(card, Path(card.location.partition(":")[2]), device)


FAMILY = TorchScriptFamily()
