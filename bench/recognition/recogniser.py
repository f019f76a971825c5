"""Photos -> embeddings, as one attacker sees them.

Through purifiers, several looks, several encoders, and networks of its own training; what is learned is
learned from calibration people alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench import channels
from bench.adaptations import ensembles, methods
from bench.channels import Channel
from bench.channels.mirror import Mirror
from bench.encoders.faults import EncoderFault
from bench.machine.progress import Progress
from bench.plan.cells import Cell
from bench.recognition.observer import Observed, Observer, Photos, decoded, through
from bench.store.cache import Cache
from bench.store.digests import code_digest, digest, versions
from bench.types import EncoderCard, Labels

if TYPE_CHECKING:
    from torch import nn

Vectors = npt.NDArray[np.float32]
_CODE = (
    "bench.recognition.recogniser",
    "bench.adaptations",
    "bench.encoders",
    "bench.faces.align",
    "bench.recognition.observer",
)
_LIBRARIES = ("torch", "numpy", "scipy")


@dataclass(frozen=True)
class Lessons:
    """What an attacker may learn from: calibration people, some of them cloaked by itself with the defense.

    Attributes:
        clean: photos of all of them.
        people: int [photo], who is on each.
        cloaks: makes cloaked photos of some of them, as they are after the platform, and says who is on each.
        seed: of training.
    """

    clean: Photos
    people: Labels
    cloaks: Callable[[], tuple[Photos, Labels]]
    seed: int


class Recogniser:
    """One attacker's eyes."""

    def __init__(
        self,
        cell: Cell,
        observer: Observer,
        cache: Cache,
        progress: Progress,
        lessons: Lessons,
        company: Sequence[EncoderCard] = (),
    ) -> None:
        """Store; nothing is learned before it is needed.

        Args:
            cell: whose channel, encoder, adaptation and seed decide what is seen.
            observer: detects and embeds.
            cache: of what was learned.
            progress: told of training.
            lessons: what may be learned from.
            company: cards of encoders that other cells will ask for: with an encoder that is used as it is,
                a photo is decoded and detected once for all of them.
        """
        self._cell, self._observer, self._cache, self._progress = cell, observer, cache, progress
        self._lessons, self._company = lessons, company
        self._asked = channels.divided(channels.parse(cell.channel))[1]
        self._remembered: dict[tuple[str, ...], Observed] = {}
        self._how: methods.Adaptation = cell.adaptation.plugin

    @property
    def purifies(self) -> bool:
        """Whether the attacker changes photos before it looks."""
        return str(self._asked) != "none"

    @staticmethod
    def learns_from_cloaks(cell: Cell) -> bool:
        """Whether what a cell's attacker sees depends on the defense, because it was trained on cloaks."""
        adapts = isinstance(cell.adaptation.plugin, methods.Head | methods.FineTune)
        return adapts or channels.learner(channels.parse(cell.channel)) is not None

    def look(self, photos: Photos, what: str, *, again: bool = False) -> Observed:
        """See photos: released ones after the platform, and others as they were found.

        Args:
            photos: what the attacker has.
            what: for the progress line.
            again: whether other cells will look at the same photos: then what was seen is remembered.

        Returns:
            Faces as found in the purified photo, and the cell's embedding under its encoder's name.

        Raises:
            EncoderFault: if a network gives no embedding.
        """
        if photos.digests in self._remembered:
            return self._remembered[photos.digests]
        seen = self._seen(photos, what)
        if isinstance(self._how, methods.Head):
            seen = replace(seen, embeddings={n: self._head(v) for n, v in seen.embeddings.items()})
        if again:
            self._remembered[photos.digests] = seen
        return seen

    def _seen(self, photos: Photos, what: str) -> Observed:
        """Before any head: every view through every member, put together."""
        purified = through(photos, self._purifier)
        looks = [self._look(view, what) for view in self._views(purified)]
        parts = [_averaged([look.embeddings[card.name] for look in looks]) for card in self._cards]
        return replace(looks[0], embeddings={self._cell.encoder.name: self._together(parts)})

    def _views(self, photos: Photos) -> list[Photos]:
        if not isinstance(self._how, methods.Views):
            return [photos]
        # a mirrored photo's face is not where the data set says
        named = [name for name in self._how.channels if name != "mirror" or not photos.boxes]
        return [through(photos, _view(name)) for name in named]

    def _look(self, photos: Photos, what: str) -> Observed:
        own = list(self._cards)
        if self._cards == self._cell.members and self._observer.unmet(photos):
            try:
                return self._observer.observe(photos, _distinct([*own, *self._company]), what)
            except EncoderFault:
                # one of the company's networks may be at fault: what the others saw is kept
                return self._observer.observe(photos, own, what)
        return self._observer.observe(photos, own, what)

    def _together(self, parts: Sequence[Vectors]) -> Vectors:
        if len(parts) == 1:
            return parts[0]
        if not ensembles.averaging(self._cell.encoder):
            return ensembles.side_by_side(parts)
        return self._mean(parts)

    @cached_property
    def _mean(self) -> ensembles.Mean:
        """How members are averaged, learned on clean calibration photos."""
        purified = through(self._lessons.clean, self._purifier)
        looks = [self._look(view, "calibration people") for view in self._views(purified)]
        parts = [_averaged([look.embeddings[card.name] for look in looks]) for card in self._cards]
        whole = np.all([np.isfinite(part[:, 0]) for part in parts], axis=0)
        return ensembles.Mean.fitted([part[whole] for part in parts])

    @cached_property
    def _cloaks(self) -> tuple[Photos, Labels]:
        return self._lessons.cloaks()

    @cached_property
    def _purifier(self) -> Channel:
        """The attacker's own step before it looks, trained if it has to be."""
        step = channels.learner(self._asked)
        if step is None:
            return self._asked
        from bench.channels import denoiser

        cloaked, _ = self._cloaks
        # the well-known people come first among the lessons, and are the ones that were cloaked
        where, seed = range(len(cloaked)), self._lessons.seed
        learned = [self._lessons.clean.digests[: len(cloaked)], cloaked.digests]
        stamp = [step.steps, seed, self._observer.device.partition(":")[0], versions(_LIBRARIES)]
        key = digest(
            "denoiser", learned, stamp, code_digest("bench.channels.denoiser", "bench.machine.workers")
        )
        state = self._cache.file("denoiser", key)
        if state is None:
            pairs = [
                (before, after)
                for content, other in zip(self._lessons.clean.read(where), cloaked.read(where), strict=True)
                if (before := decoded(content)) is not None and (after := decoded(other)) is not None
            ]
            with self._progress.stage("train denoiser", step.steps) as advance:
                state = denoiser.train(
                    [before for before, _ in pairs],
                    [after for _, after in pairs],
                    seed=seed,
                    steps=step.steps,
                    device=self._observer.device,
                    advance=advance,
                )
            self._cache.put_file("denoiser", key, state)
        return channels.with_state(self._asked, state, self._observer.device)

    @cached_property
    def _head(self) -> Callable[[Vectors], Vectors]:
        from bench.adaptations.head import train_head

        assert isinstance(self._how, methods.Head)
        photos, people = self._cloaks
        name = self._cell.encoder.name
        seen = [
            self._seen(self._lessons.clean, "calibration people").embeddings[name],
            self._seen(photos, "cloaks of calibration people").embeddings[name],
        ]
        vectors, who = np.concatenate(seen), np.concatenate([self._lessons.people, people])
        there = np.isfinite(vectors[:, 0])
        matrix = train_head(vectors[there], who[there], self._how, seed=self._lessons.seed)
        return lambda rows: ensembles.unit(rows @ matrix)

    @cached_property
    def _cards(self) -> tuple[EncoderCard, ...]:
        """Of the networks that are looked through: the cell's, or what the attacker made of them."""
        if not isinstance(self._how, methods.FineTune | methods.Adversarial):
            return self._cell.members
        return tuple(self._trained(card) for card in self._cell.members)

    def _trained(self, card: EncoderCard) -> EncoderCard:
        """The card of a member's network after training, once the observer has it."""
        from bench.adaptations.networks import Adapted, restored, stored, trainable

        sources = [(self._lessons.clean, self._lessons.people)]
        if isinstance(self._how, methods.FineTune):
            sources.append(self._cloaks)
        sources = [(through(photos, self._purifier), people) for photos, people in sources]
        learned = digest([photos.digests for photos, _ in sources], [p.tolist() for _, p in sources])
        how = [self._cell.adaptation.described(), self._lessons.seed]
        changed = digest("adapted", card.sha256, how, learned, code_digest(*_CODE), versions(_LIBRARIES))
        made = replace(card, name=f"{card.name}@{changed[:12]}", sha256=changed, location="")
        if self._observer.knows(made):
            return made
        network = trainable(self._observer.encoder(card))
        content = self._cache.file("adapted", made.sha256)
        if content is None:
            network = self._train(network, card, sources)
            self._cache.put_file("adapted", made.sha256, stored(network))
        else:
            network = restored(network, content)
        self._observer.add(Adapted(made, network, self._observer.device))
        return made

    def _train(
        self, network: nn.Module, card: EncoderCard, sources: Sequence[tuple[Photos, Labels]]
    ) -> nn.Module:
        import torch

        from bench.adaptations.training import train_network

        assert isinstance(self._how, methods.FineTune | methods.Adversarial)
        crops, people = [], []
        for photos, who in sources:
            found, where = self._observer.crops(photos, card)
            crops.append(found)
            people.append(who[where])
        with self._progress.stage(f"train {card.name}", self._how.steps) as advance:
            return train_network(
                network,
                torch.cat(crops),
                np.concatenate(people),
                self._how,
                seed=self._lessons.seed,
                advance=advance,
            )


def _distinct(cards: Sequence[EncoderCard]) -> list[EncoderCard]:
    return list({card.name: card for card in cards}.values())


def _view(name: str) -> Channel:
    return Mirror() if name == "mirror" else channels.parse(name)


def _averaged(looks: Sequence[Vectors]) -> Vectors:
    """The mean direction of several looks at each photo, of those that found a face; NaN where none did."""
    if len(looks) == 1:
        return looks[0]
    stack = np.stack(looks)
    there = np.isfinite(stack[:, :, 0])
    total = np.where(there[:, :, None], stack, 0).sum(0)
    mean = ensembles.unit(np.asarray(total, np.float32))
    mean[~there.any(axis=0)] = np.nan
    return mean
