"""The recognition networks of insightface's model packs, from local files; nothing is downloaded.

A pack's file is read by insightface's own model class too, which finds mean, standard deviation and size
in the graph; what it finds must be what the card says. Embedding is done by our session, so that bits do
not depend on a batch and the provider is known (design/009-encoders-from-files.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UserError
from bench.store import weights
from bench.types import EncoderCard, Folders

if TYPE_CHECKING:
    from bench.encoders.families.onnx_file.encoder import OnnxEncoder

FILES = {"buffalo_l": "w600k_r50.onnx", "buffalo_s": "w600k_mbf.onnx", "antelopev2": "glintr100.onnx"}
"""Pack -> its recognition network."""


def file_name(name: str) -> str:
    """The file of a pack, below a folder of weights."""
    return f"{name}/{FILES[name]}"


def candidates(name: str, folders: Folders) -> list[Path]:
    """Where a pack's recognition network may lie, in the order of the search.

    insightface's own folder comes last. Some archives hold the pack's folder once more.
    """
    roots = [*weights.places(folders), Path.home() / ".insightface" / "models"]
    return [root / inner / FILES[name] for root in roots for inner in (name, f"{name}/{name}")]


def present(name: str, folders: Folders) -> Path | None:
    """Where it lies, unverified; None where it does not."""
    return next((path for path in candidates(name, folders) if path.is_file()), None)


def missing(name: str, folders: Folders) -> str:
    """What is missing, where it was looked for, and what to type."""
    roots = dict.fromkeys(str(path.parents[1]) for path in candidates(name, folders)[::2])
    looked = " or ".join(roots)
    return f"no {file_name(name)} in {looked}: type 'bench fetch {name}', or unpack the pack there"


def find(card: EncoderCard, folders: Folders) -> Path:
    """Where it lies, verified against the digest of its first use, and a recognition network.

    Raises:
        UserError: if it is missing, altered, or not what the card says.
    """
    path = present(card.name, folders)
    if path is None:
        raise UserError(f"encoder {card.name!r}: {missing(card.name, folders)}.")
    from bench.encoders.card_files import read
    from bench.encoders.families.onnx_file.graph import interface, parse

    # before it is pinned: a wrong file must not become the right one by being the first
    interface(parse(read(path), str(path)), card, str(path))
    return weights.verified(path, weights.pinned(path, folders))


def load(card: EncoderCard, path: Path, device: str) -> OnnxEncoder:
    """The network, once insightface reads the same preprocessing out of it as the card states.

    Raises:
        UserError: if it does not, and if insightface does not load.
    """
    from bench.encoders.families.onnx_file.encoder import OnnxEncoder
    from bench.torchvision_compat import ensure

    made = OnnxEncoder(card, path, device)
    ensure()
    try:
        from insightface.model_zoo import ArcFaceONNX
    except ImportError as error:
        raise UserError(
            f"encoder {card.name!r} is checked by insightface, which does not load: {error}. Type "
            "pip install 'insightface>=1' opencv-python-headless."
        ) from error
    # on a GPU without onnxruntime's provider there is no session, and insightface opens one to look
    read = ArcFaceONNX(model_file=str(path), session=made.session)
    stated = card.preprocessing
    says = ((float(read.input_mean),) * 3, (float(read.input_std),) * 3, tuple(read.input_size))
    if says != (stated.mean, stated.std, (card.crop.size, card.crop.size)):
        raise UserError(
            f"{path} is not the network that the card of {card.name!r} is of: insightface reads mean "
            f"{says[0][0]:g}, std {says[1][0]:g} and size {says[2]} from it, the card says "
            f"{stated.mean[0]:g}, {stated.std[0]:g} and {card.crop.size}."
        )
    return made
