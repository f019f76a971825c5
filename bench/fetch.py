"""The only code that uses the network, and only when asked: `bench fetch`."""

from __future__ import annotations

from pathlib import Path

from bench import weights
from bench.encoders.cards import FACENET, ONNX
from bench.errors import UserError, unknown_name
from bench.types import Folders

SOURCES = {"lfw": "Labeled Faces in the Wild, funneled, about 230 MB, through scikit-learn (checksummed)"}


def fetch(name: str, folders: Folders) -> Path:
    """Download a data set into `BENCH_HOME/data`, where its plug-in looks for it.

    Raises:
        UserError: for a name that cannot be fetched, or when the download fails.
    """
    card = {card.name: card for card in (*FACENET, *ONNX)}.get(name)
    if card is not None:
        raise UserError(
            f"encoder {name!r} has no download that can be verified. Get {weights.file_name(name)} from its "
            f"source ({card.source}) and put it into {Path(folders.home) / 'weights'}."
        )
    if name not in SOURCES:
        raise unknown_name("download", name, SOURCES, command="bench fetch --help")
    from sklearn.datasets import fetch_lfw_people

    home = Path(folders.home) / "data"
    try:
        # downloads and unpacks everything; few people are then loaded, since only the files are wanted
        fetch_lfw_people(data_home=str(home), funneled=True, min_faces_per_person=200, resize=None)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"could not fetch {name!r} into {home}: {error}. Check the network and repeat, or put the photos "
            f"there by hand as {home / 'lfw'}/<Person>/<Person>_NNNN.jpg."
        ) from error
    return home / "lfw_home" / "lfw_funneled"
