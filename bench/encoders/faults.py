"""The last step of every encoder: a network's output is checked and scaled to unit length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.errors import RefusedError

if TYPE_CHECKING:
    import torch


class EncoderFault(RefusedError):  # noqa: N818 - what happened, in the encoder's own words
    """A network's output is no embedding: the weights or the runtime are at fault. It concerns one cell.

    Attributes:
        rows: The positions of the crops without an embedding, in the batch; empty where they are not known.
        photos: The content digests of the photos that these crops are of; empty where they are not known.
    """

    def __init__(self, message: str, *, rows: Sequence[int] = (), photos: Sequence[str] = ()) -> None:
        """Store.

        Args:
            message: Which encoder it is, and what it gave.
            rows: The positions of the crops.
            photos: The digests of the photos.
        """
        super().__init__(message)
        self.rows, self.photos = tuple(rows), tuple(photos)

    def of(self, digests: Sequence[str], what: str) -> EncoderFault:
        """The same fault with the photos that it is of.

        Args:
            digests: The content digest of the photo that each crop of the batch is of.
            what: What the photos are, such as `released photos`.
        """
        photos = [digests[row] for row in self.rows]
        if not photos:
            return EncoderFault(f"{self} ({what})")
        named = f"photo {photos[0]}" if len(photos) == 1 else f"{len(photos)} photos, the first {photos[0]}"
        return EncoderFault(f"{self}: {named} ({what}). Check its weights and its card.", photos=photos)


def refuse(raw: torch.Tensor, name: str) -> None:
    """See that every row is an embedding.

    Args:
        raw: The network's output, float [n, dimensions].
        name: The encoder's name, for the message.

    Raises:
        EncoderFault: if a row is not finite, or all zero.
    """
    import torch

    length = torch.linalg.vector_norm(raw, dim=1)  # it may be infinite where the row is not
    bad = ~(torch.isfinite(raw).all(1) & torch.isfinite(length) & (length > 0))
    if bool(bad.any()):
        what = "zero" if bool((length[bad] == 0).all()) else "not finite"
        message = f"encoder {name!r}: {int(bad.sum())} of {len(raw)} embeddings are {what}"
        raise EncoderFault(message, rows=bad.nonzero()[:, 0].tolist())


def scaled(raw: torch.Tensor) -> torch.Tensor:
    """Rows scaled to length 1, whatever they hold: float [n, dimensions], as is the result."""
    import torch

    length: torch.Tensor = torch.linalg.vector_norm(raw, dim=1, keepdim=True)
    return raw / length
