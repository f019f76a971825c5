"""Copies of surrogates that small changes mislead less: what an attacker has who trains against cloaks.

A cloak that was made against a network as released fails where the attacker trained that network further
against perturbations. Such a copy is at hand for the defense, too. It needs one photo each of a few people:
the copy learns to know each photo however it was perturbed.
"""

from __future__ import annotations

import hashlib

import torch

from bench import encoders
from bench.adaptations.methods import Adversarial
from bench.adaptations.networks import Adapted, card_of, restored, stored, trainable
from bench.adaptations.training import train_network
from bench.errors import RefusedError, UserError
from bench.machine.progress import Progress, Silent
from bench.parameters import resolved
from bench.protocols import Encoder
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest


def hardened(
    encoder: Encoder,
    faces: torch.Tensor,
    how: Adversarial,
    seed: int,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Encoder:
    """A copy of an encoder, trained further against perturbations of a few faces (Madry et al. 2018).

    Args:
        encoder: The encoder; it stays as it is.
        faces: float32 [people, 3, size, size] in [0, 1], one aligned face each of different people.
        how: Steps, and the perturbations' radius.
        seed: Of the order of the faces and of the perturbations' starts.
        cache: Has what was trained before; None for nothing.
        progress: Told of every step.

    Returns:
        The copy, under a name of its own.

    Raises:
        UserError: There are fewer than two faces.
        RefusedError: The training came to a loss or a weight that is not finite; nothing is stored.
    """
    if len(faces) < 2:
        raise UserError(
            f"hardened surrogates learn on photos of at least 2 other people and got {len(faces)}; "
            "a data set with more people has them."
        )
    device, seen = faces.device.type, hashlib.sha256(faces.cpu().numpy().tobytes()).hexdigest()
    taught = [how.name, resolved(how), seed, device, seen]
    code = stage_code(__name__, *encoders.modules([encoder.card]))
    changed = digest("hardened", encoders.identity(encoder.card), taught, *code)
    card = card_of(encoder.card, changed)
    network = trainable(encoder)
    content = cache.file("hardened", changed) if cache is not None else None
    if content is not None:
        return Adapted(card, restored(network, content), str(faces.device))
    people = torch.arange(len(faces)).numpy()
    try:
        with (progress or Silent()).stage(f"harden {encoder.card.name}", how.steps) as advance:
            network = train_network(network, faces, people, how, seed=seed, advance=advance)
    except FloatingPointError as error:
        raise RefusedError(
            f"surrogate {encoder.card.name!r} cannot be hardened: {error}. Try a smaller radius."
        ) from error
    if cache is not None:
        cache.put_file("hardened", changed, stored(network))
    return Adapted(card, network, str(faces.device))
