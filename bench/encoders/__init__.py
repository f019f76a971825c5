"""The encoders: one family per file, one card per set of weights. Names -> encoders.

Nothing here imports torch before an encoder is loaded.
"""

from __future__ import annotations

from dataclasses import replace

from bench import weights
from bench.encoders import cards
from bench.errors import unknown_name
from bench.protocols import Encoder
from bench.types import EncoderCard, Folders

READY = "ready"
"""What `availability` says of an encoder that can be loaded."""


def names(folders: Folders) -> list[str]:
    """Every name that `load` knows, built in ones first, whether its weights are here or not."""
    return list(_cards())


def card(name: str, folders: Folders) -> EncoderCard:
    """What an encoder is.

    Where the publisher of the weights states no digest and the file is here, the card carries the digest
    that was pinned at its first use.

    Raises:
        UserError: for a name that does not exist.
    """
    known = _cards()
    if name not in known:
        raise unknown_name("encoder", name, known, command="bench list encoders")
    found = known[name]
    if found.sha256:
        return found
    path = weights.present(found, folders)
    return replace(found, sha256=weights.pinned(path, folders)) if path else found


def ready(name: str, folders: Folders) -> EncoderCard:
    """The card of an encoder whose weights are here; see `card`.

    Raises:
        UserError: for a name that does not exist, and for weights that are missing.
    """
    found = card(name, folders)
    if name not in _built_in():
        weights.find(found, folders)
    return card(name, folders)


def load(name: str, folders: Folders, device: str = "cpu") -> Encoder:
    """Make an encoder, its weights verified.

    Args:
        name: one of `names`.
        folders: where weights may lie.
        device: `cpu`, `cuda`, `cuda:1`.

    Raises:
        UserError: for an unknown name, and for weights that are missing or not what they should be.
    """
    asked = card(name, folders)
    if name in _built_in():
        from bench.encoders.synth import load as load_built_in

        return load_built_in(name, device)
    path = weights.find(asked, folders)
    if name in {c.name for c in cards.FACENET}:
        from bench.encoders.facenet import FaceNet

        return FaceNet(asked, path, device)
    from bench.encoders.onnx_file import OnnxEncoder

    return OnnxEncoder(asked, path, device)


def availability(folders: Folders) -> list[tuple[EncoderCard, str]]:
    """Every encoder's card, with `READY`, or with what is missing and what to type."""
    built_in = _built_in()
    return [(c, READY if c.name in built_in else _state(c, folders)) for c in _cards().values()]


def _state(found: EncoderCard, folders: Folders) -> str:
    if weights.present(found, folders):
        return READY
    looked = " or ".join(str(place) for place in weights.places(folders))
    return f"no {weights.file_name(found.name)} in {looked}: put it there; it comes from {found.source}"


def _cards() -> dict[str, EncoderCard]:
    return {**_built_in(), **{c.name: c for c in (*cards.FACENET, *cards.ONNX)}}


def _built_in() -> dict[str, EncoderCard]:
    from bench.encoders.synth import cards as built_in

    return {c.name: c for c in built_in()}
