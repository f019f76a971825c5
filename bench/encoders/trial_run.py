"""Encoders from files that nobody has vouched for are tried before a run, rather than in the middle of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench import encoders
from bench.encoders import card_files, cards
from bench.encoders.families import insightface_packs
from bench.encoders.faults import EncoderFault
from bench.errors import UserError
from bench.store import lock, weights
from bench.types import EncoderCard, Folders

if TYPE_CHECKING:
    from bench.protocols import Encoder


def ready(name: str, folders: Folders) -> EncoderCard:
    """The card of an encoder whose weights are here, as `bench.encoders.ready` gives it.

    A user's own file embeds one crop first, on the CPU. So do weights whose digest nobody states, before
    it is pinned: a wrong file must not become the right one by being the first.

    Raises:
        UserError: as there; for a file that gives no embedding, and for a box that its margin fills.
    """
    if card_files.split(name) is None:
        _first_use(name, folders)
        return encoders.ready(name, folders)
    found = encoders.ready(name, folders)
    file = Path(found.location.partition(":")[2])
    crop = found.crop
    if crop.kind == "box" and not crop.margin < crop.size:
        raise UserError(
            f"{card_files.card_path(file)}: margin = {crop.margin:g} leaves nothing of a crop of "
            f"{crop.size} pixels for the face. Write less than size; it counts both sides together."
        )
    try:
        _embeds(encoders.load(found, folders), file)
    except IndexError as error:  # what a tensor of fewer than two axes is, where rows are expected
        raise UserError(f"{file} gives no row of numbers a face, and an encoder does.") from error
    return found


def _first_use(name: str, folders: Folders) -> None:
    """Try weights that are here, have no published digest, and are not pinned yet."""
    unstated = {card.name: card for card in (*cards.FACENET, *cards.PACKS)}
    if name not in unstated:
        return
    card = unstated[name]
    path = (
        insightface_packs.present(name, folders)
        if name in insightface_packs.FILES
        else weights.present(card, folders)
    )
    if path is None or lock.recorded(path.name, folders):
        return
    if name in insightface_packs.FILES:
        _embeds(insightface_packs.load(card, path, "cpu"), path)
    else:
        from bench.encoders.families.facenet.encoder import FaceNet

        _embeds(FaceNet(card, path), path)


def _embeds(made: Encoder, file: Path) -> None:
    from bench.encoders.preprocessing import sample

    try:
        made.embed(sample(made.card.crop.size, 1))
    except EncoderFault as fault:
        raise UserError(
            f"{fault}, of a crop to try it on. Check the weights in {file}, and its card."
        ) from fault
