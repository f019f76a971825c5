"""Weights that nobody has vouched for are tried before a run, rather than in the middle of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench import encoders
from bench.encoders.faults import EncoderFault
from bench.errors import UserError
from bench.types import EncoderCard, Folders

if TYPE_CHECKING:
    from bench.protocols import Encoder


def ready(name: str, folders: Folders) -> EncoderCard:
    """The card of an encoder whose weights are here, as `bench.encoders.ready` gives it.

    A user's own file embeds one crop first, on the CPU. So do weights whose digest nobody states, before the
    digest is pinned: a wrong file must not become the right one by being the first.

    Raises:
        UserError: as `bench.encoders.ready` does, and for weights that give no embedding.
    """
    family, card = encoders.lookup(name)
    encoder = family.untried(card, folders)
    if encoder is not None:
        _embed_one(encoder, family.present(card, folders))
    return family.ready(card, folders)


def _embed_one(encoder: Encoder, file: Path | None) -> None:
    from bench.encoders.preprocessing import sample

    try:
        encoder.embed(sample(encoder.card.crop.size, 1))
    except EncoderFault as fault:
        raise UserError(
            f"{fault}, of a crop to try it on. Check the weights in {file}, and its card."
        ) from fault
