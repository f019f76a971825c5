"""A run that is gone through without its work: what each cell would look at, train and ask.

The cells, their keys and what is skipped are those of the run itself, because this is the run's pipeline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from bench import channels, registry
from bench.adaptations import ensembles
from bench.adaptations.chains import Parts
from bench.channels.mirror import Mirror
from bench.channels.protocol import Channel
from bench.costs import work
from bench.costs.company import Shared, cloaking_key, collection_size, tuning_key, view_key
from bench.costs.ledger import Ledger
from bench.experiment.held import Eyes, HeldCloaks
from bench.experiment.pipeline import Pipeline, Tables
from bench.experiment.recording import record_of
from bench.experiment.repetition import Repetition
from bench.experiment.stages import CONTROL, DISTRACTOR_PHOTOS
from bench.machine.progress import Progress
from bench.parameters import Plain
from bench.photos.collection import Photos
from bench.photos.through_channel import through
from bench.plan.cells import Cell, Plan
from bench.plan.chosen import Chosen
from bench.plan.nouns import Cloaking
from bench.recognition.resize_pad import ResizePad
from bench.records.record import CellRecord
from bench.store.cache import Cache
from bench.store.digests import digest
from bench.types import EncoderCard, Folders

NOT_COMPUTED = "not computed"
"""The error of the record of a cell that a run would compute."""


class Rehearsal(Pipeline):
    """Goes through the cells of one plan, and writes down the work of those that are not in the store.

    Attributes:
        ledger: The work.
    """

    def __init__(self, plan: Plan, folders: Folders, cache: Cache, before: Rehearsal | None = None) -> None:
        """Store.

        Args:
            plan: The cells.
            folders: Where weights lie.
            cache: What there is already; in the scope of `only_reading` it stays as it is.
            before: The run that comes before this one: what it does is not done again. None for the first.
        """
        self.ledger: Ledger = Ledger() if before is None else before.ledger
        self._shared: Shared = Shared() if before is None else before._shared
        self._number: int = 0 if before is None else before._number + 1
        super().__init__(plan, folders, cache)
        finder, pool = self._observer.finder, self._observer.pool
        self._first: Eyes = Eyes(finder, pool, cache, None if before is None else before._first)
        self._eyes = {finder.name: self._first}
        self._dataset = plan.data.card.name
        self._together: dict[str, dict[str, EncoderCard]] = defaultdict(dict)
        for view in (cell.view for cell in plan.cells):
            self._together[view.detector_name] |= {card.name: card for card in view.members}
        self._noise = Chosen(*registry.make("defenses", CONTROL))
        self._at_hand = plan.cells[0] if plan.cells else None

    def _repetition(self, number: int, progress: Progress) -> Repetition:
        split, data = self.plan.splits[number], self.plan.data
        observer = self._observer
        publisher = HeldCloaks(
            data, split, observer.finder, observer.pool, self._cache, progress, self._to_cloak
        )
        return Repetition(number, data, split, self.plan.spec.scenario, publisher)

    def _compute(self, cell: Cell) -> tuple[CellRecord, Tables]:
        self._at_hand, self._dataset = cell, str(cell.dataset["name"])
        repetition = self._repetitions[cell.repetition]
        view = cell.view
        cards, parts = self._cards(cell), Parts.of(view.adaptation.plugin)
        if not self._shared.meet("all photos", self._number, self._looked_at(cell)):
            if parts.training:
                for photos in self._lessons(cell, repetition, cloaks=True):
                    self._look(cell, self._purified(cell, photos), ())
            for photos in self._photos(cell, repetition):
                for version in self._versions(cell, photos):
                    self._look(cell, version, cards)
        if view.cloak_detector != "none":
            self._take_residuals(cell, repetition)
        self._ask(cell, repetition)
        return record_of(cell, self.plan.device, status="failed", error=NOT_COMPUTED), {}

    def _to_cloak(self, cloaking: Cloaking, photos: Photos, there: bool, measured: bool) -> None:
        """A group of photos to publish; what is not there is read, its face found, cloaked, and measured."""
        key: list[Plain] = ["cloak", cloaking_key(cloaking), list(photos.digests), measured]
        if self._shared.meet(*key):
            return
        if there:
            self.ledger.held["cloak"] += len(photos)
            return
        assert self._at_hand is not None
        view = self._at_hand.view
        found = self._first.unseen(photos).faces
        look = work.detecting(self._dataset, view.detector_name, view.channel, decoded=True)
        self.ledger.add(look, found)
        self.ledger.add(work.cloaking(cloaking, self._dataset), len(photos))
        if measured:
            self.ledger.add(work.measuring(self._dataset), len(photos))

    def _looked_at(self, cell: Cell) -> Plain:
        """What decides which photos the attacker of a cell looks at, and through what."""
        cloaking, platform = cell.cloaking, str(channels.platform(cell.view.channel))
        who: list[Plain] = [cloaking_key(cloaking), cloaking.dose, cell.attack.level, _learns(cell)]
        return [view_key(cell), platform, *who]

    def _photos(self, cell: Cell, repetition: Repetition) -> Iterator[Photos]:
        """Everything that the attacker of a cell looks at."""
        cloaking, platform = cell.cloaking, channels.platform(cell.view.channel)
        publisher = repetition.publisher
        yield through(publisher.release(cloaking).photos(), platform)
        yield repetition.clean
        if str(platform) != "none":
            yield through(repetition.clean, platform)
        if cloaking.budget.kind in self._noise.plugin.card.keeps:
            noise = replace(cloaking, defense=self._noise, surrogates=())
            yield through(publisher.release(noise).photos(), platform)
        yield repetition.attackers_clean
        yield repetition.calibration[0]
        if cell.attack.level == "adaptive":
            yield repetition.cloaked_calibration(cloaking, platform)[0]
        parts = Parts.of(cell.view.adaptation.plugin)
        rule = ensembles.rule(cell.view.encoder)
        trains = _learns(cell) and repetition.training is not None
        fitted = parts.whiten is not None or parts.head is not None or rule == ensembles.WEIGHTED
        if fitted or rule == ensembles.MEAN or trains:
            cloaks = fitted or (trains and cell.attack.level != "oblivious")
            yield from self._lessons(cell, repetition, cloaks=cloaks)

    def _lessons(self, cell: Cell, repetition: Repetition, *, cloaks: bool) -> Iterator[Photos]:
        lessons = repetition.training_data(cell.cloaking, channels.platform(cell.view.channel))
        yield lessons.clean
        if cloaks:
            yield lessons.cloaks[0]

    def _versions(self, cell: Cell, photos: Photos) -> list[Photos]:
        """Photos as a view looks at them: purified, and perhaps in several versions."""
        purified, views = self._purified(cell, photos), Parts.of(cell.view.adaptation.plugin).views
        if views is None or views.random:
            return [purified]
        return [
            through(purified, _version(name))
            for name in views.channels
            if name != "mirror" or not photos.boxes
        ]

    def _purified(self, cell: Cell, photos: Photos) -> Photos:
        """Photos after the attacker's own purifier; one that is to be trained is not there to purify them."""
        purifier = channels.purifier(cell.view.channel)
        if channels.learner(purifier) is None:
            return through(photos, purifier)
        trained = digest("denoiser to be trained", view_key(cell))
        if not self._shared.meet("denoise", trained):
            self.ledger.add(work.denoising(cell.view))
        digests = tuple(digest("to be purified", trained, content) for content in photos.digests)
        return replace(photos, digests=digests)

    def _cards(self, cell: Cell) -> tuple[EncoderCard, ...]:
        """What a view looks through: its encoders, or what becomes of them by training."""
        ways = Parts.of(cell.view.adaptation.plugin).training
        if not ways:
            return cell.view.members
        learns = any(way.learns_from_cloaks for way in ways)
        taught = view_key(cell) if learns else digest(str(ways), cell.view.detector_name, cell.repetition)
        cards = []
        for card in cell.view.members:
            becomes = digest("to be trained", card.sha256, card.name, str(ways), taught)
            if not self._shared.meet("train", becomes):
                self.ledger.add(work.training(card.name, cell.view))
            cards.append(replace(card, sha256=becomes, location=""))
        return tuple(cards)

    def _look(self, cell: Cell, photos: Photos, cards: tuple[EncoderCard, ...]) -> None:
        """Photos that one looks at: their faces are found, and embedded."""
        view, name = cell.view, cell.view.detector_name
        if self._shared.meet("look", [card.sha256 for card in cards], view_key(cell), list(photos.digests)):
            return
        views = Parts.of(view.adaptation.plugin).views
        random = views is not None and views.random
        varied = ResizePad(views.random, views.least, cell.seed) if views is not None and random else None
        if cards == view.members and not random:  # the encoders of other cells look at the photo, too
            cards = tuple(({card.name: card for card in cards} | self._together[name]).values())
        unseen = self._eye(name).unseen(photos, cards, varied)
        self.ledger.add(work.detecting(self._dataset, name, view.channel), unseen.faces)
        self.ledger.add(work.reading(self._dataset, view.channel), unseen.photos - unseen.faces)
        self.ledger.held["embed"] += unseen.held
        for card in cards:
            self.ledger.add(work.embedding(card.name, view), unseen.embeddings[card.name])

    def _eye(self, detector: str) -> Eyes:
        if detector not in self._eyes:
            first = self._first
            finder = first.finder.with_detector(detector)
            self._eyes[detector] = Eyes(finder, first.pool, self._cache, first)
        return self._eyes[detector]

    @property
    def photos(self) -> int:
        """How many photos have to be looked at, in this run and in those before."""
        return len(self._first.looked_at)

    def _take_residuals(self, cell: Cell, repetition: Repetition) -> None:
        platform = channels.platform(cell.view.channel)
        lessons = repetition.training_data(cell.cloaking, platform)
        released = repetition.publisher.release(cell.cloaking).photos()
        looked_at = (released, repetition.clean, lessons.clean, lessons.held_out, lessons.cloaks[0])
        for photos in looked_at:
            new = [one for one in photos.digests if not self._shared.meet("residuals", str(platform), one)]
            self.ledger.add(work.residuals(self._dataset), len(new))

    def _ask(self, cell: Cell, repetition: Repetition) -> None:
        """What the attacker is asked: about the photos as released, and about the controls."""
        split, cloaking = repetition.split, cell.cloaking
        size = collection_size(cell, split, DISTRACTOR_PHOTOS)
        tuning, platform = tuning_key(cell), str(channels.platform(cell.view.channel))
        answers = 1 + (not self._shared.meet("clean", tuning))
        if platform != "none":
            answers += not self._shared.meet("channel", platform, tuning)
        if cloaking.budget.kind in self._noise.plugin.card.keeps:
            answers += not self._shared.meet("noise", platform, str(cloaking.budget), tuning)
        self.ledger.add(work.starting())
        self.ledger.add(work.answering(cell, size), answers)
        # what is learned without being stored is learned anew in every run of a suite
        tuned = self._shared.meet("tuned", self._number, tuning)
        met = self._shared.meet("view", self._number, view_key(cell))
        photos = size + sum(map(len, split.calibration))
        self.ledger.add(work.attacking(cell, photos, tuned=tuned, met=met))


def _learns(cell: Cell) -> bool:
    """Whether a cell's attacker is itself trained on people."""
    return hasattr(cell.attack.attacker.plugin, "trained")


def _version(name: str) -> Channel:
    return Mirror() if name == "mirror" else channels.parse(name)
