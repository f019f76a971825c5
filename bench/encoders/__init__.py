"""The encoders: one family per file, one card per set of weights. Names -> encoders.

Nothing here imports torch before an encoder is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bench.encoders import card_files, cards, measured, outside
from bench.encoders.families import insightface_packs
from bench.errors import UserError, unknown_name
from bench.parameters import Plain, plain
from bench.protocols import Encoder
from bench.store import weights
from bench.store.code import code_of
from bench.store.sources import SOURCES
from bench.types import EncoderCard, Folders

READY = "ready"
"""What `availability` says of an encoder that can be loaded."""


def names(folders: Folders) -> list[str]:
    """Every name that `load` knows, built in ones first, whether its weights are here or not.

    `onnx:FILE` and `torchscript:FILE` are names too, and cannot be listed.
    """
    return list(_cards())


def card(name: str, folders: Folders) -> EncoderCard:
    """What an encoder is.

    Where the publisher of the weights states no digest and the file is here, the card carries the digest
    that was pinned at its first use.

    Raises:
        UserError: for a name that does not exist, and for a file whose card is missing or wrong.
    """
    named = card_files.split(name)
    if named is not None:
        return _of_file(*named)
    found = _named(name)
    if found.sha256:
        return found
    path = _present(found, folders)
    return replace(found, sha256=weights.pinned(path, folders)) if path else found


def ready(name: str, folders: Folders) -> EncoderCard:
    """The card of an encoder whose weights are here; see `card`.

    A file that nobody has vouched for (a user's own, a pack's) is looked into as well: it is better refused
    before a run than in the middle of one.

    Raises:
        UserError: for a name that does not exist, for weights that are missing, and for such a file that is
            not what its card says.
    """
    named = card_files.split(name)
    if named is not None:
        found = _of_file(*named)
        if named[0] == "onnx":
            from bench.encoders.families.onnx_file.graph import interface, parse

            interface(parse(card_files.read(named[1]), str(named[1])), found, str(named[1]))
        return found
    found = _named(name)
    if found.location or name in _built_in():
        return found
    _find(found, folders)
    return card(name, folders)


def load(asked: str | EncoderCard, folders: Folders, device: str = "cpu") -> Encoder:
    """Make an encoder, its weights verified.

    Args:
        asked: one of `names`, `onnx:FILE`, `torchscript:FILE`, or a card that `ready` gave.
        folders: where weights may lie.
        device: `cpu`, `cuda`, `cuda:1`.

    Raises:
        UserError: for an unknown name, and for weights that are missing or not what they should be.
    """
    found = card(asked, folders) if isinstance(asked, str) else asked
    scheme, _, file = found.location.partition(":")
    if scheme == outside.SCHEME:
        return outside.family(found).load(found, folders, device)
    if scheme == "torchscript":
        from bench.encoders.families.torchscript.program import TorchScriptEncoder

        return TorchScriptEncoder(found, Path(file), device)
    if found.name in _built_in():
        from bench.encoders.families.synth import load as load_built_in

        return load_built_in(found.name, device)
    path = weights.verified(Path(file), found.sha256) if scheme else _find(found, folders)
    if found.name in {c.name for c in cards.FACENET}:
        from bench.encoders.families.facenet.encoder import FaceNet

        return FaceNet(found, path, device)
    if found.name in insightface_packs.FILES:
        return insightface_packs.load(found, path, device)
    from bench.encoders.families.onnx_file.encoder import OnnxEncoder

    return OnnxEncoder(found, path, device)


def identity(found: EncoderCard) -> Plain:
    """Everything on a card that decides a result, and for an outside encoder its code: for digests."""
    code = [code_of(outside.module(found))] if found.location.startswith(f"{outside.SCHEME}:") else []
    stated = (found.name, found.sha256, found.crop, found.preprocessing, found.dimensions)
    derived = (found.architecture, found.training_set)  # what knowledge is derived from
    return [plain(one) for one in (*stated, *derived, *code)]


def distinct(found: Iterable[EncoderCard]) -> None:
    """See that no two encoders of a run have one name.

    Raises:
        UserError: if two different ones do: no record could tell them apart.
    """
    seen: dict[str, EncoderCard] = {}
    for one in found:
        if seen.setdefault(one.name, one) != one:
            raise UserError(
                f"two different encoders of this run are called {one.name!r}. "
                f"Set another name in the card of {one.location.partition(':')[2]}."
            )


def availability(folders: Folders) -> list[tuple[EncoderCard, str]]:
    """Every encoder's card, with `READY`, or with what is missing and what to type."""
    built_in = _built_in()
    return [(c, READY if c.name in built_in or c.location else _state(c, folders)) for c in _cards().values()]


def remedy(found: EncoderCard, folders: Folders) -> str:
    """What to type, or to do, for an encoder whose weights are missing."""
    file = (
        insightface_packs.file_name(found.name)
        if found.name in insightface_packs.FILES
        else weights.file_name(found.name)
    )
    here = f"put {file} into {Path(folders.home) / 'weights'}"
    return f"bench fetch {found.name}, or {here}" if found.name in SOURCES else here


def _state(found: EncoderCard, folders: Folders) -> str:
    if _present(found, folders):
        return READY
    if found.name in insightface_packs.FILES:
        return insightface_packs.missing(found.name, folders)
    looked = " or ".join(str(place) for place in weights.places(folders))
    return f"no {weights.file_name(found.name)} in {looked}: {remedy(found, folders)}"


def _present(found: EncoderCard, folders: Folders) -> Path | None:
    if found.name in insightface_packs.FILES:
        return insightface_packs.present(found.name, folders)
    return weights.present(found, folders)


def _find(found: EncoderCard, folders: Folders) -> Path:
    return (
        insightface_packs.find(found, folders)
        if found.name in insightface_packs.FILES
        else weights.find(found, folders)
    )


def _named(name: str) -> EncoderCard:
    known = _cards()
    if name not in known:
        raise unknown_name("encoder", name, known, command="bench list encoders")
    return known[name]


def _of_file(scheme: str, file: Path) -> EncoderCard:
    found = card_files.card(scheme, file)
    if found.name in _cards():
        raise UserError(
            f"{found.name!r} is the name of another encoder. "
            f"Set another name in {card_files.card_path(file)}."
        )
    return found


def _cards() -> dict[str, EncoderCard]:
    theirs = (*cards.FACENET, *cards.PACKS, *cards.ONNX)
    own = {**_built_in(), **{c.name: measured.told(c) for c in theirs}}
    return own | outside.cards(own)


def _built_in() -> dict[str, EncoderCard]:
    from bench.encoders.families.synth import cards as built_in

    return {c.name: c for c in built_in()}
