"""What an attacker trains, on calibration people alone: a denoiser, and further-trained networks.

Training takes minutes: its result is kept under the digest of everything that it learned from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

from bench import encoders
from bench.adaptations import methods
from bench.adaptations.robustness import Robustness
from bench.adaptations.stopping import Curve
from bench.channels.learned import LearnedDenoiser
from bench.errors import RefusedError
from bench.machine.progress import Progress
from bench.parameters import plain, resolved
from bench.photos.collection import Photos, pixels_or_none
from bench.recognition.further_training import Shown, Told, train
from bench.recognition.observer import Observer
from bench.store.cache import Cache
from bench.store.code import stage_code
from bench.store.digests import digest
from bench.types import EncoderCard, Labels

Lesson = tuple[Photos, Labels]
"""Photos, and who is on each: int [photo]."""


@dataclass(frozen=True)
class TrainingData:
    """What an attacker may learn from: calibration people, some of them cloaked by itself with the defense.

    Attributes:
        clean: Photos of all of them; the people whom the attacker cloaked come first.
        people: int [photo], who is on each.
        held_out: Clean photos of people whom the attacker does not learn from, by which a threshold is set.
        make_cloaks: Makes cloaked photos of some of them, as they are after the platform, and says who is on
            each.
        seed: The seed of training.
    """

    clean: Photos
    people: Labels
    held_out: Photos
    make_cloaks: Callable[[], Lesson]
    seed: int

    @cached_property
    def cloaks(self) -> Lesson:
        """Cloaked photos, and who is on each; made once."""
        return self.make_cloaks()


def train_denoiser(
    untrained: LearnedDenoiser, lessons: TrainingData, cache: Cache, progress: Progress, device: str
) -> bytes:
    """The state of a denoiser that has learned from the attacker's own cloaks; see `bench.channels.denoiser`.

    Args:
        untrained: Its size, and how many optimiser steps to take.
        lessons: What to learn from.
        cache: Has what was trained before.
        progress: Told of every step.
        device: Where to train.

    Raises:
        RefusedError: The training came to a loss that is not finite; nothing is stored.
    """
    from bench.channels import denoiser

    cloaked, _ = lessons.cloaks
    positions, seed = range(len(cloaked)), lessons.seed
    learned = [lessons.clean.digests[: len(cloaked)], cloaked.digests]
    stamp = [str(untrained), seed, device.partition(":")[0], *stage_code(denoiser.__name__)]
    key = digest("denoiser", learned, stamp)
    state = cache.file("denoiser", key)
    if state is None:
        pairs = [
            (before, after)
            for content, other in zip(lessons.clean.read(positions), cloaked.read(positions), strict=True)
            if (before := pixels_or_none(content)) is not None
            and (after := pixels_or_none(other)) is not None
        ]
        with progress.stage("train denoiser", untrained.steps) as advance:
            try:
                state = denoiser.train(
                    [before for before, _ in pairs],
                    [after for _, after in pairs],
                    seed=seed,
                    steps=untrained.steps,
                    size=untrained.size,
                    device=device,
                    advance=advance,
                )
            except FloatingPointError as error:
                raise RefusedError(f"channel '{untrained}': {error}. Try other steps.") from error
        cache.put_file("denoiser", key, state)
    return state


def trained_card(
    card: EncoderCard,
    ways: Sequence[methods.Training],
    lessons: Sequence[Lesson],
    seed: int,
    observer: Observer,
    cache: Cache,
    progress: Progress,
) -> EncoderCard:
    """The card of an encoder's network after further training; the observer's pool has the network.

    Args:
        card: The encoder's card.
        ways: How to train, one way after another.
        lessons: Clean photos as the attacker sees them, and cloaks if a way learns from them.
        seed: The seed of training.
        observer: Crops faces, and gets the network.
        cache: Has what was trained before.
        progress: Told of every step.

    Raises:
        RefusedError: The training came to a loss that is not finite, or has too few people; nothing is
            stored.
    """
    from bench.adaptations.networks import Adapted, card_of, restored, stored, trainable

    learned = [[photos.digests, plain(photos.boxes), people.tolist()] for photos, people in lessons]
    taught = [[way.name, resolved(way)] for way in ways]
    how = [taught, seed, observer.pool.device.partition(":")[0], observer.finder.stamp]
    code = stage_code(__name__, *encoders.modules([card]))
    changed = digest("adapted", encoders.identity(card), how, learned, *code)
    adapted = card_of(card, changed)
    if observer.pool.knows(adapted):
        return adapted
    network = trainable(observer.pool.encoder(card))
    content = cache.file("adapted", adapted.sha256)
    if content is None or cache.file("told", adapted.sha256) is None:
        seen = [(*observer.crops(photos, card), people) for photos, people in lessons]
        shown = [Shown(crops, people[positions]) for crops, positions, people in seen]
        try:
            network, told = train(network, ways, shown, name=card.name, seed=seed, progress=progress)
        except FloatingPointError as error:
            raise RefusedError(
                f"encoder {card.name!r} cannot be trained further: {error}. Try a lower rate."
            ) from error
        except ValueError as error:
            raise RefusedError(
                f"encoder {card.name!r} cannot be trained further: {error}. Try more --calibration people."
            ) from error
        cache.put_file("told", adapted.sha256, json.dumps(asdict(told)).encode())
        cache.put_file("adapted", adapted.sha256, stored(network))
    else:
        network = restored(network, content)
    observer.pool.add(Adapted(adapted, network, observer.pool.device))
    return adapted


def told_of(card: EncoderCard, cache: Cache) -> Told:
    """What is told of a training.

    Args:
        card: The card that `trained_card` gave.
        cache: Has it.
    """
    told = json.loads(cache.file("told", card.sha256) or b"{}")
    robust = told.get("robustness")
    curves = {way: Curve(**curve) for way, curve in told.get("curves", {}).items()}
    return Told(Robustness(**robust) if robust else None, curves)
