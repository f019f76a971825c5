"""The trial of an encoder whose weights nobody has vouched for: it embeds a few crops, and the same twice.

`python -m bench.encoders.trial` is a process of its own, which may be ended and may take so much memory and
no more (see `bench.encoders.trial_run`).
"""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bench import encoders
from bench.encoders.faults import EncoderFault
from bench.errors import PassingError, UserError
from bench.protocols import Encoder
from bench.types import Folders

if TYPE_CHECKING:
    import torch

ALIKE = 0.99999
"""The least cosine between two embeddings of one crop that differ in the rest of the batch alone."""


@runtime_checkable
class Tried(Encoder, Protocol):
    """An encoder whose network can be asked for a batch."""

    def raw(self, crops: torch.Tensor) -> torch.Tensor:
        """The network's output for one batch, not normalised: float32 [n, dimensions]."""


def check(encoder: Encoder) -> None:
    """See that an encoder is a function of the crop, and of nothing else.

    Raises:
        UserError: It gives no embedding, other numbers at a second call, or other numbers in another batch.
    """
    import torch

    from bench.encoders.preprocessing import sample

    name, size = encoder.card.name, encoder.card.crop.size
    crops = sample(size, 3)
    try:
        first, second = encoder.embed(crops), encoder.embed(crops.flip(0)).flip(0)
    except EncoderFault as fault:
        raise UserError(f"{fault}, of crops to try it on. Check its weights and its card.") from fault
    if not torch.equal(first, second):
        raise UserError(
            f"encoder {name!r} gives one crop other numbers at a second call: dropout, noise or a state is "
            "on. Export it in eval mode (network.eval())."
        )
    cosine = _between_batches(encoder, crops)
    if not cosine >= ALIKE:  # nor is it where it is no number
        raise UserError(
            f"encoder {name!r} gives one crop other numbers in another batch, cosine {cosine:.4f}: "
            "statistics of batches are on. Export it in eval mode (network.eval())."
        )


def _between_batches(encoder: Encoder, crops: torch.Tensor) -> float:
    """The least cosine of the first crop's embeddings, alone and in batches; 1 if it takes no batch.

    It is NaN where a batch gives that crop no embedding.
    """
    import torch

    from bench.encoders.sessions import FAULTS

    if not isinstance(encoder, Tried):
        return 1.0
    embedded = []
    dark, bright = torch.zeros_like(crops[:2]), torch.ones_like(crops[:2])
    companies = (crops[:0], crops[1:], dark, bright, 1 - crops)
    one_by_one: tuple[type[Exception], ...]
    one_by_one = (RuntimeError, ValueError, TypeError, IndexError, *FAULTS, EncoderFault)
    with torch.no_grad():
        for batch in (torch.cat([crops[:1], company]) for company in companies):
            with suppress(*one_by_one):  # a network that takes one crop at a time is always asked so
                out = encoder.raw(batch)
                if out.shape == (len(batch), encoder.card.dimensions):
                    embedded.append(out[:1].double())
    pairs = [torch.nn.functional.cosine_similarity(embedded[0], other) for other in embedded[1:]]
    return float(torch.cat(pairs).min()) if pairs else 1.0  # min hands a NaN on


def _answer(asked: dict[str, str | None]) -> dict[str, str]:
    """What the parent is told: `refused`, `passing` or neither, each with its line."""
    try:
        family, card = encoders.lookup(str(asked["name"]))
        card = replace(card, sha256=str(asked["sha256"]))
        check(family.load(card, Folders(str(asked["home"]), asked["real_data"]), "cpu"))
    except PassingError as error:
        return {"passing": str(error)}
    except UserError as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": "it takes more memory than a trial may"}
    return {}


def main() -> None:
    """Read who is to be tried from standard input, and write the answer to standard output, as JSON."""
    asked = json.load(sys.stdin)
    answers = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer
    for limit, most in ((resource.RLIMIT_DATA, asked["memory"]), (resource.RLIMIT_CPU, asked["seconds"])):
        _, hard = resource.getrlimit(limit)
        resource.setrlimit(limit, (most, hard) if hard < 0 else (min(most, hard), hard))
    answer = json.dumps(_answer(asked)).encode()
    with os.fdopen(answers, "wb") as stream:
        stream.write(answer)


if __name__ == "__main__":
    main()
