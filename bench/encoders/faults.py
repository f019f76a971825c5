"""The last step of every encoder: a network's output is checked and scaled to unit length."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class EncoderFault(Exception):  # noqa: N818 - what happened, in the encoder's own words
    """A network's output is no embedding: the weights or the runtime are at fault."""


def unit(raw: torch.Tensor, name: str) -> torch.Tensor:
    """Scale rows to length 1.

    Args:
        raw: The network's output, float [n, dimensions].
        name: The encoder's name, for the message.

    Returns:
        Unit rows of the same type and shape.

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
