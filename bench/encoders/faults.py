"""What every encoder does to a network's output before anybody may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class EncoderFault(Exception):  # noqa: N818 - what happened, in the encoder's own words
    """A network gave something that is no embedding: the weights or the runtime are at fault."""


def unit(raw: torch.Tensor, name: str) -> torch.Tensor:
    """Rows scaled to length 1.

    Args:
        raw: float [n, dimensions].
        name: of the encoder, for the message.

    Raises:
        EncoderFault: if a row is not finite, or all zero.
    """
    import torch

    length: torch.Tensor = torch.linalg.vector_norm(raw, dim=1, keepdim=True)
    bad = ~(torch.isfinite(raw).all(1) & (length[:, 0] > 0))
    if bool(bad.any()):
        what = "zero" if bool(torch.isfinite(raw[bad]).all()) else "not finite"
        raise EncoderFault(f"encoder {name!r}: {int(bad.sum())} of {len(raw)} embeddings are {what}")
    return raw / length
