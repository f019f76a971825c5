"""Photos -> embeddings, as one attacker sees them.

Through purifiers, several looks, several encoders, and networks of the attacker's own training. Whatever the
attacker learns, it learns from calibration people alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bench import channels
from bench.adaptations import ensembles
from bench.adaptations.chains import Parts
from bench.adaptations.robustness import Robustness
from bench.adaptations.stopping import Curve
from bench.channels.mirror import Mirror
from bench.channels.protocol import Channel
from bench.encoders.faults import EncoderFault
from bench.faces.finder import Faces
from bench.machine.progress import Progress
from bench.photos.collection import Photos
from bench.photos.through_channel import through
from bench.plan.nouns import View
from bench.recognition.cloak_detector import Suspicion
from bench.recognition.cloak_residuals import residuals
from bench.recognition.combined import Combined
from bench.recognition.embedded import Embedded
from bench.recognition.observer import Observed, Observer
from bench.recognition.resize_pad import ResizePad
from bench.recognition.trained import (
    Lesson,
    TrainingData,
    told_of,
    train_denoiser,
    trained_card,
)
from bench.store.cache import Cache
from bench.types import EncoderCard, Floats, Mask

Rows = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tools:
    """What every view of a run works with.

    Attributes:
        observer: Detects and embeds.
        cache: Has what was learned before.
        progress: Told of training.
    """

    observer: Observer
    cache: Cache
    progress: Progress


@dataclass(frozen=True)
class Learned:
    """What a view learned that a record tells.

    Attributes:
        robustness: Name of an encoder -> what adversarial training did to it.
        curves: Name of an encoder -> way that trained as long as it paid -> how that went.
        weights: Name of an encoder -> its share of the cosine in `weighted:a+b`; empty for other encoders.
    """

    robustness: dict[str, Robustness]
    curves: dict[str, dict[str, Curve]]
    weights: dict[str, float]


class AttackerView:
    """What one attacker sees of photos."""

    def __init__(
        self, view: View, tools: Tools, lessons: TrainingData, company: Sequence[EncoderCard] = ()
    ) -> None:
        """Store; nothing is learned before it is needed.

        Args:
            view: The encoder, adaptation and channel that decide what is seen.
            tools: What the view works with.
            lessons: What may be learned from.
            company: The cards of encoders that other cells will ask for with the same detector: with an
                encoder that is used as it is, a photo is decoded and detected once for all of them.
        """
        self._view, self._tools = view, tools
        self._observer = tools.observer.with_detector(view.detector_name)
        self._lessons, self._company = lessons, company
        self._remembered: dict[tuple[str, ...], Observed] = {}
        self._adaptation = Parts.of(view.adaptation.plugin)
        self._purifier_asked = channels.purifier(view.channel)
        self._combined = Combined(view, lessons, self._seen_by_each)

    def look(self, photos: Photos, what: str, *, again: bool = False) -> Observed:
        """See photos: released ones after the platform, and others as they were found.

        Args:
            photos: What the attacker has.
            what: For the progress line.
            again: Whether other cells will look at the same photos: then what was seen is remembered.

        Returns:
            Faces as found in the purified photo, and the view's embedding under its encoder's name; none of a
            photo that the attacker drops.

        Raises:
            EncoderFault: if a network gives no embedding.
        """
        if photos.digests in self._remembered:
            return self._remembered[photos.digests]
        looks = self._looks(photos, what)
        embedded = self._combined(self._members(looks))
        if self._view.suspected == "drop":
            embedded = embedded.without(self.suspected(photos, what))
        seen = replace(looks[0], embeddings={self._view.encoder.name: embedded})
        if again:
            self._remembered[photos.digests] = seen
        return seen

    def embed(self, photos: Photos, what: str, *, again: bool = False) -> Embedded:
        """The embeddings alone; see `look`."""
        return self.look(photos, what, again=again).embeddings[self._view.encoder.name]

    def faces(self, photos: Photos, what: str) -> Faces:
        """The faces in photos, after the attacker's own purifier; nothing is embedded.

        Args:
            photos: What the attacker has.
            what: For the progress line.
        """
        return self._observer.finder.find(self._purified(photos, what), what)

    def look_ahead(self, photos: Photos, what: str) -> None:
        """See photos through each network by itself, for `look` to find; nothing is put together.

        Args:
            photos: What the attacker has.
            what: For the progress line.
        """
        self._looks(photos, what)

    def train_ahead(self, number: int) -> None:
        """Train one of its networks, for all that comes after to find.

        Args:
            number: Which of the view's members.
        """
        self._trained(self._view.members[number])

    def residuals(self, photos: Photos, what: str) -> Floats:
        """The figures by which cloaks are recognised, of photos before the attacker's own purifier.

        The face is the one that the attacker sees; where what it sees depends on these figures, the one of
        the photo before the purifier.

        Args:
            photos: What the attacker has.
            what: For the progress line.

        Returns:
            See `bench.recognition.cloak_residuals.residuals`.
        """
        first = self._view.suspected == "purify"
        seen = photos if first else through(photos, self._purifier)
        return residuals(photos, self._observer.finder.find(seen, what).faces, self._tools.cache)

    def suspected(self, photos: Photos, what: str) -> Mask:
        """The photos that the attacker takes for cloaked: bool [photo].

        Args:
            photos: What the attacker has.
            what: For the progress line.

        Raises:
            RefusedError: The attacker has too little to learn from.
        """
        return self._suspicion.of(self.residuals(photos, what))

    @cached_property
    def _suspicion(self) -> Suspicion:
        return Suspicion.learned(self._lessons, channels.platform(self._view.channel), self.residuals)

    def _purified(self, photos: Photos, what: str) -> Photos:
        """Photos after the attacker's own purifier, where it purifies what it suspects, those alone."""
        which = self.suspected(photos, what) if self._view.suspected == "purify" else None
        return through(photos, self._purifier, which)

    def _looks(self, photos: Photos, what: str) -> list[Observed]:
        """Purified photos as they are, or in each version that the attacker averages over."""
        purified = self._purified(photos, what)
        if self._adaptation.views is None:
            return [self._observe(purified, what)]
        if self._adaptation.views.random:
            return [self._observer.observe(purified, self._cards, what, self._resize_pad)]
        # a mirrored photo's face is not where the data set says
        names = [name for name in self._adaptation.views.channels if name != "mirror" or not photos.boxes]
        return [self._observe(through(purified, _version(name)), what) for name in names]

    @property
    def _resize_pad(self) -> ResizePad:
        views = self._adaptation.views
        assert views is not None
        return ResizePad(views.random, views.least, self._lessons.seed)

    def _seen_by_each(self, photos: Photos, what: str) -> list[Embedded]:
        return self._members(self._looks(photos, what))

    def _members(self, looks: Sequence[Observed]) -> list[Embedded]:
        """What each member sees: the mean direction of its looks."""
        return [_mean_direction([look.embeddings[card.name] for look in looks]) for card in self._cards]

    def _observe(self, photos: Photos, what: str) -> Observed:
        own = list(self._cards)
        if self._cards == self._view.members and self._observer.first_sight(photos):
            try:
                return self._observer.observe(photos, _distinct([*own, *self._company]), what)
            except EncoderFault:
                # one of the company's networks may be at fault: what the others saw is kept
                return self._observer.observe(photos, own, what)
        return self._observer.observe(photos, own, what)

    @cached_property
    def _purifier(self) -> Channel:
        """The attacker's own step before it looks, trained if it has to be."""
        step = channels.learner(self._purifier_asked)
        if step is None:
            return self._purifier_asked
        state = train_denoiser(step, self._lessons, self._tools.cache, self._tools.progress, self._device)
        return channels.with_state(self._purifier_asked, state, self._device)

    @cached_property
    def _cards(self) -> tuple[EncoderCard, ...]:
        """The cards of the networks that it looks through: the view's, or what the attacker made of them."""
        if not self._adaptation.training:
            return self._view.members
        return tuple(map(self._trained, self._view.members))

    def _trained(self, card: EncoderCard) -> EncoderCard:
        """What the attacker made of a network."""
        return trained_card(
            card,
            self._adaptation.training,
            self._taught,
            self._lessons.seed,
            self._observer,
            self._tools.cache,
            self._tools.progress,
        )

    @cached_property
    def _taught(self) -> list[Lesson]:
        """What networks are trained on: clean photos, and cloaked ones where the training asks for them."""
        lessons = [(self._lessons.clean, self._lessons.people)]
        if any(way.learns_from_cloaks for way in self._adaptation.training):
            lessons.append(self._lessons.cloaks)
        return [(self._purified(photos, "photos to learn from"), people) for photos, people in lessons]

    def learned(self) -> Learned:
        """What it learned, for the record."""
        pairs = zip(self._view.members, self._cards, strict=True)
        trained = {member.name: card for member, card in pairs} if self._adaptation.training else {}
        told = {name: told_of(card, self._tools.cache) for name, card in trained.items()}
        robust = {name: one.robustness for name, one in told.items() if one.robustness}
        curves = {name: one.curves for name, one in told.items() if one.curves}
        return Learned(robust, curves, self._combined.weights)

    @property
    def _device(self) -> str:
        return self._observer.pool.device


def as_it_is(view: View) -> bool:
    """Whether an attacker looks once, through networks as they were published."""
    return Parts.of(view.adaptation.plugin).views is None and not trains_networks(view)


def trains_networks(view: View) -> bool:
    """Whether an attacker trains networks before it looks."""
    return bool(Parts.of(view.adaptation.plugin).training)


def trains(view: View) -> bool:
    """Whether an attacker trains before it looks: networks, maps, weights, a denoiser, a cloak detector."""
    return trains_networks(view) or learns_from_cloaks(view)


def learns_from_cloaks(view: View) -> bool:
    """Whether what an attacker sees depends on the defense, because it was trained on cloaks."""
    adapts = Parts.of(view.adaptation.plugin).learns_from_cloaks
    weighs = ensembles.rule(view.encoder) == ensembles.WEIGHTED
    denoises = channels.learner(channels.parse(view.channel)) is not None
    return adapts or weighs or denoises or bool(view.suspected)


def _distinct(cards: Sequence[EncoderCard]) -> list[EncoderCard]:
    return list({card.name: card for card in cards}.values())


def _version(name: str) -> Channel:
    return Mirror() if name == "mirror" else channels.parse(name)


def _mean_direction(looks: Sequence[Embedded]) -> Embedded:
    """The mean direction of several looks at each photo, of those looks that have a face."""
    if len(looks) == 1:
        return looks[0]
    total = np.stack([look.vectors for look in looks]).sum(0)
    has_face = np.any([look.has_face for look in looks], axis=0)
    return Embedded(ensembles.unit(np.asarray(total, np.float32)), has_face)
